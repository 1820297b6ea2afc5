"""Latents of outliers: images that the run was not trained on, embedded by its network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from tui_latent.analysis import RunData
from tui_latent.analysis.evaluation_anomalies import density_search, named_curve
from tui_latent.analysis.evaluation_errors import NotMeasured
from tui_latent.analysis.evaluation_parts import LabelledLatents
from tui_latent.analysis.outliers import Outliers
from tui_latent.config.feature_models import published_model
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.features import with_features
from tui_latent.datasets.fitting import Fit
from tui_latent.datasets.image_set import Dataset, ImageSet, in_chunks, stored, white
from tui_latent.datasets.paths import only_looking
from tui_latent.datasets.pretrained_weights import fetched_weights
from tui_latent.datasets.sources import load_dataset, resized
from tui_latent.metrics.outlier_detection import anomaly_scores, roc
from tui_latent.metrics.sample_order import order_of_chunks
from tui_latent.nouns import counted
from tui_latent.sources.errors import DataError
from tui_latent.training.evaluator import Evaluator

MOST: Final = 5000
"""outliers embedded at most; enough for two digits of an AUC"""
_CHUNK: Final = 1024
_LUMA: Final = (0.299, 0.587, 0.114)
"""of red, green and blue in a grey value (ITU-R BT.601), as Pillow converts"""

Tell = Callable[[str], None]


@torch.inference_mode()
def outlier_curve(
    source: RunData, space: LabelledLatents, step: int, asked: Outliers, on_progress: Tell
) -> dict[str, Any]:
    """Return the ROC curve of held-out images against outliers; NotMeasured if there is none."""
    on_progress("loading the network")
    preset = source.own_preset()
    model = source.model()
    dataset = source.dataset()
    source.require_images_of(step)
    images, notes = _outliers(asked, dataset, preset.data, on_progress)
    inputs = replace(dataset, val=images)
    if preset.data.inputs != "raw":
        try:
            with only_looking():
                weights = None
                if published_model(preset.data.inputs) is not None:
                    weights = fetched_weights(preset.data, on_progress)
                cpu = torch.device("cpu")
                inputs = with_features(inputs, preset.data, weights, on_progress, cpu)
        except DataError as error:
            raise NotMeasured(str(error)) from error

    def embed(part: ImageSet, what: str, of: Dataset) -> Tensor:
        words = f"embedding {counted(len(part), what)}"
        evaluator = Evaluator(of, None, preset.train.batch_size, lambda: on_progress(words))
        on_progress(words)
        return evaluator.embed(model.method, part)

    bank, queries = space.bank, space.queries
    if model.step != step:
        seen = source.inputs()
        bank = embed(seen.train, "training image", seen)
        queries = embed(seen.val, "held-out image", seen)
        notes.append(f"all images embedded by the checkpoint of step {model.step:,}")
    search = density_search(bank)
    outlying = embed(inputs.val, "outlier", inputs)
    if not torch.isfinite(outlying).all():
        raise NotMeasured("the network's latents of the outliers are not finite")
    words = "anomaly scores"
    scores = [
        anomaly_scores(search, z, on_chunk=lambda: on_progress(words)) for z in (queries, outlying)
    ]
    found = roc(scores[0].numpy(), scores[1].numpy())
    return named_curve(asked.words, found, len(queries), len(outlying), notes)


def _outliers(
    asked: Outliers, dataset: Dataset, settings: DataSettings, on_progress: Tell
) -> tuple[ImageSet, list[str]]:
    """Return the outliers in the shape of the run's images, and what was changed, in words."""
    on_progress(f"loading {asked.words}")
    try:
        with only_looking():
            loaded = load_dataset(_settings(asked, settings), 0, on_progress)
    except (DataError, ValueError) as error:
        raise NotMeasured(str(error)) from error
    splits = (
        [loaded.train, loaded.val]
        if asked.kind in ("folder", "arrays", "manifest")
        else [loaded.val]
    )
    count = sum(map(len, splits))
    order = torch.arange(count)
    notes = []
    if count > MOST:
        notes.append(f"{MOST:,} of {count:,} images, drawn at random")
        order = order_of_chunks(chain(*(in_chunks(split, _CHUNK) for split in splits)))[:MOST]
    images, changes = as_shape(_of_splits(splits, order), dataset.train.shape, settings.fit)
    nothing = torch.zeros(len(images), dtype=torch.int64)
    return ImageSet(images, nothing, (asked.words,), None, nothing), notes + changes


def _of_splits(splits: Sequence[ImageSet], rows: Tensor) -> Tensor:
    """Return rows of several splits, counted through all of them: (n, C, H, W), as stored."""
    images = torch.empty((len(rows), *splits[0].shape), dtype=splits[0].images.dtype)
    first = 0
    for split in splits:
        own = (rows >= first) & (rows < first + len(split))
        images[own] = stored(split, rows[own] - first)
        first += len(split)
    return images


def _settings(asked: Outliers, own: DataSettings) -> DataSettings:
    if asked.kind == "dataset":
        return DataSettings.model_validate({"source": asked.name})
    if asked.kind == "class":
        raw = {"classes": (asked.name,), "merge": {}, "per_class": 0, "inputs": "raw"}
        return own.model_copy(update=raw)
    chosen: dict[str, object] = {"source": asked.kind, "path": asked.name, "skip_corrupt": True}
    if not isinstance(own.range, str):
        chosen["range"] = own.range
    return DataSettings.model_validate(chosen | {"fit": own.fit})


def as_shape(images: Tensor, shape: tuple[int, ...], fit: Fit = "crop") -> tuple[Tensor, list[str]]:
    """Return images (N, C, H, W) in the shape (C, H, W), and what was changed, in words.

    NotMeasured if they have other channels than grey or colour.
    """
    changes = []
    channels, height, width = shape
    if images.shape[1] != channels and {images.shape[1], channels} != {1, 3}:
        raise NotMeasured(
            f"the outliers have {counted(images.shape[1], 'channel')}, but the run's images have "
            f"{channels}"
        )
    old = "x".join(map(str, images.shape[2:]))
    if images.shape[2:] != (height, width):
        changes.append(f"resized from {old} to {height}x{width}")
        images = (
            resized(images, height, fit) if height == width else _stretched(images, height, width)
        )
    if images.shape[1] == 3 and channels == 1:
        changes.append("converted to grey")
        images = torch.cat([_grey(chunk) for chunk in images.split(_CHUNK)])  # type: ignore[no-untyped-call]
    elif images.shape[1] == 1 and channels == 3:
        changes.append("grey, repeated as three channels")
        images = images.expand(-1, 3, -1, -1).contiguous()
    return images, changes


def _stretched(images: Tensor, height: int, width: int) -> Tensor:
    chunks = [
        F.interpolate(chunk.float(), (height, width), mode="bilinear", antialias=True)
        for chunk in images.split(_CHUNK)  # type: ignore[no-untyped-call]
    ]
    most = white(images.dtype)
    return torch.cat([chunk.round().clamp(0, most).to(images.dtype) for chunk in chunks])


def _grey(images: Tensor) -> Tensor:
    weights = torch.tensor(_LUMA)[:, None, None]
    return (images.float() * weights).sum(1, keepdim=True).round().to(images.dtype)
