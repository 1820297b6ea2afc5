"""Errors of evaluations."""

from __future__ import annotations


class AssessmentError(Exception):
    """A run cannot be evaluated; the message says what is missing and where."""


class OutliersError(AssessmentError):
    """An unknown name of outliers; the message lists the valid ones."""


class NotMeasured(Exception):
    """One part of an evaluation cannot be measured; the message says why."""
