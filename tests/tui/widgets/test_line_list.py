"""The list of lines shows what was last written, whatever happened to its size."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.content import Content

from tui_latent.tui.widgets.line_list import LineList


class _Page(App[None]):
    """A list alone on its screen."""

    def compose(self) -> ComposeResult:
        yield LineList()

    def show(self, word: str) -> None:
        self.query_one(LineList).show(
            ["a", "b", "c"], lambda index, width: Content(f"{word}{index} of {width}")
        )

    def painted(self) -> list[str]:
        """What stands on the screen."""
        strips = self.screen._compositor.render_strips()
        return [line for strip in strips if (line := strip.text.strip())]


@pytest.mark.parametrize("size", [(40, 8), (30, 9), (30, 7), (40, 9)])
async def test_new_lines_are_painted_after_the_size_has_changed(size: tuple[int, int]) -> None:
    """The lines of before do not stay until the next resize."""
    app = _Page()
    async with app.run_test(size=(30, 8)) as pilot:
        app.show("old")
        await pilot.pause()
        assert app.painted() == ["old0 of 30", "old1 of 30", "old2 of 30"]
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert app.painted() == [f"old{place} of {size[0]}" for place in range(3)]
        app.show("new")
        await pilot.pause()
        assert app.painted() == [f"new{place} of {size[0]}" for place in range(3)]


async def test_words_under_the_cursor_are_all_in_its_colour() -> None:
    """Dim or coloured words could not be read on the cursor's ground."""
    app = _Page()
    async with app.run_test(size=(30, 8)) as pilot:
        lines = app.query_one(LineList)
        words = Content.assemble("plain ", ("dim ", "dim"), ("red", "$text-error"))
        lines.show(["a", "b"], lambda index, width: words)
        lines.focus()
        await pilot.pause()

        def colors(y: int) -> set[object]:
            styles = [part.style for part in lines.render_line(y) if part.text.strip()]
            return {(style.color, bool(style.dim)) for style in styles if style}

        assert len(colors(0)) == 1 and len(colors(1)) == 3
        await pilot.press("down")
        lines.action_move(1)
        await pilot.pause()
        assert len(colors(0)) == 3 and len(colors(1)) == 1
