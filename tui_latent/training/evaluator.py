"""What is measured of the latents at each evaluation; never touches the weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import prod

import torch
from torch import Tensor

from tui_latent.config.settings import AugmentSettings
from tui_latent.datasets.image_set import Dataset, ImageSet, gathered, in_chunks
from tui_latent.datasets.pairing import Pairing, make_pairing
from tui_latent.datasets.read_ahead import in_order
from tui_latent.methods.method import Method
from tui_latent.metrics.chunks import at_once
from tui_latent.metrics.collapse import alignment
from tui_latent.metrics.knn import KS
from tui_latent.metrics.nearest_neighbours import NeighbourSearch
from tui_latent.metrics.sample_order import order_of_chunks
from tui_latent.metrics.some_labelled import Rows, knn_of_rows, labelled_rows
from tui_latent.metrics.view_retrieval import KS as RETRIEVED
from tui_latent.metrics.view_retrieval import view_retrieval, why_no_retrieval
from tui_latent.training.loop import weighted_sum
from tui_latent.training.ranks import ALONE, Ranks
from tui_latent.training.space_metrics import measure_space, not_finite_splits

CHUNK = 1024
"""images per forward pass: about 0.1 s of a small network on two cores, for prompt pauses"""
CHUNK_ON_GPU = 8192
"""images per forward pass on a GPU with room for them: its launches cost as much for fewer"""
_BYTES_OF_A_PIXEL = 1024
"""bytes per pixel in a forward pass: four float32 maps of 64 channels, as ResNet-18's first are"""
VALIDATION_SEED = 20_240_229
"""views, pairs and noise of validation are the same each time, so that its losses compare; those
of a batch depend on its number alone, so that any rank can compute it"""
_ALIGNMENT = "latent/alignment"
_VIEWS = ("views", "neighbours")
"""pairings whose losses compare the images of a batch with each other, and two views of each"""
_BROKEN = "views that are not finite"
_DISTANCES = 2**28
"""compared in one part of a search that ranks share: about a second, for prompt pauses"""
_RETRIEVAL = {k: f"val/view_retrieval_{k}" for k in RETRIEVED}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The result of one evaluation."""

    metrics: dict[str, float]
    """finite numbers that mean something"""
    missing: dict[str, str]
    """metric -> why it is not among the metrics"""
    bank: Tensor
    """(N, D) float32 latents of the training images"""
    queries: Tensor
    """(M, D) float32 latents of the held-out images"""
    confusion: Tensor | None
    """(classes, classes) int64, kNN with the largest k; rows are the truth. None where that k
    is missing, and where no image has a class"""


def held_out_pairing(
    method: Method,
    dataset: Dataset,
    augment: AugmentSettings,
    on_chunk: Callable[[], None] = lambda: None,
) -> Pairing:
    """Return the pairing of the held-out images; `on_chunk` runs while their order is drawn.

    They have no neighbours in an earlier run, so a method of neighbours is measured by two views.
    """
    kind = "views" if method.pairing == "neighbours" else method.pairing
    val = dataset.val
    order = order_of_chunks(in_chunks(val, CHUNK), val.labels, on_chunk)
    return make_pairing(kind, val, dataset, augment, order=order)


class Evaluator:
    """Measures a method on one dataset; `on_chunk` runs between chunks (pause, stop).

    The held-out images are put into batches once, by a fixed seed and by what they show, not by
    where they stand: classes are mixed as in training, though folders list one after the other.

    Several ranks evaluate at the same time, each its share of the images, batches and queries;
    rank 0 alone has the result. The figures of the space are rank 0's: they take milliseconds.
    """

    def __init__(
        self,
        dataset: Dataset,
        held_out: Pairing | None = None,
        batch_size: int = 256,
        on_chunk: Callable[[], None] = lambda: None,
        ranks: Ranks = ALONE,
    ) -> None:
        self._dataset = dataset
        self._ranks = ranks
        self._held_out = held_out
        self._batch_size = batch_size
        self._on_chunk = on_chunk
        self._batches: tuple[Tensor, ...] = ()
        self._known: tuple[Rows, ...] | None = None
        """rows of the held-out and of the training images that have a class, once they are known"""
        self._broken_views = 0
        self._views: Tensor | None = None
        """(M, D) latents of a view of each held-out image, in their order, while they are needed;
        None where images are not augmented, and for methods that learn from labels"""

    @torch.inference_mode()
    def evaluate(self, method: Method, autocast: Callable[[], torch.autocast]) -> Evaluation:
        """Measure loss, kNN and collapse; the method is left in the mode it came in.

        OtherCommandError on a rank above 0 if rank 0 has left the evaluation.
        """
        was_training = method.training
        method.eval()
        metrics: dict[str, float] = {}
        self._views = None
        try:
            with autocast():
                bank = self.embed(method, self._dataset.train)
                queries = self.embed(method, self._dataset.val)
                missing = self._why_no_losses(method)
                projection = method.projected(queries)
                if self._held_out and "val/loss" not in missing:
                    metrics = self._losses(method)
        finally:
            method.train(was_training)
        confusion = None
        not_finite = not_finite_splits({"training": bank, "held-out": queries})
        why = " ".join(not_finite.values())
        if not self._dataset.val.class_names:
            pass  # without classes there is no vote, which the log says once
        elif why:
            missing |= {f"val/knn_{k}": why for k in KS}
        else:
            confusion = self._ask_neighbours(bank, queries, metrics, missing)
        if self._views is not None:
            self._retrieve(self._views, queries, why, metrics, missing)
            self._views = None
        elif method.pairing in _VIEWS:
            same = "images are not augmented, so their views are all the same"
            missing |= {name: same for name in _RETRIEVAL.values() if name not in missing}
        if self._ranks.rank == 0:
            measure_space(queries, projection, not_finite.get("held-out", ""), metrics, missing)
        for name in [name for name, value in metrics.items() if not math.isfinite(value)]:
            value = metrics.pop(name)
            missing[name] = why or f"it became {value}: training has diverged"
        return Evaluation(metrics, missing, bank, queries, confusion)

    def embed(self, method: Method, images: ImageSet) -> Tensor:
        """Return the latents of a split: float32 (N, D)."""
        part = torch.cat([method.embed(inputs).float() for inputs in self._inputs(images)])
        return self._ranks.whole(part, len(images))

    def _inputs(self, images: ImageSet) -> Iterator[Tensor]:
        """Yield the inputs of this rank's images of a split, in chunks, read ahead if they must
        be."""
        device = images.device
        rows = self._ranks.stretch(len(images)).to(device if images.ready else "cpu")
        chunks = rows.split(self._chunk(device))  # type: ignore[no-untyped-call]
        if images.ready:
            for chunk in chunks:
                yield self._dataset.inputs(images, chunk)
                self._between_chunks()
            return
        for found in in_order(partial(gathered, images), chunks, 1, 1, self._on_chunk):
            yield self._dataset.of_stored(found.to(device))
            self._ranks.go_on()

    def _between_chunks(self) -> None:
        self._on_chunk()
        self._ranks.go_on()

    def _why_no_losses(self, method: Method) -> dict[str, str]:
        """Return which held-out losses would mean nothing, and why."""
        if len(self._dataset.val) > 1 or method.pairing not in _VIEWS:
            return {}
        why = "there is only one held-out image, and the loss compares images with each other"
        names = ["val/loss", *(f"val/{name}" for name in method.weights())]
        return dict.fromkeys([*names, _ALIGNMENT, *_RETRIEVAL.values()], why)

    def _chunk(self, device: torch.device) -> int:
        if device.type == "cpu":
            return CHUNK
        pixels = prod(self._dataset.input_shape[1:])  # 1 where inputs are features
        here = at_once(device, CHUNK_ON_GPU, _BYTES_OF_A_PIXEL * pixels, least=64)
        return self._ranks.least(here)

    def _losses(self, method: Method) -> dict[str, float]:
        """Return the held-out images' weighted sum, each term, and the alignment of two views.

        Means over the images, each of which is in exactly one batch. The latents of one view of
        each image are kept for `_retrieve`.
        """
        assert self._held_out is not None
        batches, device = self._drawn_batches(), self._dataset.val.device
        viewed = self._views_differ()
        generator = torch.Generator(device)
        names: list[str] = []
        sums, views = torch.zeros(0), torch.zeros(0)
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            for number in range(self._ranks.rank, self._even(len(batches)), self._ranks.world):
                # Where there is no batch left for this rank, it does the last one again.
                rows = batches[min(number, len(batches) - 1)]
                generator.manual_seed(VALIDATION_SEED + number)
                torch.manual_seed(VALIDATION_SEED + number)
                batch = self._held_out.batch(rows, generator)
                found = method.losses(batch)
                if method.pairing in _VIEWS:
                    view_a, view_b = method.embed(batch.x).float().chunk(2)
                    found[_ALIGNMENT] = alignment(view_a, view_b)
                shown = None
                if viewed:
                    shown = view_a if method.pairing in _VIEWS else method.embed(batch.x).float()
                if not names:
                    names = list(found)
                    sums = torch.zeros(len(names), dtype=torch.float64, device=device)
                    if shown is not None:
                        views = shown.new_zeros(len(self._dataset.val), shown.shape[1])
                if number < len(batches):
                    values = torch.stack([found[name].double() for name in names])
                    sums += values * len(rows)
                    if shown is not None:
                        views.index_copy_(0, rows, shown)
                self._between_chunks()
        means = dict(zip(names, self._ranks.total(sums) / len(self._dataset.val), strict=True))
        spread = {name: means.pop(name) for name in (_ALIGNMENT,) if name in means}
        loss = weighted_sum(means, method.weights())
        found = {"val/loss": loss, **{f"val/{name}": v for name, v in means.items()}, **spread}
        if viewed:
            self._views = self._ranks.total(views)
            found[_BROKEN] = (~self._views.isfinite()).any(1).sum()
        # All in one transfer: each would wait for the device.
        numbers = torch.stack([value.double() for value in found.values()]).tolist()
        figures = dict(zip(found, numbers, strict=True))
        self._broken_views = int(figures.pop(_BROKEN, 0))
        return figures

    def _even(self, count: int) -> int:
        """Return a number of parts of which all ranks get equally many."""
        return -(-count // self._ranks.world) * self._ranks.world

    def _views_differ(self) -> bool:
        """Return whether the method learns without labels from inputs that are augmented."""
        assert self._held_out is not None
        augment = self._held_out.augment
        of_images = self._dataset.val.features is None
        changes = augment.changes_images() if of_images else augment.changes_features()
        return changes and not self._held_out.labelled

    def _retrieve(
        self,
        views: Tensor,
        queries: Tensor,
        not_finite: str,
        metrics: dict[str, float],
        missing: dict[str, str],
    ) -> None:
        """Put the shares of views that find their image into `metrics`, or why not into
        `missing`."""
        without = why_no_retrieval(len(queries))
        if broken := self._broken_views:
            not_finite = not_finite or (
                f"the latents of {broken:,} of {len(views):,} views are not finite: training has "
                "diverged"
            )
        if not_finite:
            without = dict.fromkeys(RETRIEVED, not_finite)
        missing |= {_RETRIEVAL[k]: why for k, why in without.items()}
        if known := [k for k in RETRIEVED if k not in without]:
            shares = view_retrieval(views, queries, known, self._on_chunk, self._search)
            metrics |= {_RETRIEVAL[k]: share for k, share in shares.items()}

    def _drawn_batches(self) -> tuple[Tensor, ...]:
        """Return the rows of each batch, the same at every evaluation.

        The terms of InfoNCE and VICReg depend on the size of a batch: sizes differ by one at
        most, and are as near to the training's as that allows.
        """
        assert self._held_out is not None
        if not self._batches:
            order, images = self._held_out.order, self._dataset.val
            if order is None:
                chunks = in_chunks(images, CHUNK)
                order = order_of_chunks(chunks, images.labels, self._on_chunk)
            batches = min(round(len(order) / self._batch_size), len(order) // 2)
            self._batches = order.tensor_split(max(batches, 1))
        return self._batches

    def _search(
        self, bank: Tensor, queries: Tensor, k: int, on_chunk: Callable[[], None]
    ) -> Tensor:
        """Return the k nearest rows of the bank to all queries; each rank asks for its own."""
        search = NeighbourSearch(bank, checked=True)
        if not self._ranks.several:
            return search.nearest(queries, k, on_chunk)[1]
        own = queries[self._ranks.stretch(len(queries)).to(queries.device)]
        found = []
        for some in own.split(max(_DISTANCES // len(bank), 1)):  # type: ignore[no-untyped-call]
            found.append(search.nearest(some, k)[1])
            self._between_chunks()
        return self._ranks.whole(torch.cat(found), len(queries))

    def _ask_neighbours(
        self, bank: Tensor, queries: Tensor, metrics: dict[str, float], missing: dict[str, str]
    ) -> Tensor | None:
        """Put the accuracies into `metrics`, or why not into `missing`; return the confusion."""
        train, val = self._dataset.train, self._dataset.val
        if self._known is None:
            self._known = labelled_rows(val.labels, train.labels)
        known, classes = self._known, len(val.class_names)
        labelled = (queries, val.labels, bank, train.labels, known, classes)
        knn = knn_of_rows(*labelled, self._on_chunk, search=self._search)
        metrics |= knn.metrics
        missing |= knn.missing
        return knn.confusion
