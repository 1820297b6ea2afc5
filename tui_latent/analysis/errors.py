"""The error of an analysis that cannot be made."""

from __future__ import annotations


class InspectionError(Exception):
    """Something cannot be shown; the message says what is missing and where."""
