"""What a sweep prints at its end: a line for each run, the groups of seeds, and a verdict."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui_latent.differing_settings import setting_text
from tui_latent.number_format import number
from tui_latent.runs.metric_specs import HELD_OUT_LOSS, MetricSpec, in_group, spec_of
from tui_latent.runs.missing import missing_lines

if TYPE_CHECKING:
    from tui_latent.launch.sweep.conduct import TrialResult


def run_table(results: Sequence[TrialResult], width: int | None = None) -> list[str]:
    """Return a text table: what was set, how each run ended, and its newest figures.

    Where it is wider than `width` characters, it has fewer accuracies; the first one stays.
    """
    keys = list(dict.fromkeys(key for each in results for key in each.run.values))
    specs = [*in_group("accuracy"), HELD_OUT_LOSS]
    while True:
        lines = _run_lines(results, keys, specs)
        if width is None or len(specs) == 2 or max(map(len, lines)) <= width:
            break
        del specs[-2]
    names = [spec.name for spec in specs]
    missing = [missing_lines(_of(each.result.get("missing", {}), names)) for each in results]
    return [*lines, *(f"–  {line}" for line in dict.fromkeys(itertools.chain(*missing)))]


def _run_lines(
    results: Sequence[TrialResult], keys: Sequence[str], specs: Sequence[MetricSpec]
) -> list[str]:
    heads = [key.rpartition(".")[2] for key in keys]
    if len(set(heads)) < len(heads):
        heads = list(keys)
    lines = [[*heads, "state", *(spec.short for spec in specs), "seconds"]]
    for each in results:
        figures = [number(each.result["metrics"].get(spec.name), 4) for spec in specs]
        values = [setting_text(each.run.values.get(key)) for key in keys]
        lines.append([*values, each.state, *figures, f"{each.result['seconds']:.0f}"])
    return aligned(lines)


def verdict_lines(path: Path, width: int | None = None) -> list[str]:
    """Return the means over seeds of the sweep at `path`, and what may be said about them.

    Sentences are broken at `width` characters.
    """
    from tui_latent.sweeps.groups import grouped, verdict
    from tui_latent.sweeps.reading import SweepReader

    snapshot = SweepReader(path).refresh()
    metric = snapshot.metric
    groups = grouped(snapshot, metric)
    said = verdict(groups, metric)
    lines = ["", *([said] if width is None else textwrap.wrap(said, width))]
    if any(group.spread.count > 1 for group in groups) and len(groups) > 1:
        short = spec_of(metric).short
        head = ["settings", "seeds", short, "sd", "minus best (95 %)"]
        rows = [
            [
                group.label,
                str(group.spread.count),
                number(group.spread.mean if group.spread.count else None, 4),
                number(group.spread.deviation, 2),
                interval_text(group.difference),
            ]
            for group in groups
        ]
        lines = ["", *aligned([head, *rows]), *lines]
    return lines


def interval_text(interval: tuple[float, float] | None) -> str:
    """Return an interval as `-0.020 to +0.004`."""
    return "" if interval is None else f"{interval[0]:+.3g} to {interval[1]:+.3g}"


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Return cells as lines of text, each column as wide as its widest cell."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return [
        "  ".join(f"{cell:>{w}}" for cell, w in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _of(missing: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    return {name: missing[name] for name in names if name in missing}
