"""Convert what a loop hands over to numpy; tensors are recognised without importing torch."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.latents_file import UNLABELLED


def tensor_type() -> type | None:
    """Return the class of torch's tensors; None if torch is not imported: there are none then."""
    return getattr(sys.modules.get("torch"), "Tensor", None)


def is_tensor(value: object) -> bool:
    """Return whether a value is a torch tensor."""
    tensor = tensor_type()
    return tensor is not None and isinstance(value, tensor)


def number_of(name: str, value: Any) -> float:
    """Return a single number as a float, waiting for its device; TypeError for anything else."""
    shape = getattr(value, "shape", ())
    if shape not in ((), (1,)):
        raise TypeError(
            f"log: {name} must be one number, not an array of shape {tuple(shape)}: give its mean"
        )
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError
        return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError, RuntimeError):
        what = "a string" if isinstance(value, str) else type(value).__name__
        raise TypeError(f"log: {name} must be one number, not {what}") from None


def latents_of(what: str, value: Any) -> NDArray[np.float32]:
    """Return a float32 copy of latents (N, D); ValueError if they are not such an array."""
    if is_tensor(value):
        value = value.detach().cpu()
        if value.dtype != sys.modules["torch"].float32:
            value = value.float()  # bfloat16 is unknown to numpy
        value = value.numpy()
    try:
        if getattr(getattr(value, "dtype", None), "kind", "") == "c":
            raise TypeError("complex numbers have no place in a map")
        # numpy's copy takes one core, and no barrier among the threads that the loop needs
        with np.errstate(over="ignore"):  # what becomes infinite is named in the log
            copied: NDArray[np.float32] = np.array(value, dtype=np.float32, order="C")
    except (TypeError, ValueError) as error:
        raise ValueError(f"latents: {what} must be an array of numbers (N, D): {error}") from None
    if copied.ndim != 2 or 0 in copied.shape:
        raise ValueError(f"latents: {what} must have the shape (N, D), not {copied.shape}")
    return copied


def labels_of(what: str, value: Any, rows: int, classes: int | None) -> NDArray[np.int64]:
    """Return a copy of `rows` labels as int64; ValueError if they are not that.

    `classes` is the number of class names, where they were given; -1 marks an image without one.
    """
    found = np.asarray(value.detach().cpu() if is_tensor(value) else value)
    if found.shape != (rows,):
        raise ValueError(
            f"latents: {what} must have one label for each of the {rows:,} latents, "
            f"not the shape {found.shape}"
        )
    if found.dtype.kind not in "iub":
        raise ValueError(
            f"latents: {what} must be whole numbers, the positions of classes, not {found.dtype}"
        )
    labels = found.astype(np.int64)
    least, most = int(labels.min()), int(labels.max())
    if least < UNLABELLED:
        raise ValueError(f"latents: {what} has {least}: only -1 may stand for 'no label'")
    if classes is not None and most >= classes:
        raise ValueError(
            f"latents: {what} has {most}, but there are names for {classes} classes, "
            f"0 to {classes - 1}: pass all names to `watch`"
        )
    return labels
