"""The base class of the screens that fill the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from textual import events
from textual.reactive import Reactive
from textual.screen import Screen, ScreenResultType
from textual.widget import Widget
from textual.widgets import Static

from tui_latent.tui.compositor import AnnouncingCompositor
from tui_latent.tui.notices import SHARE

SMALLEST: Final = (60, 20)
"""columns and rows below which a sentence takes the place of a screen"""


class TooSmall(Static):
    """Takes the place of everything else in a terminal that is too small."""

    def __init__(self) -> None:
        super().__init__(id="too-small", markup=False)


class BaseScreen(Screen[ScreenResultType]):
    """A screen that is not repainted when the focus moves: widgets show their own focus.

    A screen that composes a `TooSmall` shows it instead of its widgets in a small terminal.
    """

    DEFAULT_CSS = """
    BaseScreen > TooSmall { display: none; height: 1fr; content-align: center middle; }
    BaseScreen.-too-small > * { display: none !important; }
    BaseScreen.-too-small > TooSmall { display: block !important; }
    """

    ABOUT: ClassVar[str] = ""
    """what the screen is for, in the help"""
    TERMS: ClassVar[tuple[str, ...]] = ()
    """words of `terms.WORDS` and names of metrics that the help explains"""

    NOTICE_SHARE: ClassVar[float] = SHARE
    """of the terminal's width that a notice may take on this screen"""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._compositor = AnnouncingCompositor()

    def terms(self) -> Sequence[str]:
        """Return the terms that the help explains."""
        return self.TERMS

    def on_resize(self, event: events.Resize) -> None:
        """Show the size that is needed if the terminal is smaller."""
        (columns, rows), (width, height) = SMALLEST, event.size
        text = f"tui-latent needs {columns}x{rows} cells but has {width}x{height}."
        for words in self.query(TooSmall):
            self.set_class(width < columns or height < rows, "-too-small")
            words.update(text)
