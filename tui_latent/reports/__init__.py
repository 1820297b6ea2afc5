"""Reports: one PNG to put in a message, and a JSON of its numbers beside it."""

from tui_latent.reports.comparison_export import (
    comparison_table,
    export_comparison,
    read_comparison,
    write_comparison,
)
from tui_latent.reports.export import ReportError, export_report

__all__ = [
    "ReportError",
    "comparison_table",
    "export_comparison",
    "export_report",
    "read_comparison",
    "write_comparison",
]
