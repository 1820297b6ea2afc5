"""The mark on the lower edge of a panel that shows an earlier evaluation."""

from __future__ import annotations

from textual.content import Content


def step_badge(step: int | None) -> Content:
    """Return the mark for a step; it is empty for None, the newest evaluation."""
    return Content("") if step is None else Content.styled(f" ◀ step {step:,} ", "bold reverse")
