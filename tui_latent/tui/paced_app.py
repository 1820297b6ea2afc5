"""An application that sends a slow terminal only as many frames as it can show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from rich.console import RenderableType
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.geometry import Region
from textual.screen import Screen

Returned = TypeVar("Returned")


class PacedApp(App[Returned]):
    """Holds frames back while the terminal is behind; the next one shows all changes since."""

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if (
            isinstance(renderable, LayoutUpdate | ChopsUpdate)
            and not self._batch_count
            and self._terminal_is_behind()
        ):
            screen._compositor._dirty_regions.update(_regions(renderable))
        else:
            super()._display(screen, renderable)

    def _terminal_is_behind(self) -> bool:
        from tui_latent.tui.terminal_driver import TerminalDriver

        driver = self._driver
        return isinstance(driver, TerminalDriver) and driver.is_behind(self._draw_kept)

    def _draw_kept(self) -> None:
        """Draw all changes since the last frame that was sent."""
        if self._running and self.screen_stack and self.screen.is_running:
            screen = self.screen
            # The refresh forgets the widgets that were to be drawn with the next frame.
            screen._compositor.update_widgets(screen._dirty_widgets)
            screen._compositor_refresh()


def _regions(update: LayoutUpdate | ChopsUpdate) -> Iterable[Region]:
    """Return the parts of the screen that an update covers."""
    if isinstance(update, LayoutUpdate):
        return [update.region]
    return [Region(left, line, right - left, 1) for line, left, right in update.spans]
