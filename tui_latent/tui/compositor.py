"""The layout of a screen, which tells every widget when its size has changed."""

from __future__ import annotations

from textual._compositor import Compositor, CompositorMap, ReflowResult
from textual.geometry import Size
from textual.widget import Widget


class AnnouncingCompositor(Compositor):
    """Compares each layout with the one before it.

    Textual 8.2 compares it with the newest look-up of a widget's place. One that comes between a
    scroll and the next layout may already have the new widget or the new size, which then gets
    neither Show nor Resize, and draws nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self._laid_out: CompositorMap = {}

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        """Lay out `parent` and what it contains; return what was hidden, shown and resized."""
        before, result = self._laid_out, super().reflow(parent, size)
        self._laid_out = now = self._full_map
        shown = result.shown | (now.keys() - before.keys())
        resized = {
            widget
            for widget, place in now.items()
            if widget in before and before[widget].region.size != place.region.size
        }
        return ReflowResult(result.hidden, shown, result.resized | resized)

    def clear(self) -> None:
        """Forget the layout."""
        super().clear()
        self._laid_out = {}
