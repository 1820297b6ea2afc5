"""Evaluations by one process, or by several that share the images, batches and queries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tui_latent.config.settings import DataSettings, Preset
from tui_latent.datasets import decoded_cache
from tui_latent.datasets.image_set import Dataset, ImageSet
from tui_latent.datasets.sources import load_dataset
from tui_latent.methods import METHODS
from tui_latent.methods.method import Method
from tui_latent.training.evaluator import Evaluator, held_out_pairing
from tui_latent.training.rank_commands import Command, OtherCommandError
from tui_latent.training.ranks import Ranks
from tui_latent.training.run_control import StopRequested

_SMALL = {"latent_dim": 3, "width": 4, "hidden_dim": 16}
_TURNED = {"rotate": 20, "noise": 0.1}
EVALUATIONS: dict[str, dict[str, Any]] = {
    "views": {"method": {"name": "contrastive", **_SMALL}, "augment": _TURNED},
    "wide": {"method": {"name": "vicreg", **_SMALL, "latent_dim": 16}, "augment": _TURNED},
    "noise": {"method": {"name": "autoencoder", **_SMALL, "variational": True}},
    "pairs": {"method": {"name": "siamese", **_SMALL}},
    "from the disk": {
        "method": {"name": "contrastive", **_SMALL},
        "augment": _TURNED,
        "data": {"resident": "disk"},
    },
    "few images": {"method": {"name": "autoencoder", **_SMALL}, "data": {"val": 3}},
}


def _made(case: str) -> tuple[Dataset, Method, Preset]:
    table = EVALUATIONS[case]
    data = dict(table.get("data", {}))
    few = data.pop("val", None)
    settings = {"source": "digits", "per_class": 30, **data}
    preset = Preset.model_validate({**table, "data": settings, "train": {"batch_size": 50}})
    dataset = load_dataset(preset.data, 0)
    if few:
        dataset = replace(dataset, val=_first(dataset.val, few))
    torch.manual_seed(0)
    method = METHODS[preset.method.name](preset.method, dataset.input_shape)
    return dataset, method.eval(), preset


def _first(split: ImageSet, count: int) -> ImageSet:
    tensors = {name: getattr(split, name)[:count] for name in ("images", "labels", "targets")}
    return replace(split, places=None, **tensors)


def evaluated(case: str, ranks: Ranks) -> dict[str, Tensor]:
    """Return what an evaluation finds, and how many training images each rank embeds."""
    dataset, method, preset = _made(case)
    embedded: list[int] = []
    plain = method.embed

    def embed(x: Tensor) -> Tensor:
        embedded.append(len(x))
        return plain(x)

    held_out = held_out_pairing(method, dataset, preset.augment)
    evaluator = Evaluator(dataset, held_out, preset.train.batch_size, ranks=ranks)
    watched: Any = method
    watched.embed = embed
    evaluator.embed(method, dataset.train)
    counts = ranks.each(sum(embedded))
    watched.embed = plain
    evaluation = evaluator.evaluate(method, lambda: torch.autocast("cpu", enabled=False))
    if ranks.rank:
        return {}
    metrics = {name: torch.tensor(value) for name, value in evaluation.metrics.items()}
    confusion = {} if evaluation.confusion is None else {"confusion": evaluation.confusion}
    return {
        **metrics,
        **confusion,
        "bank": evaluation.bank,
        "queries": evaluation.queries,
        "images by rank": torch.tensor(counts),
    }


def left(ranks: Ranks) -> dict[str, Tensor]:
    """Let rank 0 stop within an evaluation; return what each other rank heard instead."""
    dataset, method, preset = _made("views")
    calls: list[None] = []

    def stop() -> None:
        calls.append(None)
        if ranks.rank == 0 and len(calls) == 3:
            raise StopRequested

    held_out = held_out_pairing(method, dataset, preset.augment)
    evaluator = Evaluator(dataset, held_out, 50, stop, ranks)
    heard = -1
    try:
        evaluator.evaluate(method, lambda: torch.autocast("cpu", enabled=False))
    except StopRequested:
        ranks.tell(Command.TERMS)
    except OtherCommandError as other:
        heard = int(other.heard.command)
    return {"heard": torch.tensor(ranks.each(heard)[1:])}


def decoded(ranks: Ranks, folder: Path) -> dict[str, Tensor]:
    """Load a folder of images on all ranks at once; return how many images each decoded."""
    many: list[int] = []
    module: Any = decoded_cache
    chunk = module.decode_chunk

    def counting(items: Any, **how: Any) -> Any:
        many.append(len(items))
        return chunk(items, **how)

    module.decode_chunk = counting
    ranks.each(None)
    settings = DataSettings.model_validate({"source": "folder", "path": str(folder), "size": 16})
    images = load_dataset(settings, 0).train.images
    return {
        "decoded": torch.tensor(ranks.each(sum(many))),
        "sums": torch.tensor(ranks.each(int(images.long().sum()))),
    }
