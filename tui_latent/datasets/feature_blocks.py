"""Features of images, computed in blocks that are kept and divided among processes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar
from zipfile import BadZipFile

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
from tui_latent.runtime.array_files import opened_archive
from tui_latent.sources.errors import DataError

_Result = TypeVar("_Result")
Extractor = Callable[[Tensor], Tensor]
"""from images as they are stored (B, C, H, W) to float32 features (B, D)"""


class Extraction(NamedTuple):
    """How features are computed."""

    name: str
    """says what computes them: features of another name are others"""
    extract: Extractor
    block: int
    """images of a file"""
    batch: int
    """images at once"""


def features_of(
    images: ImageSet, how: Extraction, log: Callable[[str], None], poll: Callable[[], None]
) -> Tensor:
    """Return float32 (N, D), computed in files of some images each; those that exist are read.

    Processes that need the same features at the same time share the work: each leaves out the
    blocks that another has begun, and reads them at the end. DataError if they cannot be saved.
    """
    blocks = _Blocks(images, how, log, poll)
    firsts = range(0, len(images), how.block)
    begun_elsewhere = {first: key for first in firsts if (key := blocks.take(first))}
    for first, key in begun_elsewhere.items():
        blocks.wait_for(first, key)
    return torch.cat([blocks.features[first] for first in firsts])


class _Blocks:
    """The features of some images, block by block."""

    def __init__(
        self,
        images: ImageSet,
        how: Extraction,
        log: Callable[[str], None],
        poll: Callable[[], None],
    ) -> None:
        self.features: dict[int, Tensor] = {}
        """by the first row of their block"""
        self._images, self._how, self._log, self._poll = images, how, log, poll
        self._progress = ProgressLog(log)
        self._done = self._elsewhere = self._computed = 0
        self._started = time.monotonic()

    def take(self, first: int) -> str:
        """Read or compute a block; return its key if another process computes it."""
        stored = self._stored(first)
        key = _key(stored, self._how.name)
        if self._read(first, key):
            return ""

        def compute_unless_taken(path: Path) -> bool:
            with unless_taken(path) as mine:
                if mine and not self._read(first, key):
                    self._compute(first, path, stored)
                return mine

        if _in_writable_folder(key, compute_unless_taken):
            return ""
        self._elsewhere += len(stored)
        return key

    def wait_for(self, first: int, key: str) -> None:
        """Read a block once another process has computed it, or compute it if that has ended."""
        self._elsewhere -= min(self._how.block, len(self._images) - first)

        def waiting() -> None:
            self._poll()
            self._log("waiting for another process to compute features")

        def compute_alone(path: Path) -> None:
            with alone(path, waiting):
                if not self._read(first, key):
                    self._compute(first, path, self._stored(first))

        _in_writable_folder(key, compute_alone)

    def _stored(self, first: int) -> Tensor:
        return chunk_of(self._images, first, self._how.block)

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
        for some in torch.split(stored, self._how.batch):
            self._poll()
            batches.append(self._how.extract(some).float().cpu())
            self._done += len(some)
            self._computed += len(some)
            self._tell()
        self.features[first] = torch.cat(batches)
        _save(path, self.features[first])

    def _tell(self) -> None:
        each = (time.monotonic() - self._started) / self._computed
        left = _time_left(each * (len(self._images) - self._done - self._elsewhere))
        what = self._how.name.partition(" ")[0]
        self._progress(f"{what} features: {self._done:,} of {len(self._images):,} images, {left}")


def _time_left(seconds: float) -> str:
    """Return the time left, in words; cached blocks shorten it."""
    if seconds < 90:
        return f"{seconds:,.0f} s left"
    return f"{seconds / 60:,.0f} min left" if seconds < 5400 else f"{seconds / 3600:.1f} h left"


def _key(block: Tensor, name: str) -> str:
    digest = hashlib.sha256(f"{name} {tuple(block.shape)}".encode())
    digest.update(block.contiguous().numpy().data)
    return digest.hexdigest()[:32]


def _paths(key: str) -> list[Path]:
    return [folder / "features" / f"{key}.npz" for folder in prepared_folders()]


def _kept(key: str) -> Tensor | None:
    """Return the cached features of a block; None if they are missing or damaged."""
    for path in _paths(key):
        with (
            suppress(OSError, ValueError, LookupError, EOFError, BadZipFile),
            opened_archive(path) as archive,
        ):
            return torch.from_numpy(archive["features"])  # whose checksum is compared
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
        np.savez(file, features=features.numpy())
