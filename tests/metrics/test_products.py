"""Products of a neighbour search, where a program or its container allows reduced precision."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.metrics.test_knn import drawn
from tui_latent.metrics.nearest_neighbours import nearest
from tui_latent.metrics.products import exact_products

BY_BACKENDS = hasattr(torch.backends.mkldnn, "matmul")
"""torch 2.9 and later can be told a precision for each library"""


class Products(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes in which precision each product of matrices is computed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: set[tuple[torch.dtype, str]] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket.__name__ in ("addmm", "mm", "matmul"):
            self.seen.add((args[1].dtype, torch.get_float32_matmul_precision()))
        return func(*args, **(kwargs or {}))


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize("allowed", ["highest", "high", "medium"])
def test_a_search_uses_float32s_own_products_and_leaves_the_setting(allowed: str) -> None:
    torch.set_float32_matmul_precision(allowed)
    with Products() as products:
        nearest(drawn(300, 64, 1), drawn(40, 64, 2), 20)
    assert products.seen == {(torch.float32, "highest")}
    assert torch.get_float32_matmul_precision() == allowed


@pytest.mark.skipif(not BY_BACKENDS, reason="torch before 2.9 has one setting for all")
@pytest.mark.parametrize("library", ["cuda", "mkldnn"])
def test_a_precision_set_for_one_library_holds_after_a_search(library: str) -> None:
    setting = getattr(torch.backends, library).matmul
    setting.fp32_precision = "tf32"
    with Products() as products:
        nearest(drawn(300, 64, 1), drawn(40, 64, 2), 20)
    assert products.seen == {(torch.float32, "highest")}
    assert setting.fp32_precision == "tf32"


def test_nvidias_containers_allow_reduced_products_and_the_search_does_not() -> None:
    program = (
        "import torch; from tests.metrics.test_products import Products, drawn, nearest\n"
        "with Products() as products: nearest(drawn(300, 64, 1), drawn(40, 64, 2), 20)\n"
        "print(products.seen, torch.get_float32_matmul_precision())"
    )
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1"},
        capture_output=True,
        text=True,
    )
    assert told.stdout.strip() == "{(torch.float32, 'highest')} high", told.stderr


def test_the_last_of_several_searches_puts_the_setting_back() -> None:
    torch.set_float32_matmul_precision("high")
    first, second = exact_products(), exact_products()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert torch.get_float32_matmul_precision() == "highest"
    second.__exit__(None, None, None)
    assert torch.get_float32_matmul_precision() == "high"


def test_a_search_that_is_stopped_puts_the_setting_back() -> None:
    torch.set_float32_matmul_precision("high")
    with pytest.raises(KeyboardInterrupt), exact_products():
        raise KeyboardInterrupt
    assert torch.get_float32_matmul_precision() == "high"
