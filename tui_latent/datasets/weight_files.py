"""Files of weights, read without running what is in them."""

from __future__ import annotations

import argparse
import pathlib
import pickle
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from tui_latent.datasets.foreign_content import foreign_content
from tui_latent.runtime.array_files import check_stored
from tui_latent.runtime.regular_files import SizeError, open_regular
from tui_latent.sources.errors import DataError

_START: Final = 1 << 12
"""bytes at the start of a file by which its format is recognised"""
_SCALAR: Final[Any] = np.float64(0).__reduce__()[0]
_HARMLESS: Final[list[Callable[..., Any] | tuple[Callable[..., Any], str]]] = [
    argparse.Namespace,
    pathlib.PosixPath,
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i4", "i8", "u1", "bool")),
    (_SCALAR, "numpy.core.multiarray.scalar"),
    (_SCALAR, "numpy._core.multiarray.scalar"),
]
"""what training scripts keep beside the weights, and what holds values alone"""
_GLOBAL: Final = re.compile(r"GLOBAL ([\w.]+)")
_SHAPES: Final = re.compile(
    r"size mismatch for ([^:]+): .*? torch\.Size\(\[(.*?)\]\).*?torch\.Size\(\[(.*?)\]\)"
)
"""torch's words for a tensor of another shape"""
_LACKING: Final = re.compile(r"Missing key\(s\) in state_dict: (.+)")
"""and for those that are not there"""


def read_weight_file(path: Path) -> Any:
    """Return what is in a file of safetensors, or in one saved by torch, whatever its name ends in.

    Tensors are on the CPU. ValueError says what the file is instead, SizeError that it claims to be
    larger than it is, and OSError that it cannot be read.
    """
    with open_regular(path) as file:
        start = file.read(_START)
    if what := ("" if start.startswith(b"PK") else foreign_content(start)):
        raise ValueError(f"it is {what}")
    if path.suffix == ".safetensors" and not start.startswith((b"PK", b"\x80")):
        return _tensors(path)
    if start[8:9] == b"{" and not any(start[4:8]):
        return _tensors(path)
    if start.startswith(b"PK"):
        _require_torchs(path)
    try:
        # From an open file, because torch reads a path as what its name ends in.
        with open_regular(path) as file, torch.serialization.safe_globals(_HARMLESS):
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        objects = sorted(set(_GLOBAL.findall(str(error))))
        if not objects:
            raise ValueError(_UNKNOWN) from error
        raise ValueError(
            f"it holds Python objects such as {objects[0]}, which are not loaded because they "
            "could run code: save the weights alone, with torch.save(model.state_dict(), …)"
        ) from error
    except (KeyError, IndexError, AttributeError, TypeError, EOFError, RuntimeError) as error:
        # An arbitrary file, read as a pickle, fails in any of these ways.
        raise ValueError(_DAMAGED if start.startswith(b"PK") else _UNKNOWN) from error


@contextmanager
def loading_weights(path: Path, what: str) -> Iterator[None]:
    """Raise DataError when a file turns out not to hold the weights of `what`."""
    from safetensors import SafetensorError

    try:
        yield
    except (
        OSError, ValueError, RuntimeError, pickle.UnpicklingError, EOFError, AttributeError,
        KeyError, TypeError, AssertionError, SafetensorError, SizeError,
    ) as error:  # fmt: skip
        raise DataError(f"{path}: not the weights of {what} ({_reason(error)})") from error


def are_missing(names: Sequence[str]) -> str:
    """Return what is wrong with a file without these tensors."""
    count = "1 tensor is" if len(names) == 1 else f"{len(names):,} tensors are"
    return f"{count} missing, such as {names[0]}"


def _reason(error: Exception) -> str:
    if shapes := _SHAPES.search(text := str(error)):
        name, found, wanted = shapes.groups()
        return f"{name} has the shape ({found}), not ({wanted})"
    if lacking := _LACKING.search(text):
        return are_missing(re.findall(r'"(.+?)"', lacking[1]))
    lines = (text or type(error).__name__).strip().splitlines()
    return " ".join(line.strip() for line in lines[:2])


_UNKNOWN: Final = "it is neither safetensors nor a state dict saved by torch, or a part is missing"
_DAMAGED: Final = "it is damaged or incomplete: copy or download it again"


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise ValueError(_DAMAGED) from error


def _require_torchs(path: Path) -> None:
    """Raise ValueError for archives that torch.save did not write, or not to their end."""
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            inside = {name.partition("/")[2] for name in archive.namelist()}
    except zipfile.BadZipFile as error:
        raise ValueError(_DAMAGED) from error
    if "constants.pkl" in inside:
        raise ValueError(
            "it is a TorchScript program: save its weights alone, with "
            "torch.save(torch.jit.load(…).state_dict(), …)"
        )
    if "data.pkl" not in inside:
        raise ValueError("it is a ZIP archive that torch did not write")
    check_stored(path)
