"""Export reports; matplotlib and torch are imported when one is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def export_report(path: Path) -> Path:
    """Write a run's report as PNG and JSON; return the PNG's path."""
    from tui_latent import reports

    return reports.export_report(path)


def export_comparison(paths: Sequence[Path]) -> Path:
    """Write a comparison of runs as PNG and JSON; return the PNG's path."""
    from tui_latent import reports

    return reports.export_comparison(paths)
