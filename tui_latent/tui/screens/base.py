"""The base class of the screens that fill the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import events
from textual.reactive import Reactive
from textual.screen import ScreenResultType
from textual.widget import Widget
from textual.widgets import Static
from textual.widgets._toast import ToastRack

from tui_latent.tui.active_binding import active_binding
from tui_latent.tui.layered_screen import LayeredScreen
from tui_latent.tui.notices import ELSEWHERE, NO_CHANGE, SHARE

SMALLEST: Final = (60, 20)
"""columns and rows below which a sentence takes the place of a screen"""
TOO_SMALL_CSS: Final = """
BaseScreen.-too-small > * { display: none !important; }
BaseScreen.-too-small > TooSmall { display: block !important; }
"""
"""for the application: in `DEFAULT_CSS` it would give way to what screens say of their widgets"""


class TooSmall(Static):
    """Takes the place of everything else in a terminal that is too small."""

    def __init__(self) -> None:
        super().__init__(id="too-small", markup=False)


class BaseScreen(LayeredScreen[ScreenResultType]):
    """A screen that is not repainted when the focus moves: widgets show their own focus.

    A screen that composes a `TooSmall` shows it instead of its widgets in a small terminal.
    """

    DEFAULT_CSS = """
    BaseScreen > TooSmall { display: none; height: 1fr; content-align: center middle; }
    """

    ABOUT: ClassVar[str] = ""
    """what the screen is for, in the help"""
    TERMS: ClassVar[tuple[str, ...]] = ()
    """words of `terms.WORDS` and names of metrics that the help explains"""

    NOTICE_SHARE: ClassVar[float] = SHARE
    """of the terminal's width that a notice may take on this screen"""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    _focused_before: Widget | None = None
    """what had the focus when the terminal became too small"""

    def terms(self) -> Sequence[str]:
        """Return the terms that the help explains."""
        return self.TERMS

    def tell_no_change(self, words: str) -> None:
        """Say why a key has changed nothing; only the newest of these notices stays."""
        self.notify(words, title=NO_CHANGE, timeout=3, markup=False)

    def on_key(self, event: events.Key) -> None:
        """Say why a key does nothing now, or where it works if it does nothing here."""
        active = active_binding(event.key, self)
        if active is not None and active.enabled:
            return
        from tui_latent.tui.elsewhere import listed_but_inactive, where_it_works

        keymap = self.app._keymap
        if words := where_it_works(event.key, self, keymap):
            self.notify(words, title=ELSEWHERE, timeout=4, markup=False)
        elif (key_id := listed_but_inactive(event.key, self, keymap)) and (
            why := self.why_inactive(key_id)
        ):
            self.tell_no_change(why)

    def why_inactive(self, key_id: str) -> str:
        """Return why an action of this screen is not possible now; empty if that is shown."""
        return ""

    def on_screen_suspend(self) -> None:
        """Leave the notices to a dialog that opens over this screen: it shows them again."""
        for rack in self.query(ToastRack):
            rack.remove_children()

    def on_resize(self, event: events.Resize) -> None:
        """Show the size that is needed if the terminal is smaller."""
        (columns, rows), (width, height) = SMALLEST, event.size
        text = f"tui-latent needs {columns}x{rows} cells but has {width}x{height}."
        for words in self.query(TooSmall):
            small, was_small = width < columns or height < rows, self.has_class("-too-small")
            if small and not was_small:
                self._focused_before = self.focused
            self.set_class(small, "-too-small")
            words.update(text)
            if was_small and not small:
                self.call_after_refresh(self._focus_again)

    def _focus_again(self) -> None:
        """Give the focus back to what had it before the terminal was too small."""
        before, self._focused_before = self._focused_before, None
        if before is not None and before.is_attached and before.focusable:
            self.set_focus(before)
