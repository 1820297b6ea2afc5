"""The base class of the screens that fill the terminal."""

from __future__ import annotations

from textual.reactive import Reactive
from textual.screen import Screen, ScreenResultType
from textual.widget import Widget


class BaseScreen(Screen[ScreenResultType]):
    """A screen that is not repainted when the focus moves: widgets show their own focus."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
