"""Counts what one update launches, reads, writes and computes on a GPU; needs no GPU.

python -m benchmarks.count_kernels                about ten seconds

An update of a preset's first stage runs on tensors without data (torch's FakeTensor) at the
preset's own batch. An operator counts as one kernel, torch's foreach functions as one per 30
tensors. A kernel is attributed to its launch, its bytes or its arithmetic, whichever takes longest
at the rates below. `benchmarks.predictions` computes with these counts.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from benchmarks.predictions import LAUNCH_US, PRESETS, Counts
from benchmarks.record import Row, save
from tests.training.fake_cuda import GPU, FakeGenerator, Watch, fake_gpu, update_on_fake_gpu
from tui_latent.config.presets import load_preset

BYTES_PER_S: Final = 2.5e12
"""of an H100's memory, as a kernel reaches it"""
FLOP_PER_S: Final = 350e12
"""of bfloat16 convolutions on it; the middle of the rates in `predictions.CARDS`"""


@dataclass(frozen=True)
class Operator:
    """One operator of an update."""

    kernels: int
    bytes: int
    """read and written"""
    flop: int
    """of a convolution or a matrix product, else 0"""


class Counter(Watch):  # type: ignore[no-untyped-call]
    """Lists the operators that launch kernels."""

    def __init__(self) -> None:
        super().__init__()
        self.operators: list[Operator] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        before = self.kernels
        out = super().__torch_dispatch__(func, types, args, kwargs)
        if launched := self.kernels - before:
            tensors = [t for t in tree_leaves((args, kwargs, out)) if isinstance(t, Tensor)]
            size = sum(t.numel() * t.element_size() for t in tensors)
            flop = flop_registry.get(func.overloadpacket)
            computed = flop(*args, **(kwargs or {}), out_val=out) if flop else 0
            self.operators.append(Operator(launched, size, computed))
        return out


def update_operators(name: str, images: int | None = None) -> tuple[int, list[Operator]]:
    """Return the batch of a preset, or `images`, and the operators of an update of so many.

    Of a preset with stages, it is the first stage's update.
    """
    preset = load_preset(name)
    batch = images or preset.train.batch_size
    with fake_gpu() as mode:
        update = update_on_fake_gpu(preset, 0, mode, images=batch)
        with mode:
            rows = torch.arange(batch, device=GPU)
            drawn = update.pairing.drawn(rows, FakeGenerator())
            update(drawn, update.method.losses)  # fills what is kept for all steps
            with Counter() as counter:
                update(drawn, update.method.losses)
    return batch, counter.operators


def counted(batch: int, operators: Sequence[Operator]) -> Counts:
    """Return the sums, with each operator attributed to what takes longest."""
    short = moved = computed = 0
    for op in operators:
        launches = op.kernels * LAUNCH_US / 1e6
        memory, arithmetic = op.bytes / BYTES_PER_S, op.flop / FLOP_PER_S
        if launches >= max(memory, arithmetic):
            short += op.kernels
        elif memory >= arithmetic:
            moved += op.bytes
        else:
            computed += op.flop
    return Counts(
        batch=batch,
        kernels=sum(op.kernels for op in operators),
        short=short,
        gigabytes=moved / 1e9,
        long_teraflop=computed / 1e12,
        teraflop=sum(op.flop for op in operators) / 1e12,
    )


def count_rows() -> Iterator[Row]:
    """Count the presets of the predictions."""
    for name in PRESETS:
        counts = counted(*update_operators(name))
        words = (
            f"{counts.kernels:,} kernels, {counts.short:,} as short as their launch; "
            f"{counts.gigabytes:.3g} GB, {counts.teraflop:.4g} TFLOP"
        )
        what = f"one update of {name}, batch {counts.batch}"
        yield Row(what, "–", words, None, {"preset": name, **asdict(counts)})


def main() -> None:
    """Count all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save("count_kernels", "python -m benchmarks.count_kernels", count_rows())


if __name__ == "__main__":
    main()
