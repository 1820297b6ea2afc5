"""The footer with a screen's keys."""

from __future__ import annotations

from textual.screen import Screen
from textual.widgets import Footer


class KeyFooter(Footer):
    """Textual's footer, rebuilt only when its keys change.

    Textual 8.2 rebuilds it whenever the focus moves, and keeps every key it ever showed: on a
    dashboard 26 widgets per key press, which full garbage collections then traverse.
    """

    DEFAULT_CSS = """
    KeyFooter { background: $panel; }
    KeyFooter FooterLabel { margin: 0 1 !important; }
    """

    def __init__(self) -> None:
        super().__init__(show_command_palette=False, compact=True)
        self._shown: object = None

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Show the keys if they differ from those shown."""
        shown = [
            (active.binding, active.enabled, active.tooltip)
            for active in screen.active_bindings.values()
            if active.binding.show
        ]
        if shown != self._shown or not self._bindings_ready:
            self._shown = shown
            super().bindings_changed(screen)

    async def recompose(self) -> None:
        """Rebuild the keys, and forget the old ones."""
        await super().recompose()
        for watchers in getattr(self, "__watchers", {}).values():
            watchers[:] = [pair for pair in watchers if not pair[0]._closing]
