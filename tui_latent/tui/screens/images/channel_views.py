"""Which channels of an image are shown: those of the preset, or each alone in turn."""

from __future__ import annotations

from collections.abc import Sequence

Channels = tuple[int, ...]


def next_channels(shown: Channels | None, count: int) -> Channels | None:
    """Return what follows: each of `count` channels alone, then those of the preset (None)."""
    following = 0 if shown is None else shown[0] + 1
    return (following,) if following < count else None


def has_choice(count: int) -> bool:
    """Return whether images have channels that a picture of grey or colour does not show."""
    return count not in (0, 1, 3)


def words_of(shown: Channels | None, count: int, preset: Sequence[int]) -> str:
    """Say which channels are shown of how many."""
    if shown is not None:
        return f"channel {shown[0]} of 0–{count - 1}, as grey"
    chosen = [channel for channel in preset if channel < count] or list(range(min(count, 3)))
    if len(chosen) == 2 and not preset:
        chosen = chosen[:1]
    if len(chosen) == 1:
        return f"channel {chosen[0]} of 0–{count - 1}, as grey"
    listed = ", ".join(map(str, chosen))
    colours = "red, green, blue" if len(chosen) == 3 else "red and green"
    return f"channels {listed} of 0–{count - 1}, as {colours}"
