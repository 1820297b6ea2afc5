"""The footer of a report: how to repeat the run."""

from __future__ import annotations

from collections.abc import Sequence

from tui_latent.reports.page import INDENT, Box, Page, foot_height
from tui_latent.reports.run_summary import About
from tui_latent.reports.style import BODY
from tui_latent.reports.text import wrap
from tui_latent.reports.wording import UNKNOWN


def footing_height(about: About, width: float, without: Sequence[str] = ()) -> float:
    """Return the inches that the footer takes."""
    return foot_height(sum(len(lines) for _, lines in _paragraphs(about, width, without)))


def draw_footing(page: Page, box: Box, about: About, without: Sequence[str] = ()) -> None:
    """Draw the command that repeats the run, the versions, the device and the seed.

    `without` says which panels are left out because they would be empty, and why.
    """
    page.foot(box, _paragraphs(about, box.width, without))


def _paragraphs(about: About, width: float, without: Sequence[str]) -> list[tuple[str, list[str]]]:
    width -= INDENT
    versions = [f"{name} {version}" for name, version in about.versions.items()]
    versions += [f"Python {about.python}"] if about.python else []
    where = [about.device or UNKNOWN, f"seed {UNKNOWN if about.seed is None else about.seed}"]
    left_out = [line for text in without for line in wrap(text.split(), width, BODY)]
    if about.origin != "trained":
        made = wrap(about.command.split(" "), width, BODY) if about.command else []
        parts = [("left out", left_out), ("made by", made)]
        parts.append(("versions", wrap(versions, width, BODY, joint=" · ") if versions else []))
        return [(name, lines) for name, lines in parts if lines]
    return [
        *([("left out", left_out)] if left_out else []),
        ("reproduce", wrap((about.command or UNKNOWN).split(" "), width, BODY)),
        ("versions", wrap(versions or [UNKNOWN], width, BODY, joint=" · ")),
        ("device", wrap(where, width, BODY, joint=" · ")),
    ]
