"""The foot of a report: how to do it again."""

from __future__ import annotations

from tui_latent.reports.page import LINE_HEIGHT, Box, Page
from tui_latent.reports.run_summary import About
from tui_latent.reports.style import AXIS, BODY, FAINT
from tui_latent.reports.text import wrap
from tui_latent.reports.wording import UNKNOWN

_INDENT = 1.0
_RULE = 0.14


def footing_height(about: About, width: float) -> float:
    """Return the inches that the foot takes."""
    return _RULE + sum(len(lines) for _, lines in _paragraphs(about, width)) * LINE_HEIGHT


def draw_footing(page: Page, box: Box, about: About) -> None:
    """Draw the command that trains such a run again, the versions, the device and the seed."""
    axes = page.canvas(Box(box.left, box.top, box.width, _RULE))
    axes.plot([0, box.width], [0, 0], color=AXIS, linewidth=0.8, clip_on=False)
    y = box.top + _RULE + 0.12
    for name, lines in _paragraphs(about, box.width):
        page.text(box.left, y, name, color=FAINT)
        for line in lines:
            page.text(box.left + _INDENT, y, line)
            y += LINE_HEIGHT


def _paragraphs(about: About, width: float) -> list[tuple[str, list[str]]]:
    width -= _INDENT
    versions = [f"{name} {version}" for name, version in about.versions.items()]
    versions += [f"Python {about.python}"] if about.python else []
    where = [about.device or UNKNOWN, f"seed {UNKNOWN if about.seed is None else about.seed}"]
    return [
        ("reproduce", wrap((about.command or UNKNOWN).split(" "), width, BODY)),
        ("versions", wrap(versions or [UNKNOWN], width, BODY, joint=" · ")),
        ("device", wrap(where, width, BODY, joint=" · ")),
    ]
