"""Files of weights, read without running what is in them."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from tui_latent.runtime.array_files import check_stored
from tui_latent.sources.errors import DataError

_INSIDE: Final = ("state_dict_ema", "model_ema", "state_dict", "model", "teacher", "student")
"""where training scripts keep the weights among other things, the best first"""
_PREFIXES: Final = ("module.", "_orig_mod.")
"""what DistributedDataParallel and torch.compile put before each name"""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file, or of a state dict saved by torch, on the CPU.

    Raises what `loading_weights` turns into a DataError.
    """
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return dict(load_file(path))
    with suppress(zipfile.BadZipFile):  # old versions of torch did not write archives
        check_stored(path)
    state: Any = torch.load(path, map_location="cpu", weights_only=True)
    for name in _INSIDE:
        if isinstance(state, Mapping) and isinstance(inside := state.get(name), Mapping):
            state = inside
            break
    if not isinstance(state, Mapping):
        raise ValueError(f"it holds a {type(state).__name__}, not weights by name")
    return {_plain(str(key)): value for key, value in state.items() if torch.is_tensor(value)}


@contextmanager
def loading_weights(path: Path, what: str) -> Iterator[None]:
    """Raise DataError when a file turns out not to hold the weights of `what`."""
    from safetensors import SafetensorError

    try:
        yield
    except (
        OSError, ValueError, RuntimeError, pickle.UnpicklingError, EOFError, AttributeError,
        KeyError, TypeError, AssertionError, SafetensorError,
    ) as error:  # fmt: skip
        lines = (str(error) or type(error).__name__).strip().splitlines()
        reason = " ".join(line.strip() for line in lines[:2])
        raise DataError(f"{path}: not the weights of {what} ({reason})") from error


def _plain(name: str) -> str:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name
