"""Write a run's report: the PNG and, beside it, the JSON of its numbers."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from matplotlib import style
from matplotlib.figure import Figure

from tui_latent.reports.figure import draw_report
from tui_latent.reports.input_numbers import finding_numbers
from tui_latent.reports.inputs import collect_findings, has_labels, shown_map
from tui_latent.reports.layouts import layout_rows, needed
from tui_latent.reports.numbers import as_json, report_numbers, with_evaluation
from tui_latent.reports.run_summary import about_run
from tui_latent.reports.samples import collect_samples
from tui_latent.reports.style import RC
from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunError, RunSnapshot
from tui_latent.verdict import judge

_DRAWING: Final = threading.Lock()
"""matplotlib's settings belong to the whole process"""


class ReportError(Exception):
    """A report cannot be written; the message says where, why and what to do."""


def export_report(path: Path, out: Path | None = None) -> Path:
    """Write the report of the run at `path`, live or ended, and return the PNG's path.

    The PNG is `out`, or `reports/<time>-step-<step>.png` in the run's folder; the JSON is
    beside it. Both appear whole or not at all. ReportError says what prevents it.
    """
    try:
        snapshot = RunReader(path).refresh()
    except RunError as error:
        raise ReportError(str(error)) from error
    png = out if out is not None else _default_path(snapshot)
    require_png(png)
    seed = about_run(snapshot).seed or 0
    samples = collect_samples(path, len(snapshot.class_names), seed)
    drawn, colors = shown_map(path, snapshot)
    numbers = report_numbers(replace(snapshot, map=drawn), samples)
    wanted = needed(layout_rows(numbers.about.method))
    found = collect_findings(path, snapshot, wanted, seed, drawn)
    evaluation = found.get("evaluation")
    measured = evaluation if isinstance(evaluation, dict) else None
    verdict = judge(snapshot, measured)
    if measured is not None and numbers.about.origin != "trained":
        numbers = with_evaluation(numbers, measured)
    numbers = replace(
        numbers,
        unlabelled=snapshot.map is not None and not has_labels(snapshot.map),
        colors=colors,
        family=finding_numbers(found),
        verdict=verdict.line(),
        severity=verdict.severity,
        findings=tuple(verdict.as_json()),
    )
    image = drawn_png(lambda: draw_report(numbers, drawn, samples, found), snapshot.name)
    write_report(png, image, as_json(numbers))
    return png


def require_png(path: Path) -> None:
    """Raise ReportError unless the path ends in .png."""
    if path.suffix.lower() != ".png":
        raise ReportError(f"{path}: a report is a PNG: name it {path.name}.png")


def drawn_png(draw: Callable[[], Figure], title: str) -> bytes:
    """Draw a figure in the report's style, one at a time, and return it as a PNG."""
    with _DRAWING, style.context(["default", RC]):
        image = io.BytesIO()
        draw().savefig(image, format="png", metadata={"Title": title})
    return image.getvalue()


def write_report(png: Path, image: bytes, table: Any) -> None:
    """Write a PNG and, beside it, its numbers as JSON; ReportError if that fails."""
    text = json.dumps(table, indent=1, ensure_ascii=False, allow_nan=False)
    try:
        png.parent.mkdir(parents=True, exist_ok=True)
        replace_file(png.with_suffix(".json"), text.encode("utf-8", "backslashreplace"))
        replace_file(png, image)
    except OSError as error:
        raise ReportError(f"{png}: cannot be written: {error.strerror or error}") from error


def _default_path(snapshot: RunSnapshot) -> Path:
    name = f"{datetime.now():%Y%m%d-%H%M%S}-step-{snapshot.status.step}.png"
    return snapshot.path / "reports" / name
