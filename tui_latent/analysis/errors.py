"""What can go wrong when a run is questioned."""

from __future__ import annotations


class InspectionError(Exception):
    """What was asked for cannot be shown: what is missing, and where it was looked for."""
