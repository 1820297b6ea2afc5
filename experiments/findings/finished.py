"""A trained run, and the latents of its training, validation and test images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import torch
from torch import Tensor

from tui_latent.analysis.run_data import RunData
from tui_latent.analysis.untrained import untrained_method
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.image_set import Dataset, ImageSet
from tui_latent.datasets.sources import load_dataset
from tui_latent.methods.method import Method
from tui_latent.metrics.sample_order import DRAW_SEED

_CHUNK = 500
REPRESENTATION = "representation"


@dataclass(frozen=True)
class Counts:
    """How many images are embedded to measure a run; 0 embeds all."""

    bank: int = 0
    """training images, whether the run was trained on them or not"""
    test: int = 0


@dataclass(frozen=True, eq=False)
class Space:
    """Latents of training images, and of images that training did not see."""

    bank: Tensor
    """float32 (N, D)"""
    bank_labels: Tensor
    queries: Tensor
    """float32 (M, D)"""
    query_labels: Tensor


class Finished:
    """A run whose training has ended, on the CPU.

    It held out a share of the training images: they are the validation images. The test images
    are those of the dataset, of which training, and whoever chose its settings, saw nothing.
    """

    def __init__(self, path: Path, counts: Counts) -> None:
        self.path = path
        self.counts = counts
        self.data = RunData(path)
        self.preset = self.data.own_preset()

    @cached_property
    def method(self) -> Method:
        """The network with its last weights."""
        return self.data.model().method

    @cached_property
    def dataset(self) -> Dataset:
        """The images that it was trained on, and its validation images."""
        return self.data.inputs()

    @cached_property
    def source(self) -> Dataset:
        """All training images of the dataset, and its test images."""
        whole = self.preset.data.model_copy(update={"per_class": 0, "val_fraction": 0.0})
        return _loaded(whole.model_dump_json())

    @cached_property
    def test_rows(self) -> Tensor:
        """The test images that are measured: int64 rows, the same for every run."""
        return some_rows(self.source.val, self.counts.test)

    def validation(self) -> Space:
        """Return the latents of the training and the validation images, as the run wrote them."""
        latents = self.data.latents()
        return Space(latents.bank, latents.bank_labels, latents.queries, latents.query_labels)

    def test(self) -> Space:
        """Return the latents of the images that it was trained on, and of test images."""
        latents, rows = self.data.latents(), self.test_rows
        found = self.embedded(self.method, self.source.val, rows)[REPRESENTATION]
        return Space(latents.bank, latents.bank_labels, found, self.source.val.labels[rows])

    def places(self, method: Method) -> dict[str, Space]:
        """Return the space at each place of a network, with `counts.bank` training images."""
        train, val = self.source.train, self.source.val
        rows = some_rows(train, self.counts.bank)
        bank = self.embedded(method, train, rows)
        queries = self.embedded(method, val, self.test_rows)
        return {
            place: Space(latents, train.labels[rows], queries[place], val.labels[self.test_rows])
            for place, latents in bank.items()
        }

    def untrained(self) -> Method:
        """Return its network as it was before training, with this run's seed."""
        train = self.dataset.train
        return untrained_method(self.preset, self.dataset, some_rows(train, 2000))

    def pixels(self, bank: ImageSet, rows: Tensor) -> Space:
        """Return the inputs themselves as latents, of some training and the test images."""
        val = self.source.val
        return Space(
            self.dataset.inputs(bank, rows).flatten(1),
            bank.labels[rows],
            self.dataset.inputs(val, self.test_rows).flatten(1),
            val.labels[self.test_rows],
        )

    @torch.inference_mode()
    def embedded(self, method: Method, images: ImageSet, rows: Tensor) -> dict[str, Tensor]:
        """Return float32 (N, D) at each place of a network, with the run's preprocessing.

        They are on the CPU, computed on a GPU if there is one.
        """
        device = "cuda" if torch.cuda.is_available() else "cpu"
        found: dict[str, list[Tensor]] = {}
        method.to(device)
        for some in rows.split(_CHUNK):  # type: ignore[no-untyped-call]
            x = self.dataset.inputs(images, some).to(device)
            for place, latents in method.layers(x).items():
                found.setdefault(place, []).append(latents.float().cpu())
        method.to("cpu")
        return {place: torch.cat(parts) for place, parts in found.items()}


def some_rows(images: ImageSet, count: int) -> Tensor:
    """Return rows of images, int64: `count` of them drawn by a fixed seed, or all if it is 0."""
    if not count or count >= len(images):
        return torch.arange(len(images))
    generator = torch.Generator().manual_seed(DRAW_SEED)
    return torch.randperm(len(images), generator=generator)[:count]


@lru_cache(maxsize=2)
def _loaded(settings: str) -> Dataset:
    return load_dataset(DataSettings.model_validate_json(settings), 0)
