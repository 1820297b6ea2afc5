"""Text in fewer lines than it needs."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from tui_latent.tui.widgets.cut_text import CutText

WORDS = "one two three four five six seven eight nine ten"


class Room(App[None]):
    CSS = "CutText { width: 12; height: auto; max-height: 3; }"

    def compose(self) -> ComposeResult:
        yield CutText(WORDS, markup=False)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (WORDS, ["one two", "three four", "five six…"]),
        ("one two three four five six", ["one two", "three four", "five six"]),
        ("x" * 50, ["x" * 12, "x" * 12, "x" * 11 + "…"]),
        ("画" * 30, ["画" * 6, "画" * 6, "画" * 5 + " …"]),
        ("one", ["one"]),
    ],
    ids=["cut", "fits", "one long word", "wide characters", "short"],
)
async def test_a_cut_shows_and_what_fits_stays(text: str, shown: list[str]) -> None:
    async with Room().run_test(size=(40, 10)) as pilot:
        widget = pilot.app.query_one(CutText)
        widget.update(text)
        await pilot.pause()
        lines = [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]
        assert lines == shown
