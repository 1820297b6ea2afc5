"""A whole evaluation of one run, for the command line and the dashboard: torch-free until asked."""

from tui_latent.assessment.errors import AssessmentError, NotMeasured, OutliersError
from tui_latent.assessment.evaluate import evaluate_run

__all__ = ["AssessmentError", "NotMeasured", "OutliersError", "evaluate_run"]
