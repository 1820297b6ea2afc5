"""What is measured of the latents at each evaluation; never touches the weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from tui_latent.data.image_set import Dataset, ImageSet
from tui_latent.data.pairing import Pairing
from tui_latent.evaluation.chunks import at_once
from tui_latent.evaluation.collapse import alignment, collapse_signs, space_figures
from tui_latent.evaluation.knn import evaluate_knn
from tui_latent.methods.method import Method

CHUNK = 1024
"""images per forward pass: about .1 s of a small network on two cores, for prompt pauses"""
CHUNK_ON_GPU = 8192
"""images per forward pass where that many fit: the launches of a pass cost as much for fewer"""
_BYTES_OF_A_PIXEL = 1024
"""alive in a forward pass for each pixel: four float32 maps of 64 channels, as ResNet-18's first"""
VALIDATION_SEED = 20_240_229
"""views, pairs and noise of validation are the same each time, so that its losses compare"""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One look at the space."""

    metrics: dict[str, float]
    bank: Tensor
    """(N, D) float32 latents of the training images"""
    queries: Tensor
    """(M, D) float32 latents of the held-out images"""
    confusion: Tensor
    """(classes, classes) int64, kNN with the largest k; rows are the truth"""


class Evaluator:
    """Measures a method on one dataset; `between` runs between chunks (pause, stop)."""

    def __init__(
        self,
        dataset: Dataset,
        held_out: Pairing | None,
        batch_size: int,
        between: Callable[[], None],
    ) -> None:
        self._dataset = dataset
        self._held_out = held_out
        self._batch_size = min(batch_size, len(dataset.val))
        self._between = between

    @torch.inference_mode()
    def evaluate(self, method: Method, autocast: Callable[[], torch.autocast]) -> Evaluation:
        """Measure loss, kNN and collapse; the method is left in the mode it came in."""
        was_training = method.training
        method.eval()
        try:
            with autocast():
                bank = self.embed(method, self._dataset.train)
                queries = self.embed(method, self._dataset.val)
                metrics = self._losses(method) if self._held_out else {}
        finally:
            method.train(was_training)
        knn = evaluate_knn(
            bank,
            self._dataset.train.labels,
            queries,
            self._dataset.val.labels,
            classes=len(self._dataset.val.class_names),
            between=self._between,
        )
        metrics |= {f"val/knn_{k}": accuracy for k, accuracy in knn.accuracies.items()}
        metrics |= _spread(queries)
        return Evaluation(metrics, bank, queries, knn.confusion)

    def embed(self, method: Method, images: ImageSet) -> Tensor:
        """Return the latents of a split: float32 (N, D)."""
        chunks = []
        device = images.labels.device
        for rows in torch.arange(len(images), device=device).split(self._chunk(device)):  # type: ignore[no-untyped-call]
            chunks.append(method.embed(self._dataset.inputs(images, rows)).float())
            self._between()
        return torch.cat(chunks)

    def _chunk(self, device: torch.device) -> int:
        if device.type == "cpu":
            return CHUNK
        pixels = prod(self._dataset.input_shape[1:])  # 1 where inputs are features
        return at_once(device, CHUNK_ON_GPU, _BYTES_OF_A_PIXEL * pixels, least=64)

    def _losses(self, method: Method) -> dict[str, float]:
        """Return the weighted sum, each term and the alignment of two views, held out."""
        assert self._held_out is not None
        device = self._dataset.val.labels.device
        generator = torch.Generator(device).manual_seed(VALIDATION_SEED)
        totals: dict[str, Tensor] = {}
        spread: dict[str, Tensor] = {}
        batches = self._batches(device)
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(VALIDATION_SEED)
            for rows in batches:
                batch = self._held_out.batch(rows, generator)
                for name, value in method.losses(batch).items():
                    totals[name] = totals[name] + value if name in totals else value
                if not spread and method.pairing == "views":
                    view_a, view_b = method.embed(batch.x).float().chunk(2)
                    spread["latent/alignment"] = alignment(view_a, view_b)
                self._between()
        # All in one transfer: each would wait for the device.
        found = [*totals.values(), *spread.values()]
        told = torch.stack([value.double() for value in found]).tolist() if found else []
        terms = {name: value / len(batches) for name, value in zip(totals, told, strict=False)}
        weights = method.weights()
        loss = sum(weights[name] * value for name, value in terms.items())
        aligned = dict(zip(spread, told[len(totals) :], strict=True))
        return {"val/loss": loss, **{f"val/{name}": v for name, v in terms.items()}, **aligned}

    def _batches(self, device: torch.device) -> list[Tensor]:
        """Split the held-out rows into whole batches: the terms of InfoNCE depend on their size."""
        images = len(self._dataset.val)
        rows = torch.arange(images // self._batch_size * self._batch_size, device=device)
        return list(rows.split(self._batch_size))  # type: ignore[no-untyped-call]


def _spread(latents: Tensor) -> dict[str, float]:
    figures = space_figures(latents)
    collapsed = float(bool(collapse_signs(figures, latents.shape[1])))
    return {f"latent/{name}": value for name, value in (figures | {"collapsed": collapsed}).items()}
