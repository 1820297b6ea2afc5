"""The newest latents of a run, read from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tui_latent.analysis.errors import InspectionError
from tui_latent.runs.atomic_files import Signature
from tui_latent.runtime.array_files import read_tensors
from tui_latent.runtime.tensor_files import mapped_tensors

if TYPE_CHECKING:
    from torch import Tensor

    from tui_latent.metrics.nearest_neighbours import NeighbourSearch


SAMPLE: Final = 20_000
"""most training latents that are searched when the neighbours of all held-out images are asked for:
searching more would take minutes"""

MAPPED_FROM: Final = 1 << 28
"""bytes of latents from which on a file is mapped into memory. Smaller ones are read whole: a file
that another host replaces on a network file system takes its pages away from those who map it"""


@dataclass(frozen=True, eq=False)
class RunLatents:
    """`last.safetensors`: the latents of the newest evaluation, at full width."""

    path: Path
    signature: Signature
    bank: Tensor
    """float32 (N, D), of the training images; of the held-out ones where the file has no others"""
    bank_labels: Tensor
    """int64 (N,); UNLABELLED where an image has no class"""
    queries: Tensor
    """float32 (M, D), of the held-out images"""
    query_labels: Tensor
    """int64 (M,)"""
    step: int | None = None
    """the step of the evaluation; None in older runs, which do not record it"""
    bank_is_queries: bool = False
    """whether `bank` is `queries`: then each is left out of its own neighbours"""

    @cached_property
    def bank_for_all(self) -> tuple[Tensor, Tensor]:
        """The bank and its labels, where the neighbours of all held-out images are looked for: a
        sample of a bank where that would take minutes, the same one every time."""
        import torch

        from tui_latent.metrics.search_work import affordable

        images, dimensions = self.queries.shape
        if self.bank_is_queries or affordable(images, len(self.bank), dimensions):
            return self.bank, self.bank_labels
        drawn = torch.randperm(len(self.bank), generator=torch.Generator().manual_seed(0))
        rows = drawn[:SAMPLE].sort().values
        return self.bank[rows], self.bank_labels[rows]

    @cached_property
    def search(self) -> NeighbourSearch:
        """Finds neighbours in the bank; InspectionError if a latent is not finite."""
        from tui_latent.metrics.nearest_neighbours import NeighbourSearch

        try:
            return NeighbourSearch(self.bank)
        except ValueError as error:
            raise InspectionError(f"{self.path}: {error}") from error


def read_latents(path: Path, now: Signature) -> RunLatents:
    """Read the file, of which `now` is the signature; InspectionError if it cannot be read."""
    from safetensors import SafetensorError

    try:
        tensors, header = _mapped(path) if now[1] >= MAPPED_FROM else _whole(path)
        queries, query_labels = tensors["query_latents"], tensors["query_labels"]
        alone = "bank_latents" not in tensors
        return RunLatents(
            path,
            now,
            queries if alone else tensors["bank_latents"],
            query_labels if alone else tensors["bank_labels"],
            queries,
            query_labels,
            _noted_step(header),
            alone,
        )
    except (OSError, ValueError, SafetensorError, KeyError) as error:
        raise InspectionError(f"{path}: cannot read latents: {error}") from error


def _whole(path: Path) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    from safetensors.torch import load as load_tensors

    content, header = read_tensors(path)
    return load_tensors(content), header


def _mapped(path: Path) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    """Map the tensors into memory: what is not looked at is not read."""
    import torch

    arrays, header = mapped_tensors(path)
    return {name: torch.from_numpy(array) for name, array in arrays.items()}, header


def _noted_step(header: Mapping[str, Any]) -> int | None:
    """Return the step in the metadata of a safetensors file."""
    step = str(header.get("__metadata__", {}).get("step", ""))
    return int(step) if step.isdecimal() else None
