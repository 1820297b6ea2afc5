"""Where the time goes in work that missed its goal, by torch's profiler, on the CPU.

python -m benchmarks.profiles                     about a minute

For each piece of work: the milliseconds of one of it, and the operators that took most of that by
themselves. The profiler's own cost is in the shares, not in the milliseconds.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.lightly_step import made_images, nt_xent_preset, vicreg_preset
from benchmarks.our_steps import training_loop
from benchmarks.record import Row, save
from benchmarks.rounds import use_all_cores

SHOWN = 7
"""operators that take most of the time"""
REPEATS = 20


def where_time_goes(what: str, work: Callable[[], object]) -> Row:
    """Return the seconds of `work` and its operators' shares, once it is warm."""
    for _ in range(3):
        work()
    start = time.perf_counter()
    for _ in range(REPEATS):
        work()
    milliseconds = 1000 * (time.perf_counter() - start) / REPEATS
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(REPEATS):
            work()
    operators = {event.key: event.self_cpu_time_total for event in profiled.key_averages()}
    whole = sum(operators.values())
    falling = sorted(operators.items(), key=lambda item: -item[1])
    shares = {name: taken / whole for name, taken in falling[: 3 * SHOWN]}
    most = list(shares)[:SHOWN]
    words = ", ".join(f"{name.removeprefix('aten::')} {shares[name]:.0%}" for name in most)
    return Row(what, "–", f"{milliseconds:.1f} ms: {words}", None, {"shares": shares})


def step_rows() -> list[Row]:
    """Profile our side of the comparisons with lightly: whole steps, then their views alone."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        images = made_images(Path(folder))
        for loss, preset in (("NT-Xent", nt_xent_preset), ("VICReg", vicreg_preset)):
            loop = training_loop(preset(images))
            taken = loop.sampler.rows(0)
            what = f"our {loss} step of the comparison with lightly"
            rows.append(where_time_goes(what, loop.step))
            views = partial(loop.pairing.batch, taken, loop.generator)
            rows.append(where_time_goes(f"{what}: its views only", views))
    return rows


def main() -> None:
    """Profile and save."""
    use_all_cores()
    torch.manual_seed(0)
    save("profiles", "python -m benchmarks.profiles", step_rows())


if __name__ == "__main__":
    main()
