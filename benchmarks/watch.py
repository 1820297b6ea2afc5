"""What watching costs the loop that is watched.

python -m benchmarks.watch                 about 4 minutes
.peers/bin/python -m benchmarks.watch      against trackio and wandb as well (make peers)

All parts run in this process, beside the same load: the loop's rate on all cores, the others in one
thread. The rate of a loop is compared round by round, watched and not in turn. The same
calls of trackio and wandb, both offline, are measured in the same way: the seconds that they take
of the loop's thread.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

import tui_latent
from benchmarks.peers import there
from benchmarks.record import Row, save
from benchmarks.rounds import use_all_cores

TERMS: Final = ("loss", "invariance", "variance", "covariance", "lr")
LogStep = Callable[[int], None]
Rates = tuple[float, float]

_STEP_SECONDS: Final = 0.01
_EVALUATED_EVERY: Final = 200
_LONGEST_WAIT: Final = 60.0
"""seconds"""


def percentiles(seconds: list[float]) -> tuple[float, float]:
    """Return median and 99th percentile, in microseconds."""
    median, high = np.percentile(seconds, [50, 99]) * 1e6
    return float(median), float(high)


def each_call(log: LogStep, steps: int) -> list[float]:
    """Call `log` so many times, one after the other; return the seconds that the calls took."""
    taken = []
    for step in range(steps):
        began = time.perf_counter()
        log(step)
        taken.append(time.perf_counter() - began)
    return taken


def plain(terms: dict[str, Any]) -> LogStep:
    """Return the least that a log can do: numbers are kept in a list of dictionaries."""
    kept: list[dict[str, float]] = []
    return lambda step: kept.append(
        {"step": step, **{name: float(value) for name, value in terms.items()}}
    )


def ours(run: Any, terms: dict[str, Any]) -> LogStep:
    """Return the step of a watched loop."""
    return lambda step: run.log(step, **terms)


def log_rows(runs: Path, steps: int) -> Iterator[Row]:
    """Measure `log` with numbers and with tensors of each device."""
    kinds: dict[str, Callable[[], Any]] = {"floats": lambda: 0.5, "tensors": lambda: torch.rand(())}
    if torch.cuda.is_available():
        kinds["tensors on a GPU"] = lambda: torch.rand((), device="cuda")
    for kind, make in kinds.items():
        terms = {name: make() for name in TERMS}
        name = kind.replace(" ", "-")
        least, _ = percentiles(each_call(plain(terms), steps))
        with tui_latent.watch(f"log-{name}", runs=runs) as run:
            median, high = percentiles(each_call(ours(run, terms), steps))
        yield Row(
            f"`log` of five terms, {kind}",
            "≤ 10 µs, p99 ≤ 100 µs",
            f"{median:.1f} µs, p99 {high:.0f} µs; {median / least:.1f} x appending to a list",
            median <= 10 and high <= 100,
            {
                "median_us": median, "p99_us": high,
                "append_median_us": least, "load_average": os.getloadavg(),
            },
        )  # fmt: skip


def latents_row(runs: Path) -> Row:
    """Measure `latents` of 10,000 x 128, against a copy of the same array."""
    latents, taken, copied = torch.randn(10_000, 128), [], []
    with tui_latent.watch("latents", runs=runs) as run:
        for step in range(20):
            began = time.perf_counter()
            run.latents(step, latents)
            taken.append(time.perf_counter() - began)
            began = time.perf_counter()
            latents.numpy().copy()
            copied.append(time.perf_counter() - began)
            time.sleep(0.1)
    median, high, copy = statistics.median(taken), max(taken), statistics.median(copied)
    return Row(
        "`latents` of 10,000 x 128",
        "≤ 5 ms",
        f"{median * 1e3:.1f} ms, slowest {high * 1e3:.1f} ms; {median / copy:.1f} x a copy",
        median <= 0.005,
        {"seconds": taken, "copy_seconds": copied, "load_average": os.getloadavg()},
    )


class Loop:
    """A torch loop of about 10 ms a step on all cores: a small network and its gradients."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self._network = torch.nn.Sequential(
            torch.nn.Linear(256, 512), torch.nn.ReLU(), torch.nn.Linear(512, 128)
        )
        self._optimizer = torch.optim.SGD(self._network.parameters(), lr=0.01)
        self._rows = 64
        while self._seconds() < _STEP_SECONDS:
            self._rows = round(self._rows * 1.2)

    def step(self) -> torch.Tensor:
        """Make one update; return its loss."""
        loss: torch.Tensor = self._network(torch.randn(self._rows, 256)).square().mean()
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        detached: torch.Tensor = loss.detach()
        return detached

    def _seconds(self) -> float:
        began = time.perf_counter()
        for _ in range(10):
            self.step()
        return (time.perf_counter() - began) / 10


def loop_row(runs: Path, rounds: int) -> Row:
    """Compare the rate of a loop, watched and not, in rounds of 200 steps with an evaluation."""
    use_all_cores()
    loop, number = Loop(), 0
    queries, bank = torch.randn(1_000, 128), torch.randn(5_000, 128)
    labels, bank_labels = np.arange(1_000) % 10, np.arange(5_000) % 10

    def unwatched() -> Rates:
        began, busy = time.perf_counter(), time.process_time()
        for _ in range(_EVALUATED_EVERY):
            loop.step()
        return _rates(began, busy)

    with tui_latent.watch("loop", runs=runs) as run:
        run.latents(0, queries, labels, bank, bank_labels)
        _wait(run.path, 0)  # the process that measures has started, as in any but the first minute

        def watched() -> Rates:
            nonlocal number
            began, busy = time.perf_counter(), time.process_time()
            for step in range(number, number + _EVALUATED_EVERY):
                loss = loop.step()
                run.log(step, loss=loss, invariance=loss, variance=loss, covariance=loss, lr=0.1)
                if step % _EVALUATED_EVERY == 0:
                    run.latents(step, queries, labels, bank, bank_labels)
            number += _EVALUATED_EVERY
            return _rates(began, busy)

        pairs = []
        for turn in range(rounds):  # who is first changes, because the machine drifts
            first, second = (watched, unwatched) if turn % 2 else (unwatched, watched)
            found = {}
            for way in (first, second):
                found[way] = way()
                _wait(run.path, max(number - _EVALUATED_EVERY, 0))
            pairs.append((found[watched], found[unwatched]))
    ratios = [a[0] / b[0] for a, b in pairs]
    ratio, busy = statistics.median(ratios), statistics.median(b[1] / a[1] for a, b in pairs)
    return Row(
        "rate of a loop of 10 ms a step with an evaluation every 200 steps, watched",
        "≥ 0.98 x",
        f"{ratio:.3f} x ({min(ratios):.3f} to {max(ratios):.3f} in {rounds} rounds); "
        f"its CPU time per step {busy:.3f} x",
        ratio >= 0.98,
        {"ratios": ratios, "steps_per_s": pairs, "load_average": os.getloadavg()},
    )


def _rates(began: float, busy: float) -> Rates:
    """Return steps per second, and per second of this process's CPU time, since the start."""
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    return _EVALUATED_EVERY / seconds, _EVALUATED_EVERY / busy


def _wait(run: Path | None, step: int) -> None:
    """Wait until an evaluation is written, so that its process does not run in the next round."""
    assert run is not None
    until = time.monotonic() + _LONGEST_WAIT
    while not (run / f"latents/step-{step:09}.npz").exists() and time.monotonic() < until:
        time.sleep(0.05)


def peer_rows(folder: Path, steps: int) -> Iterator[Row]:
    """Compare the seconds that a record takes of the loop's thread with those of the peers."""
    torch.set_num_threads(1)
    terms = {name: 0.5 for name in TERMS}
    with tui_latent.watch("beside-peers", runs=folder / "runs") as run:
        mine = statistics.mean(each_call(ours(run, terms), steps))
    theirs: dict[str, float] = {}
    for name, measure in (("trackio", _trackio), ("wandb", _wandb)):
        if there(name):
            theirs[name] = measure(folder, terms, steps)
    goal = "≤ 0.2 x the better"
    if not theirs:
        said = "not run: trackio and wandb are not installed (make peers)"
        yield Row("a record of five terms, against trackio and wandb", goal, said, None, {})
        return
    best = min(theirs, key=lambda name: theirs[name])
    words = ", ".join(f"{name} {seconds * 1e6:.0f} µs" for name, seconds in theirs.items())
    yield Row(
        f"a record of five terms, against {' and '.join(theirs)} offline",
        goal,
        f"{mine / theirs[best]:.2f} x: {mine * 1e6:.1f} µs; {words}",
        mine <= theirs[best] / 5,
        {"ours_s": mine, "theirs_s": theirs, "load_average": os.getloadavg()},
    )


def _trackio(folder: Path, terms: dict[str, float], steps: int) -> float:
    os.environ.setdefault("TRACKIO_DIR", str(folder / "trackio"))
    import trackio

    trackio.init(project="watch", name="beside", embed=False)
    try:
        return statistics.mean(each_call(lambda step: trackio.log(terms, step=step), steps))
    finally:
        trackio.finish()


def _wandb(folder: Path, terms: dict[str, float], steps: int) -> float:
    import wandb

    run = wandb.init(project="watch", mode="offline", dir=str(folder))
    try:
        return statistics.mean(each_call(lambda step: run.log(terms, step=step), steps))
    finally:
        run.finish()


def main() -> None:
    """Measure the rows and write `watch.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=5_000, help="calls of `log` in a row")
    parser.add_argument("--rounds", type=int, default=12, help="of 200 steps, watched and not")
    options = parser.parse_args()
    torch.set_num_threads(1)

    def rows() -> Iterator[Row]:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            folder = Path(name)
            yield from log_rows(folder / "runs", options.steps)
            yield latents_row(folder / "runs")
            yield loop_row(folder / "runs", options.rounds)
            yield from peer_rows(folder, options.steps)

    save("watch", "python -m benchmarks.watch", rows())


if __name__ == "__main__":
    main()
