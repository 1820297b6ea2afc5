"""Stores the thumbnails of a watched run once, beside its loop."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from tui_latent.runs.schema import RunError
from tui_latent.runs.thumbnails import Split, read_thumbnails
from tui_latent.watching.own_process import EndedError, OwnProcess
from tui_latent.watching.tensors import is_tensor

_WORDS: Final[Mapping[Split, str]] = {"train": "training", "val": "held-out"}
_MOST_SENT: Final = 1 << 28
"""bytes of images that are copied to another process; larger arrays are read here"""
_BREATH: Final = 0.02
"""seconds that the loop's interpreter has to itself between two chunks of images"""


class Pictures:
    """The images that belong to latents, on their way into the run's folder.

    Arrays and files are shrunk by a process of its own; a function of the loop's, and arrays too
    large to copy, are read by a thread here.
    """

    def __init__(self, run: Path, given: Mapping[Split, Any], log: Callable[[str], None]) -> None:
        """`given` are the pictures of each split, as `store_thumbnails` takes them."""
        self._run = run
        self._given = {split: it for split, it in given.items() if not _stored(run, split)}
        self._log = log
        self._counts: dict[Split, int] = {
            split: len(it) for split, it in self._given.items() if not callable(it)
        }
        self._process = OwnProcess()
        self._threads: list[threading.Thread] = []
        self._over = False
        for split in self._counts:
            self._store_beside(split)

    def know(self, split: Split, count: int) -> None:
        """Tell how many latents a split has: a function is asked for so many images."""
        if split not in self._given:
            return
        if split not in self._counts:
            self._counts[split] = count
            self._store_beside(split)
        elif count > (images := self._counts[split]):
            self._counts[split] = count  # said once
            self._log(
                f"thumbnails: there are {count:,} {_WORDS[split]} latents and {images:,} images: "
                "the remaining latents have none"
            )

    def wait(self, until: float) -> None:
        """Wait for what is not stored yet, until a time of the monotonic clock."""
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))
        self._over = True
        if any(thread.is_alive() for thread in self._threads):
            self._log("thumbnails: the loop ended before all images were stored")
        self._process.kill()

    def forsake(self) -> None:
        """Let go of the process in one that was forked off."""
        self._process.forsake()

    def _store_beside(self, split: Split) -> None:
        thread = threading.Thread(
            target=self._store, args=(split,), name=f"watch-thumbnails-{split}", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def _store(self, split: Split) -> None:
        try:
            kept, side, left_out = self._stored(split)
        except EndedError as error:
            self._log(f"thumbnails: the process that shrinks images ended ({error})")
        except _OverError:
            return
        except Exception as error:  # of the loop's own function too
            self._log(f"thumbnails: {type(error).__name__}: {error}")
        else:
            self._log(f"thumbnails of {kept:,} {_WORDS[split]} images are kept: {side} pixels wide")
            if left_out:
                self._log(left_out)
        finally:
            self._given.pop(split, None)  # the images may be large

    def _stored(self, split: Split) -> tuple[int, int, str]:
        pictures, count = self._given[split], self._counts[split]
        about = {"task": "thumbnails", "run": str(self._run), "split": split, "count": count}
        if _are_paths(pictures):
            about["paths"] = [str(Path(path).absolute()) for path in pictures]
            sent: dict[str, Any] = {}
        elif hasattr(pictures, "dtype") and pictures.nbytes <= _MOST_SENT:
            sent = {"images": np.asarray(pictures.cpu() if is_tensor(pictures) else pictures)}
        else:
            return self._stored_here(split, pictures, count)
        found, _ = self._process.ask(about, sent)
        if "error" in found:
            raise RunError(found["error"])
        return found["kept"], found["side"], found["left_out"]

    def _stored_here(self, split: Split, pictures: Any, count: int) -> tuple[int, int, str]:
        from tui_latent.thumbnail_store import store_thumbnails

        stored = store_thumbnails(self._run, split, pictures, count, on_chunk=self._breathe)
        return stored.kept, stored.side, stored.left_out

    def _breathe(self, _: int) -> None:
        if self._over:
            raise _OverError
        time.sleep(_BREATH)


class _OverError(Exception):
    """The loop has ended."""


def check_pictures(name: str, pictures: Any) -> None:
    """Raise ValueError for what cannot be images; whether files can be read is seen later."""
    if pictures is None or callable(pictures):
        return
    dtype = str(getattr(pictures, "dtype", "uint8")).removeprefix("torch.")
    if dtype != "uint8" and not dtype.startswith(("<U", ">U", "object")):
        raise ValueError(
            f"watch: {name} must be uint8 from 0 to 255, not {dtype}: for instance, pass "
            "(images * 255).astype('uint8')"
        )
    if isinstance(pictures, (str, bytes)) or not hasattr(pictures, "__len__"):
        raise ValueError(
            f"watch: {name} must be an array of images, a list of files, or a function of indices, "
            f"not {type(pictures).__name__}"
        )


def _are_paths(pictures: Any) -> bool:
    return isinstance(pictures, (list, tuple)) and all(
        isinstance(path, (str, os.PathLike)) for path in pictures
    )


def _stored(run: Path, split: Split) -> bool:
    """Return whether the run has its thumbnails already, because it is being continued."""
    try:
        return read_thumbnails(run, split) is not None
    except RunError:
        return False
