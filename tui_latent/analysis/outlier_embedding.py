"""Latents of outliers: images that the run was not trained on, embedded by its network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from tui_latent.analysis import RunData
from tui_latent.analysis.evaluation_anomalies import density_search, named_curve
from tui_latent.analysis.evaluation_errors import NotMeasured
from tui_latent.analysis.evaluation_parts import LabelledLatents
from tui_latent.analysis.outliers import Outliers
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.features import with_features
from tui_latent.datasets.image_set import Dataset, ImageSet
from tui_latent.datasets.paths import only_looking
from tui_latent.datasets.sources import load_dataset, resized
from tui_latent.metrics.outlier_detection import anomaly_scores, roc
from tui_latent.metrics.sample_order import drawn_order
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
                inputs = with_features(inputs, preset.data, on_progress, torch.device("cpu"))
        except DataError as error:
            raise NotMeasured(str(error)) from error

    def embed(part: ImageSet, what: str, of: Dataset) -> Tensor:
        words = f"embedding {len(part):,} {what}"
        evaluator = Evaluator(of, None, preset.train.batch_size, lambda: on_progress(words))
        on_progress(words)
        return evaluator.embed(model.method, part)

    bank, queries = space.bank, space.queries
    if model.step != step:
        seen = source.inputs()
        bank = embed(seen.train, "training images", seen)
        queries = embed(seen.val, "held-out images", seen)
        notes.append(f"all images embedded by the checkpoint of step {model.step:,}")
    search = density_search(bank)
    outlying = embed(inputs.val, "outliers", inputs)
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
    """Return the outliers in the shape of the run's images, and in words what was changed."""
    on_progress(f"loading {asked.words}")
    try:
        with only_looking():
            loaded = load_dataset(_settings(asked, settings), 0, on_progress)
    except (DataError, ValueError) as error:
        raise NotMeasured(str(error)) from error
    images = loaded.val.images
    if asked.kind in ("folder", "arrays", "manifest"):
        images = torch.cat([loaded.train.images, images])
    notes = []
    if len(images) > MOST:
        notes.append(f"{MOST:,} of {len(images):,} images, drawn at random")
        images = images[drawn_order(images)[:MOST]]
    images, changes = as_shape(images, tuple(dataset.train.images.shape[1:]))
    nothing = torch.zeros(len(images), dtype=torch.int64)
    return ImageSet(images, nothing, (asked.words,), None, nothing), notes + changes


def _settings(asked: Outliers, own: DataSettings) -> DataSettings:
    if asked.kind == "dataset":
        return DataSettings.model_validate({"source": asked.name})
    if asked.kind == "class":
        raw = {"classes": (asked.name,), "merge": {}, "per_class": 0, "inputs": "raw"}
        return own.model_copy(update=raw)
    return DataSettings.model_validate(
        {"source": asked.kind, "path": asked.name, "skip_corrupt": True}
    )


def as_shape(images: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, list[str]]:
    """Return uint8 images (N, C, H, W) in the shape (C, H, W), and in words what was changed."""
    changes = []
    channels, height, width = shape
    old = "x".join(map(str, images.shape[2:]))
    if images.shape[2:] != (height, width):
        changes.append(f"resized from {old} to {height}x{width}")
        images = resized(images, height) if height == width else _stretched(images, height, width)
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
    return torch.cat([chunk.round().clamp(0, 255).to(torch.uint8) for chunk in chunks])


def _grey(images: Tensor) -> Tensor:
    weights = torch.tensor(_LUMA)[:, None, None]
    return (images.float() * weights).sum(1, keepdim=True).round().to(torch.uint8)
