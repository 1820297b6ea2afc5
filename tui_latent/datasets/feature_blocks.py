"""Features of images, computed in blocks that are kept, and shared out between processes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from tui_latent.datasets.image_set import ImageSet, chunk_of
from tui_latent.datasets.paths import prepared_folders
from tui_latent.datasets.progress import ProgressLog
from tui_latent.datasets.shared_files import (
    NOT_WRITABLE,
    alone,
    make_folder,
    unless_taken,
    whole_file,
)
from tui_latent.runtime.array_files import read_array
from tui_latent.sources.errors import DataError

_Result = TypeVar("_Result")
Extractor = Callable[[Tensor], Tensor]
"""from images as they are stored (B, C, H, W) to float32 features (B, D)"""


def features_of(
    images: ImageSet,
    name: str,
    extract: Extractor,
    block: int,
    batch: int,
    log: Callable[[str], None],
    poll: Callable[[], None],
) -> Tensor:
    """Return float32 (N, D), computed in files of `block` images; those that exist are read.

    `name` says what computes them. Processes that need the same features at the same time share
    the work: each leaves out the blocks that another has begun, and reads them at the end.
    DataError if they cannot be saved.
    """
    blocks = _Blocks(images, name, extract, block, batch, log, poll)
    begun_elsewhere = [first for first in range(0, len(images), block) if not blocks.take(first)]
    for first in begun_elsewhere:
        blocks.wait_for(first)
    return torch.cat([blocks.features[first] for first in range(0, len(images), block)])


class _Blocks:
    """The features of some images, block by block."""

    def __init__(
        self,
        images: ImageSet,
        name: str,
        extract: Extractor,
        block: int,
        batch: int,
        log: Callable[[str], None],
        poll: Callable[[], None],
    ) -> None:
        self.features: dict[int, Tensor] = {}
        """by the first row of their block"""
        self._images, self._name, self._extract = images, name, extract
        self._block, self._batch = block, batch
        self._log, self._poll = log, poll
        self._progress = ProgressLog(log)
        self._done = self._elsewhere = self._computed = 0
        self._started = time.monotonic()

    def take(self, first: int) -> bool:
        """Read or compute a block; return False if another process computes it."""
        stored = self._stored(first)
        key = _key(stored, self._name)
        if self._read(first, key):
            return True

        def compute_unless_taken(path: Path) -> bool:
            with unless_taken(path) as mine:
                if mine and not self._read(first, key):
                    self._compute(first, path, stored)
                return mine

        mine = _in_writable_folder(key, compute_unless_taken)
        self._elsewhere += 0 if mine else len(stored)
        return mine

    def wait_for(self, first: int) -> None:
        """Read a block once another process has computed it, or compute it if that has ended."""
        stored = self._stored(first)
        key = _key(stored, self._name)
        self._elsewhere -= len(stored)

        def waiting() -> None:
            self._poll()
            self._log("waiting for another process to compute features")

        def compute_alone(path: Path) -> None:
            with alone(path, waiting):
                if not self._read(first, key):
                    self._compute(first, path, stored)

        _in_writable_folder(key, compute_alone)

    def _stored(self, first: int) -> Tensor:
        return chunk_of(self._images, first, self._block)

    def _read(self, first: int, key: str) -> bool:
        features = _kept(key)
        if features is None:
            return False
        self.features[first] = features
        self._done += len(features)
        if not self._computed:
            self._started = time.monotonic()
        return True

    @torch.no_grad()
    def _compute(self, first: int, path: Path, stored: Tensor) -> None:
        batches = []
        for some in torch.split(stored, self._batch):
            self._poll()
            batches.append(self._extract(some).float().cpu())
            self._done += len(some)
            self._computed += len(some)
            self._tell()
        self.features[first] = torch.cat(batches)
        _save(path, self.features[first])

    def _tell(self) -> None:
        each = (time.monotonic() - self._started) / self._computed
        left = _time_left(each * (len(self._images) - self._done - self._elsewhere))
        what = self._name.partition(" ")[0]
        self._progress(f"{what} features: {self._done:,} of {len(self._images):,} images, {left}")


def _time_left(seconds: float) -> str:
    """Return how long it still takes, in words; cached blocks make it less."""
    if seconds < 90:
        return f"{seconds:,.0f} s left"
    return f"{seconds / 60:,.0f} min left" if seconds < 5400 else f"{seconds / 3600:.1f} h left"


def _key(block: Tensor, name: str) -> str:
    digest = hashlib.sha256(f"{name} {tuple(block.shape)}".encode())
    digest.update(block.contiguous().numpy().data)
    return digest.hexdigest()[:32]


def _paths(key: str) -> list[Path]:
    return [folder / "features" / f"{key}.npy" for folder in prepared_folders()]


def _kept(key: str) -> Tensor | None:
    """Return the cached features of a block; None if they are missing or damaged."""
    for path in _paths(key):
        with suppress(OSError, ValueError, EOFError):
            return torch.from_numpy(read_array(path))
    return None


def _in_writable_folder(key: str, work: Callable[[Path], _Result]) -> _Result:
    """Return what `work` returns for the file of a block; DataError if it cannot be written."""
    problem: OSError | None = None
    for path in _paths(key):
        try:
            make_folder(path.parent)
            return work(path)
        except OSError as error:
            problem = problem or error
            if error.errno not in NOT_WRITABLE:
                break
    assert problem is not None
    raise DataError(
        f"{_paths(key)[0].parent}: features cannot be saved ({problem.strerror}): "
        "free some space, or set TUI_LATENT_DATA to a writable folder"
    ) from problem


def _save(path: Path, features: Tensor) -> None:
    with whole_file(path) as file:
        np.save(file, features.numpy())
