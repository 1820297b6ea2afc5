"""Numbers of things in a sentence."""

from __future__ import annotations


def counted(count: int, thing: str) -> str:
    """Return a number with what it counts: `1 row`, `2,000 rows`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
