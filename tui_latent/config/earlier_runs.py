"""What runs of earlier versions did without saying so in their presets."""

from __future__ import annotations

from typing import Any

_DONE = {"class_order": "plain", "depth": "8-bit", "draw": "by-class"}
"""settings of `[data]` that version 0.1 did not have, and how it ordered classes, read values and
drew the images that it held out"""


def fill_in(table: dict[str, Any]) -> None:
    """Add to the preset of a run what its version did without being asked."""
    if isinstance(data := table.get("data"), dict):
        for name, value in _DONE.items():
            data.setdefault(name, value)
