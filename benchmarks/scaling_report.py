"""Writes the tables and the plot of docs/SCALING.md: what was measured, and what H100s promise.

python -m benchmarks.scaling_report                 a minute

It needs results/exchanges.json, which `benchmarks.processes --count` writes, and has a table of
what was measured if `benchmarks.processes` has written results/processes.json.

What an H100 computes in a step is counted on tensors without data, as `benchmarks.count_kernels`
does, for a device's share at each number of devices; the rates are those of
`benchmarks.predictions`.
"""

from __future__ import annotations

import json
import statistics
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.count_kernels import counted, update_operators
from benchmarks.h100 import H100Links, norm_exchanges, on_gpus
from benchmarks.predictions import CARDS, HOST_US, PRESETS, milliseconds
from benchmarks.processes import FOUR, ONE, TWO, TWO_THREADS
from benchmarks.processes_worker import repeated
from benchmarks.record import RESULTS
from benchmarks.scaling_model import Exchange, Step, batch_of, predicted

PAGE = Path(__file__).parents[1] / "docs" / "SCALING.md"
PICTURE = PAGE.with_name("devices.png")
CARD = "H100, at 350"
DEVICES = (1, 2, 4, 8, 16, 32, 64)
TABLED = (1, 8, 64)
WITHIN = 0.15
"""of what was measured, as the model should be"""


@dataclass(frozen=True)
class Prediction:
    """A step on so many H100s."""

    devices: int
    batch: int
    """of all devices"""
    share: float
    """seconds that a device computes"""
    seconds: float
    """of a step"""

    @property
    def rate(self) -> float:
        """Images per second."""
        return self.batch / self.seconds


@dataclass(frozen=True)
class Exchanged:
    """What a step of a preset exchanges between two processes."""

    batch: int
    exchanges: tuple[Exchange, ...]
    norms: tuple[int, ...]
    """features of each batch norm"""


def exchanges_of() -> dict[str, Exchanged]:
    """Return what `benchmarks.processes --count` left, by preset."""
    rows = json.loads((RESULTS / "exchanges.json").read_text())["rows"]
    return {
        found["preset"]: Exchanged(
            found["batch"],
            tuple(Exchange(kind, size) for kind, size in found["exchanges"]),
            tuple(found["norms"]),
        )
        for found in (row["numbers"] for row in rows)
    }


@cache
def share_seconds(preset: str, images: int, world: int) -> float:
    """Return what an H100 computes in a step of its own images, compared with the whole batch.

    Steps of several processes are not captured as graphs, so it takes the time of the launches or
    of the device's work, whichever is longer.
    """
    with warnings.catch_warnings(), repeated(world):
        warnings.simplefilter("ignore")
        counts = counted(*update_operators(preset, images))
    launches = counts.kernels * statistics.mean(HOST_US) / 1e6
    return max(launches, milliseconds(counts, *CARDS[CARD]) / 1e3)


def prediction(preset: str, found: Exchanged, devices: int, growing: bool) -> Prediction:
    """Return a step of the preset's batch, or with `growing` of a batch for each device."""
    batch = batch_of(preset) * (devices if growing else 1)
    share = share_seconds(preset, batch // devices, devices)
    exchanges = on_gpus(list(found.exchanges), found.norms, batch / found.batch)
    exchanges += norm_exchanges(found.norms, devices)
    seconds = share if devices == 1 else predicted(share, exchanges, H100Links(), devices)
    return Prediction(devices, batch, share, seconds)


def here() -> Iterator[str]:
    """Yield the table of what was measured on this machine, and how far the model is off."""
    file = RESULTS / "processes.json"
    if not file.exists():
        yield "Not measured yet: `python -m benchmarks.processes`, on an idle machine."
        return
    result = json.loads(file.read_text())
    found = [row["numbers"] for row in result["rows"] if "ways" in row["numbers"]]
    loads = ", ".join(f"{numbers['load']:.0f}" for numbers in found)
    yield (
        f"`{result['command']}` · {result['date']} · {result['hardware']['cpu']}, "
        f"{result['hardware']['cores']} cores · torch {result['versions']['torch']} · load average "
        f"at the end of each preset {loads}"
    )
    yield ""
    yield (
        "| preset, batch | processes x threads | images/s | over 1 x 1 | exchanging | model, "
        "images/s | off by | within 15 % |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for numbers in found:
        preset, batch, ways = numbers["preset"], numbers["batch"], numbers["ways"]
        base = batch / statistics.median(ways[ONE.key]["group"])
        for way in (ONE, TWO_THREADS, TWO, FOUR):
            rate = batch / statistics.median(ways[way.key]["group"])
            words = [f"{preset}, {batch}", f"{way.processes} x {way.threads}", f"{rate:,.0f}"]
            words += [f"{rate / base:.2f} x"]
            if way.processes > 1:
                step = Step.read(ways[way.key], way.processes)
                words += [f"{step.exchanged:.0%}", f"{batch / step.predicted:,.0f}"]
                words += [f"{step.error:+.0%}", "yes" if abs(step.error) <= WITHIN else "no"]
            else:
                words += ["–"] * 4
            yield f"| {' | '.join(words)} |"


def on_h100s(found: Mapping[str, Exchanged]) -> Iterator[str]:
    """Yield the table of predictions."""
    yield "| preset | devices | batch | a step | of it computing | images/s | over one |"
    yield "|---|---|---|---|---|---|---|"
    for preset in (name for name in PRESETS if name in found):
        one = prediction(preset, found[preset], 1, False)
        for growing in (False, True):
            for devices in TABLED[growing:]:
                p = prediction(preset, found[preset], devices, growing)
                words = [preset, str(devices), f"{p.batch:,}", f"{1e3 * p.seconds:.2f} ms"]
                words += [
                    f"{p.share / p.seconds:.0%}",
                    f"{p.rate:,.0f}",
                    f"{p.rate / one.rate:.1f} x",
                ]
                yield f"| {' | '.join(words)} |"


def exchanged(found: Mapping[str, Exchanged]) -> Iterator[str]:
    """Yield the table of what a step exchanges."""
    yield "| preset, batch | exchanges of a step | MB summed | MB sent to each | largest sum, MB |"
    yield "|---|---|---|---|---|"
    for preset, step in found.items():
        sums = [e.bytes for e in step.exchanges if e.kind == "all_reduce"]
        sent = [e.bytes for e in step.exchanges if e.kind == "all_to_all_single"]
        words = [f"{preset}, {step.batch}", str(len(step.exchanges)), f"{sum(sums) / 1e6:.2f}"]
        words += [f"{sum(sent) / 1e6:.3f}", f"{max(sums) / 1e6:.2f}"]
        yield f"| {' | '.join(words)} |"


def picture(found: Mapping[str, Exchanged]) -> None:
    """Plot the predictions, a panel per preset."""
    presets = [name for name in PRESETS if name in found]
    figure = Figure(figsize=(5 * len(presets), 3.4), layout="constrained")
    for axes, preset in zip(
        figure.subplots(1, len(presets), squeeze=False)[0], presets, strict=True
    ):
        one = prediction(preset, found[preset], 1, False)
        axes.loglog(DEVICES, DEVICES, ":", color="0.6", label="as many times as devices")
        for growing, words, mark in ((True, "batch grows", "s-"), (False, "batch stays", "o-")):
            all_of = [prediction(preset, found[preset], n, growing) for n in DEVICES]
            axes.loglog(DEVICES, [p.rate / one.rate for p in all_of], mark, label=words)
        axes.set_title(preset, fontsize=9)
        axes.set_xlabel("H100 GPUs, predicted")
        axes.set_ylabel("times the images/s of one")
        axes.set_xticks(DEVICES, [str(n) for n in DEVICES])
        axes.grid(alpha=0.15)
        axes.legend(fontsize=7, frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PICTURE, dpi=130)


def filled(page: str, name: str, lines: Sequence[str]) -> str:
    """Return a page with the lines between the marks of a table."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    head, _, rest = page.partition(begin)
    return head + begin + "\n".join(lines) + "\n" + end + rest.partition(end)[2]


def main() -> None:
    """Fill the page, and draw the plot."""
    found = exchanges_of()
    page = filled(PAGE.read_text(), "measured", list(here()))
    page = filled(page, "exchanged", list(exchanged(found)))
    page = filled(page, "predicted", list(on_h100s(found)))
    PAGE.write_text(page)
    picture(found)


if __name__ == "__main__":
    main()
