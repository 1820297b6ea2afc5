"""What can keep a run, or a part of its evaluation, from being measured."""

from __future__ import annotations


class AssessmentError(Exception):
    """A run that cannot be evaluated: what is missing, and where it was looked for."""


class OutliersError(AssessmentError):
    """Words that name no outliers; the message says which do."""


class NotMeasured(Exception):
    """One part of an evaluation cannot be measured; the message says why."""
