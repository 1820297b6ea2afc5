"""Checkpoints: everything a run needs to continue as if it had never stopped.

A checkpoint is one file as `torch.save` writes it. Beside the checkpoints is `last.json`: the
newest, the best, and the SHA-256 of each.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from tui_latent.runs.atomic_files import remove_left_behind, replace_file
from tui_latent.runs.schema import RunError
from tui_latent.runtime.array_files import check_stored
from tui_latent.runtime.regular_files import SizeError, open_regular
from tui_latent.training.checkpoint_index import (
    Index,
    checkpoint_step,
    read_index,
    write_index,
)

KEPT = 2
"""newest checkpoints kept beside the best one"""

FORMAT: Final = 2
"""version of a checkpoint's content; 2 has the small convolutional network's features pixel by
pixel"""

_DAMAGE: Final = {errno.EIO, errno.EISDIR, errno.ENOTDIR, errno.ELOOP}
"""errors of a single file: a bad block, or something else in its place"""
_LABEL: Final = b"sha256 "
_SEAL: Final = 2 + len(_LABEL) + 64
"""bytes of the checksum that version 0.1 put at a file's end, as the archive's comment: of all
bytes before it and before its length"""


class CheckpointError(RunError):
    """No checkpoint of a run can be used, though there are some."""


class _DamagedError(Exception):
    """Why a file is not an intact checkpoint, in a few words."""


@dataclass(frozen=True)
class Saved:
    """A checkpoint on disk."""

    path: Path
    step: int
    bytes: int


def save_checkpoint(folder: Path, state: dict[str, Any], best: bool) -> Saved:
    """Write `state` (tensors and plain values, with `step`) durably, then drop older ones.

    The new file is complete on disk before its name appears and before `last.json` points at
    it, so that a kill at any moment leaves a whole checkpoint to resume from. OSError when the
    disk is full; only whole files remain then.
    """
    folder.mkdir(exist_ok=True)
    remove_left_behind(folder, all_of_them=True)
    path = checkpoint_file(folder, state["step"])
    index = read_index(folder)
    if index.sha256.pop(path.name, None):  # the digest of the file that is replaced now
        write_index(folder, index)
    archive = io.BytesIO()
    torch.save({**state, "format": FORMAT}, archive)
    content = archive.getbuffer()
    replace_file(path, content, durable=True)
    index.sha256[path.name] = hashlib.sha256(content).hexdigest()
    index.last = path.name
    if best:
        index.best = path.name
    elif index.best > path.name:  # it is of a later step, from before this run went back
        index.best = ""
    write_index(folder, index)
    _drop_old(folder, state["step"], index)
    return Saved(path, state["step"], len(content))


def checkpoint_file(folder: Path, step: int) -> Path:
    """Return the path of the checkpoint of a step, whether or not it exists."""
    return folder / f"step-{step:09d}.pt"


def go_back_to(folder: Path, step: int) -> None:
    """Make the checkpoint of an earlier step the one to resume from; OSError.

    Later checkpoints stay until training has saved a new one.
    """
    index = read_index(folder)
    index.last = checkpoint_file(folder, step).name
    if index.best > index.last:
        index.best = ""
    write_index(folder, index)


def read_checkpoint(
    folder: Path, step: int, device: torch.device | str = "cpu"
) -> tuple[dict[str, Any], str | None]:
    """Read the checkpoint of one step, and its SHA-256 if it is known.

    CheckpointError when it is missing, damaged, or of another format.
    """
    path = checkpoint_file(folder, step)
    sha256 = read_index(folder).sha256.get(path.name)
    try:
        state = _read(path, device, sha256)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: there is no checkpoint of step {step:,}") from error
    except _DamagedError as error:
        raise CheckpointError(f"{path}: damaged: {error}: use another checkpoint") from error
    if state.get("format") != FORMAT:
        raise _other_format(path)
    return state, sha256


def last_good_step(folder: Path) -> int | None:
    """Return the step of the newest intact checkpoint with finite weights; None without one."""
    steps = [checkpoint_step(path.name) for path in _newest_first(folder)[0]]
    for step in [step for step in steps if step is not None]:
        try:
            state, _ = read_checkpoint(folder, step)
        except CheckpointError:
            continue
        floats = [t for t in state["method"].values() if t.is_floating_point()]
        if all(bool(t.isfinite().all()) for t in floats):
            return step
    return None


def _other_format(path: Path) -> CheckpointError:
    return CheckpointError(
        f"{path}: written by another version of tui-latent, with different networks: "
        "use that version, or start a new run"
    )


def load_checkpoint(
    folder: Path, device: torch.device | str, log: Callable[[str], None] = lambda _: None
) -> dict[str, Any] | None:
    """Read the newest intact checkpoint onto `device`; None when there is none.

    A damaged one is reported to `log`, left where it is, and the one before it is used.
    CheckpointError when there are some and all are damaged, or when it is of another format.
    """
    problems = []
    paths, index = _newest_first(folder)
    for path in paths:
        try:
            state = _read(path, device, index.sha256.get(path.name))
        except FileNotFoundError:  # `last.json` outlived it
            continue
        except _DamagedError as error:
            problems.append(f"{path.parent.name}/{path.name} is damaged: {error}")
            log(problems[-1])
            continue
        if state.get("format") != FORMAT:
            raise _other_format(path)
        if problems:
            log(f"using the checkpoint before it, of step {state['step']:,}")
        return state
    if problems:
        raise CheckpointError(
            f"{folder}: no checkpoint is intact ({problems[0]}): restore a copy, "
            "or delete that folder to train from scratch"
        )
    return None


def state_bytes(state: object) -> int:
    """Return about how many bytes a checkpoint of `state` takes."""
    if isinstance(state, Tensor):
        return state.nbytes
    if isinstance(state, dict):
        return 512 + sum(state_bytes(value) for value in state.values())
    if isinstance(state, (list, tuple)):
        return sum(state_bytes(value) for value in state)
    return 64


def _newest_first(folder: Path) -> tuple[list[Path], Index]:
    """Return the file that `last.json` points at, then the others from the newest down.

    CheckpointError if the folder cannot be read: otherwise it would seem to be empty.
    """
    index = Index()
    try:
        names = sorted((path.name for path in folder.iterdir()), reverse=True)
        index = read_index(folder)
    except FileNotFoundError:
        return [], index
    except PermissionError as error:
        raise _unreadable(Path(error.filename or folder), error) from error
    except OSError as error:
        if error.errno not in _DAMAGE or Path(error.filename or folder) == folder:
            raise
    found = dict.fromkeys([index.last, *names])
    names = [name for name in found if checkpoint_step(name) is not None]
    return [folder / name for name in names], index


def _unreadable(path: Path, error: OSError) -> CheckpointError:
    return CheckpointError(
        f"{path}: cannot be read: {error.strerror}: give yourself read access, then resume"
    )


def _read(path: Path, device: torch.device | str, sha256: str | None) -> dict[str, Any]:
    """Read a file if it is whole; _DamagedError says how it is not."""
    try:
        _check_bytes(path, sha256)
        check_stored(path)
        state = torch.load(path, map_location=device, weights_only=True)
    except pickle.UnpicklingError as error:
        raise _DamagedError("it contains objects that do not belong in a checkpoint") from error
    except SizeError as error:
        raise _DamagedError(str(error)) from error
    except (
        RuntimeError, EOFError, ValueError, LookupError, AttributeError, TypeError,
        zipfile.BadZipFile,
    ) as error:  # fmt: skip
        raise _DamagedError("it cannot be decoded") from error
    except FileNotFoundError:
        raise
    except PermissionError as error:  # passing over it would train again what it holds
        raise _unreadable(path, error) from error
    except OSError as error:
        if error.errno not in _DAMAGE:  # the disk may come back
            raise
        raise _DamagedError(error.strerror or "it cannot be read") from error
    step = checkpoint_step(path.name)
    if not isinstance(state, dict) or step is None or state.get("step") != step:
        raise _DamagedError("its name gives another step")
    return state


def _check_bytes(path: Path, expected: str | None) -> None:
    """Compare a file with its checksum; where none is known, with one that it holds itself."""
    with open_regular(path) as file:
        size = file.seek(0, os.SEEK_END)
        if expected is None:
            file.seek(max(size - _SEAL, 0))
            seal = file.read()[2:]
            if not seal.startswith(_LABEL):
                _check_archive(path)
                return
            expected, size = seal.removeprefix(_LABEL).decode("ascii", "replace"), size - _SEAL
        file.seek(0)
        digest = hashlib.sha256()
        while size and (block := file.read(min(size, 1 << 20))):
            digest.update(block)
            size -= len(block)
    if expected != digest.hexdigest():
        raise _DamagedError("its checksum differs")


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            torn = archive.testzip()
    except (zipfile.BadZipFile, NotImplementedError, struct.error) as error:
        raise _DamagedError("it is cut short or overwritten") from error
    if torn is not None:
        raise _DamagedError("its checksum differs")


def _drop_old(folder: Path, newest: int, index: Index) -> None:
    """Keep the two newest and the best; those of later steps are from before the run went back."""
    found = folder.glob("step-*.pt")
    paths = sorted(path for path in found if checkpoint_step(path.name) is not None)
    reached = [path for path in paths if path.name <= f"step-{newest:09d}.pt"]
    for path in paths:
        if path not in reached[-KEPT:] and path.name != index.best:
            with suppress(OSError):  # one file too many is no reason to end a training
                path.unlink()
