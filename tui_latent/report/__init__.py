"""The report of a run: one PNG to put in a message, and a JSON of its numbers beside it."""

from tui_latent.report.export import ReportError, export_report

__all__ = ["ReportError", "export_report"]
