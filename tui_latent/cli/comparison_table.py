"""A comparison as text for a terminal or a pipe: aligned columns, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui_latent.analysis.paired_runs import PairedRun
from tui_latent.comparison import Comparison, MetricRow, difference_text
from tui_latent.differing_settings import setting_text
from tui_latent.nouns import counted
from tui_latent.number_format import UNKNOWN, number
from tui_latent.runtime.sanitize import plain_name
from tui_latent.verdict.comparing import comparison_line

_WIDEST: Final = 28
"""characters of a cell"""
_GAP: Final = "  "


def comparison_text(shown: Comparison, paired: Sequence[PairedRun] = ()) -> str:
    """Write the runs, their numbers, the settings that differ, and how similar their maps are.

    `paired` compares each run but the first with the first one.
    """
    parts = [
        _table(["run", "state", "step", "seconds"], _run_rows(shown), right=(2, 3)),
        *([verdict] if (verdict := comparison_line(shown)) else []),
        *(f"note: {note}" for note in shown.notes),
        _table(["newest (best)", *shown.labels], [_number_row(row) for row in shown.metrics]),
        *_settings(shown),
        _table(["map", "step", "compared"], _map_rows(shown)),
        *_paired(shown, paired),
    ]
    return "\n\n".join(parts)


_SAME: Final = "the presets have the same settings"


def _settings(shown: Comparison) -> list[str]:
    """Return the settings that differ, or that none does; nothing of a single run with settings."""
    if shown.settings:
        return [_table(["setting", *shown.labels], _setting_rows(shown))]
    return [_SAME] if shown.compares_settings else []


def _run_rows(shown: Comparison) -> list[list[str]]:
    return [
        [run.name, run.status.state_word, f"{run.status.step:,}", f"{run.status.seconds:,.0f}"]
        for run in shown.runs
    ]


def _number_row(row: MetricRow) -> list[str]:
    """Write newest and best values; a star marks the best of all."""
    cells = [row.metric]
    winners = row.winners()
    for index, (last, best) in enumerate(zip(row.last, row.best, strict=True)):
        if last is None:
            cells.append(UNKNOWN)
            continue
        star = "*" if index in winners else ""
        parts = [number(last, 4), difference_text(row, index)]
        parts.append("" if best is None else f"({number(best, 4)}{star})")
        cells.append(" ".join(part for part in parts if part))
    return cells


def _setting_rows(shown: Comparison) -> list[list[str]]:
    return [[row.key, *map(setting_text, row.values)] for row in shown.settings]


def _map_rows(shown: Comparison) -> list[list[str]]:
    rows = []
    for label, compared in zip(shown.labels, shown.maps, strict=True):
        words = compared.problem
        if compared.onto is not None:
            like = "" if compared.disparity is None else f", disparity {compared.disparity:.3f}"
            words = f"aligned to {shown.labels[compared.onto]}{like}"
        step = "–" if compared.map is None else f"{compared.map.step:,}"
        rows.append([label, step, words])
    return rows


def _paired(shown: Comparison, paired: Sequence[PairedRun]) -> list[str]:
    """Return what image by image comparisons found, and why some are missing."""
    if not paired:
        return []
    titles = [
        f"beside {shown.labels[0]}",
        "kNN@20, points",
        "95 % interval",
        "McNemar p",
        "CKA",
        "neighbours",
    ]
    rows, reasons = [], []
    for label, found in zip(shown.labels[1:], paired, strict=True):
        accuracy, images = found.accuracy, [UNKNOWN] * 3
        if accuracy is not None:
            low, high = (signed(value) for value in (accuracy.low, accuracy.high))
            images = [signed(accuracy.difference), f"{low} to {high}", number(accuracy.p, 2)]
        share = UNKNOWN
        if found.overlap is not None and found.chance is not None:
            common, chance = (f"{100 * part:.0f} %" for part in (found.overlap, found.chance))
            share = f"{common} in common ({chance} by chance)"
        rows.append([label, *images, number(found.cka), share])
        reasons += [
            f"note: {label}: {what} cannot be compared with {shown.labels[0]}: {why}"
            for what, why in (
                ("accuracies", found.no_accuracy),
                ("spaces", found.no_space if found.no_space != found.no_accuracy else ""),
            )
            if why
        ]
    counts = [found.accuracy.images for found in paired if found.accuracy is not None]
    images_of_both = counted(max(counts, default=0), "image")
    words = f"percentage points on the same {images_of_both}; the interval is by bootstrap"
    legend = [words] if counts else []
    return ["\n".join([_table(titles, rows), *legend, *reasons])]


def signed(share: float) -> str:
    """Write the difference of two shares in percentage points, with its sign."""
    return f"{100 * share:+.1f}" if share else "0"


def _table(titles: list[str], rows: list[list[str]], right: Sequence[int] = ()) -> str:
    """Align cells in columns; the first and the last column are as wide as they need to be."""
    last = len(titles) - 1
    cut = [
        [
            plain_name(text) if i in (0, last) else _cut(plain_name(text))
            for i, text in enumerate(line)
        ]
        for line in [titles, *rows]
    ]
    widths = [max(len(line[i]) for line in cut) for i in range(len(titles))]
    lines = []
    for line in cut:
        cells = [
            text.rjust(width) if i in right else text.ljust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        lines.append(_GAP.join(cells).rstrip())
    return "\n".join(lines)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST // 2]}…{text[1 - _WIDEST // 2 :]}"
