"""Matrix products in full float32 precision, whatever the process allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch

_lock = Lock()
_inside = 0
_put_back: Callable[[], None] | None = None


@contextmanager
def exact_products() -> Iterator[None]:
    """Within this context, compute float32 products without TensorFloat-32 or bfloat16 parts.

    Either would break a bound on float32's rounding. A program may have allowed them by
    `torch.set_float32_matmul_precision`, by `torch.backends`, or by the environment variable
    TORCH_ALLOW_TF32_CUBLAS_OVERRIDE, which NVIDIA's containers set. The setting is the whole
    process's, so the last of several threads to leave puts it back.
    """
    global _inside, _put_back
    with _lock:
        if not _inside:
            _put_back = _setting()
            torch.set_float32_matmul_precision("highest")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _put_back:
                _put_back()


def _setting() -> Callable[[], None]:
    """Return a function that restores the current setting."""
    try:
        before = torch.get_float32_matmul_precision()
    except RuntimeError:
        # Made by `torch.backends`, which this function does not report in torch 2.9 and later.
        mkldnn: Any = torch.backends.mkldnn
        parts: list[Any] = [torch.backends.cuda.matmul, mkldnn.matmul]
        values = [part.fp32_precision for part in parts]

        def put_back() -> None:
            for part, value in zip(parts, values, strict=True):
                part.fp32_precision = value

        return put_back
    return lambda: torch.set_float32_matmul_precision(before)
