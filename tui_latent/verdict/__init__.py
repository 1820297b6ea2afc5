"""What can be said about a run: one engine for screens, reports and the command line."""

from tui_latent.verdict.engine import judge
from tui_latent.verdict.finding import Door, Finding, Severity, Verdict

__all__ = ["Door", "Finding", "Severity", "Verdict", "judge"]
