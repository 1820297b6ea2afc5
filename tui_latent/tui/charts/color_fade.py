"""Colours of curves that are not in front."""

from __future__ import annotations

from typing import Final

from tui_latent.palettes import RGB

_SHARE: Final = 0.5
"""of the background in a faded colour"""


def faded(color: RGB, ground: RGB | None) -> RGB:
    """Return a colour halfway to the background; the colour itself if that is not known.

    A terminal's own dim text is darker on some and fainter on others.
    """
    if ground is None:
        return color
    red, green, blue = (
        round((1 - _SHARE) * c + _SHARE * g) for c, g in zip(color, ground, strict=True)
    )
    return red, green, blue
