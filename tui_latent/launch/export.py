"""Write reports; matplotlib is imported by the first call only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def export_report(path: Path) -> Path:
    """Write the report of the run at `path` into its folder; return the PNG's path.

    ReportError, whose message is a sentence, when it cannot be written.
    """
    from tui_latent import reports

    return reports.export_report(path)


def export_sweep(path: Path, metric: str | None = None) -> tuple[Path, ...]:
    """Write the report of the sweep at `path` into its folder; return the PNG's and CSVs' paths.

    `metric` ranks the runs; None for the sweep's own. ReportError and RunError as above.
    """
    from tui_latent.reports.sweep_export import export_sweep as write

    return write(path, metric)


def export_comparison(paths: Sequence[Path]) -> Path:
    """Write the comparison of the runs at `paths` into the first one's folder, as above."""
    from tui_latent import reports

    return reports.export_comparison(paths)
