"""Screens that can have others above or below them."""

from __future__ import annotations

from typing import Any

from textual.screen import ModalScreen, Screen, ScreenResultType

from tui_latent.tui.compositor import AnnouncingCompositor


class LayeredScreen(Screen[ScreenResultType]):
    """A screen that is repainted behind a dialog only when and where it changes.

    Textual 8.2 marks such a screen as changed each time that it passes a change on, so that it is
    repainted without end: a training behind the help sent 85 kB/s, and sends 1.5 to 1.9 with this.
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
    """A dialog. `ModalScreen` comes first, because style sheets follow only the first base."""
