"""Write a comparison of runs: the PNG and, beside it, the JSON of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from tui_latent.analysis.paired_runs import PairedRun, paired_runs
from tui_latent.comparison import MOST_RUNS, Comparison, compare
from tui_latent.reports.comparison_figure import draw_comparison
from tui_latent.reports.export import ReportError, drawn_png, require_png, write_report
from tui_latent.reports.numbers import as_json
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunError
from tui_latent.verdict.comparing import comparison_line


def export_comparison(paths: Sequence[Path], out: Path | None = None) -> Path:
    """Write the comparison of the runs at `paths`, two to eight, and return the PNG's path.

    The PNG is `out`, or `reports/<time>-compared.png` in the first run's folder; the JSON is
    beside it. Both appear whole or not at all. ReportError says what prevents it.
    """
    shown = read_comparison(paths)
    return write_comparison(shown, out, paired_runs(shown))


def read_comparison(paths: Sequence[Path]) -> Comparison:
    """Read and compare the runs at `paths`; ReportError says why it cannot."""
    distinct = list(dict.fromkeys(path.resolve() for path in paths))
    if len(distinct) < 2:
        raise ReportError("a comparison needs at least two different runs")
    if len(distinct) > MOST_RUNS:
        raise ReportError(
            f"{len(distinct)} runs: a comparison shows at most {MOST_RUNS}, "
            "because more colours cannot be told apart"
        )
    try:
        return compare([RunReader(path).refresh() for path in distinct])
    except RunError as error:
        raise ReportError(str(error)) from error


def write_comparison(shown: Comparison, out: Path | None, paired: Sequence[PairedRun] = ()) -> Path:
    """Write a comparison's PNG and JSON, with what `paired` found; return the PNG's path."""
    title = " / ".join(run.name for run in shown.runs)
    png = out if out is not None else _default_path(shown)
    require_png(png)
    table = comparison_table(shown, paired=paired)
    write_report(png, drawn_png(lambda: draw_comparison(shown, paired), title), table)
    return png


def comparison_table(
    shown: Comparison, curves: bool = True, paired: Sequence[PairedRun] = ()
) -> dict[str, Any]:
    """Return the content of a comparison's JSON; every list is in the order of the runs.

    `paired` are comparisons with the first run, of each of the others.
    """
    names = [run.name for run in shown.runs]
    content: dict[str, Any] = {
        "runs": [
            {
                "run": run.name,
                "path": str(run.path),
                "preset": run.provenance.get("preset", ""),
                "state": run.status.state,
                "step": run.status.step,
                "seconds": run.status.seconds,
            }
            for run in shown.runs
        ],
        "metrics": {row.metric: {"last": row.last, "best": row.best} for row in shown.metrics},
        "settings": {row.key: row.values for row in shown.settings},
        "maps": [
            {
                "step": compared.map.step if compared.map is not None else None,
                "turned_onto": names[compared.onto] if compared.onto is not None else None,
                "disparity": compared.disparity,
                "problem": compared.problem,
            }
            for compared in shown.maps
        ],
        "verdict": comparison_line(shown),
        "notes": shown.notes,
        "paired": [asdict(found) for found in paired],
    }
    if curves:
        content["curves"] = {
            row.metric: [run.curves.get(row.metric) for run in shown.runs] for row in shown.metrics
        }
    encoded: dict[str, Any] = as_json(content)
    return encoded


def _default_path(shown: Comparison) -> Path:
    return shown.runs[0].path / "reports" / f"{datetime.now():%Y%m%d-%H%M%S}-compared.png"
