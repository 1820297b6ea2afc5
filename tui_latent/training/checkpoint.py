"""Checkpoints: everything a run needs to go on as if it had never stopped.

A checkpoint is one ZIP file as `torch.save` writes it, with the SHA-256 of all bytes before it as
the archive's comment: name, content and checksum appear together, by one rename.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import pickle
import re
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import torch
from torch import Tensor

from tui_latent.runs.atomic_files import sync_folder
from tui_latent.runs.schema import RunError
from tui_latent.runtime.array_files import check_stored
from tui_latent.runtime.regular_files import SizeError, open_regular, read_small

KEPT = 2
"""newest checkpoints kept beside the best one"""

FORMAT: Final = 2
"""of what a checkpoint holds; 2 has the small convolutional network's features pixel by pixel"""

_DAMAGE: Final = {errno.EIO, errno.EISDIR, errno.ENOTDIR, errno.ELOOP}
"""errors of one file whose block is bad, or in whose place lies something else"""
_NAME: Final = re.compile(r"step-(\d{9,18})\.pt")
_LABEL: Final = b"sha256 "
_SEAL: Final = 2 + len(_LABEL) + 64
"""bytes of the archive's comment with its length before it"""


class CheckpointError(RunError):
    """No checkpoint of a run can be used, though there are some."""


class _DamagedError(Exception):
    """Why a file is no whole checkpoint, in a few words."""


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
    disk is full; nothing but whole files remains then.
    """
    folder.mkdir(exist_ok=True)
    for left_behind in folder.glob("*.tmp"):
        left_behind.unlink()
    path = folder / f"step-{state['step']:09d}.pt"
    _write_durably(path, lambda file: _write_sealed(state, file))
    index = _read_index(folder) | {"last": path.name}
    if best:
        index["best"] = path.name
    elif index.get("best", "") > path.name:  # of a later step, which this life has not reached
        del index["best"]
    _write_durably(folder / "last.json", lambda file: file.write(json.dumps(index).encode()))
    _drop_old(folder, state["step"], index)
    return Saved(path, state["step"], path.stat().st_size)


def load_checkpoint(
    folder: Path, device: torch.device | str, log: Callable[[str], None] = lambda _: None
) -> dict[str, Any] | None:
    """Read the newest whole checkpoint onto `device`; None when there is none.

    A damaged one is told to `log`, left where it is, and the one before it is used.
    CheckpointError when there are some and all are damaged, or when it is of another format.
    """
    problems = []
    for path in _newest_first(folder):
        try:
            state = _read(path, device)
        except FileNotFoundError:  # `last.json` outlived it
            continue
        except _DamagedError as error:
            problems.append(f"{path.parent.name}/{path.name} is damaged: {error}")
            log(problems[-1])
            continue
        if state.get("format") != FORMAT:
            raise CheckpointError(
                f"{path}: another version of tui-latent wrote it, whose networks differ: "
                "use that version, or train anew"
            )
        if problems:
            log(f"the checkpoint before it is used, of step {state['step']:,}")
        return state
    if problems:
        raise CheckpointError(
            f"{folder}: no checkpoint is whole ({problems[0]}): put back a copy, "
            "or delete that folder to train from the start"
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


class _Digested(io.RawIOBase):
    """What `torch.save` writes into: a file and the digest of what went there.

    A disk's error is kept, because torch would hide it behind one of its own.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._held = b""
        self.digest = hashlib.sha256()
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Take the next bytes; the last two are held back, as the comment's length goes there."""
        block = self._held + bytes(data)
        self._held = block[-2:]
        self._pass_on(block[:-2])
        return len(data)

    def writable(self) -> bool:
        """Return that it can be written, as a stream tells."""
        return True

    def seal(self) -> None:
        """End the archive with the digest of everything before it; OSError if any write failed."""
        comment = _LABEL + self.digest.hexdigest().encode()
        self._pass_on(struct.pack("<H", len(comment)) + comment)
        if self.error is not None:
            raise self.error

    def _pass_on(self, block: bytes) -> None:
        self.digest.update(block)
        if self.error is None:
            try:
                self._file.write(block)
            except OSError as error:
                self.error = error


def _write_sealed(state: dict[str, Any], file: BinaryIO) -> None:
    digested = _Digested(file)
    torch.save({**state, "format": FORMAT}, cast(BinaryIO, digested))
    digested.seal()


def _write_durably(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a file that gets its name once it is on disk whole."""
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        temporary.unlink(missing_ok=True)  # what a kill left, or a link that another user put there
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _newest_first(folder: Path) -> list[Path]:
    """Return what `last.json` points at, then the others from the newest down.

    CheckpointError where the folder may not be looked into: it would seem to be empty.
    """
    try:
        names = sorted((path.name for path in folder.iterdir()), reverse=True)
        last = _read_index(folder).get("last", "")
    except FileNotFoundError:
        return []
    except PermissionError as error:
        raise _unreadable(Path(error.filename or folder), error) from error
    except OSError as error:
        if error.errno not in _DAMAGE or Path(error.filename or folder) == folder:
            raise
        last = ""
    return [folder / name for name in dict.fromkeys([last, *names]) if _NAME.fullmatch(name)]


def _unreadable(path: Path, error: OSError) -> CheckpointError:
    return CheckpointError(
        f"{path}: cannot be read: {error.strerror}: make it readable for you, then resume"
    )


def _read(path: Path, device: torch.device | str) -> dict[str, Any]:
    """Read a file if it is whole; _DamagedError says how it is not."""
    try:
        _check_bytes(path)
        check_stored(path)
        state = torch.load(path, map_location=device, weights_only=True)
    except pickle.UnpicklingError as error:
        raise _DamagedError("it holds what no checkpoint does") from error
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
    match = _NAME.fullmatch(path.name)
    if not isinstance(state, dict) or match is None or state.get("step") != int(match[1]):
        raise _DamagedError("it is not of the step that its name says")
    return state


def _check_bytes(path: Path) -> None:
    """Compare a file with its checksum, or with the archive's own where it has none."""
    with open_regular(path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _SEAL, 0))
        seal = file.read()[2:]
        if not seal.startswith(_LABEL):
            _check_archive(path)
            return
        file.seek(0)
        digest, left = hashlib.sha256(), size - _SEAL
        while left and (block := file.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
    if seal != _LABEL + digest.hexdigest().encode():
        raise _DamagedError("its checksum differs")


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            torn = archive.testzip()
    except (zipfile.BadZipFile, NotImplementedError, struct.error) as error:
        raise _DamagedError("it is cut short or overwritten") from error
    if torn is not None:
        raise _DamagedError("its checksum differs")


def _read_index(folder: Path) -> dict[str, str]:
    try:
        index = json.loads(read_small(folder / "last.json"))
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    if not isinstance(index, dict):
        return {}
    return {key: name for key, name in index.items() if isinstance(name, str)}


def _drop_old(folder: Path, newest: int, index: dict[str, str]) -> None:
    """Keep the two newest and the best; those of later steps belong to a life that was redone."""
    paths = sorted(path for path in folder.glob("step-*.pt") if _NAME.fullmatch(path.name))
    of_this_life = [path for path in paths if path.name <= f"step-{newest:09d}.pt"]
    for path in paths:
        if path not in of_this_life[-KEPT:] and path.name != index.get("best"):
            with suppress(OSError):  # one file too many is no reason to end a training
                path.unlink()
