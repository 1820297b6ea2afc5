"""Screens that may lie over others and under them."""

from __future__ import annotations

from typing import Any

from textual.screen import ModalScreen, Screen, ScreenResultType

from tui_latent.tui.compositor import AnnouncingCompositor


class LayeredScreen(Screen[ScreenResultType]):
    """A screen that, seen behind a dialog, is repainted only where it has changed.

    Textual 8.2 repaints what has changed behind a dialog again and again, up to 60 times a second:
    80 kB/s for a training behind the help.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._compositor = AnnouncingCompositor()

    def _compositor_refresh(self) -> None:
        if self in self.app._background_screens:
            changed = self._compositor._dirty_regions
            if changed:
                self.app.screen.refresh(*changed)
                changed.clear()
            self._dirty_widgets.clear()
        else:
            super()._compositor_refresh()


class DialogScreen(ModalScreen[ScreenResultType], LayeredScreen[ScreenResultType]):
    """A dialog over another screen, with the style of `ModalScreen`, its first base."""
