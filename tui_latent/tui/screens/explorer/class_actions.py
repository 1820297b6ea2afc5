"""Actions of the explorer that choose which classes and how many points are shown."""

from __future__ import annotations

from tui_latent.tui.screens.explorer.base import ExplorerBase
from tui_latent.tui.screens.explorer.class_filter import ClassFilter


class ClassActions(ExplorerBase):
    """Shows some of the points."""

    def action_solo(self) -> None:
        """Show the point's class alone, or all again."""
        label = self._selected_class()
        if label is not None:
            self.action_only(label)

    def action_only(self, label: int) -> None:
        """Show the class at a place of the legend alone, or all again."""
        self._change_look(filter=self._look.filter.only(label, len(self._class_names)))

    def action_hide(self) -> None:
        """Hide the class of the point and move to the nearest visible point."""
        label = self._selected_class()
        if label is not None:
            self._change_look(filter=self._look.filter.hide(label, len(self._class_names)))
            self._map.move(0, 0)

    def action_examples(self) -> None:
        """Show fewer points per class, or all again."""
        self._change_look(filter=self._look.filter.fewer())
        self._map.move(0, 0)

    def action_all(self) -> None:
        """Show all classes, and points whatever a table says of them."""
        if self._look.condition:
            self._status = ""
        self._change_look(filter=ClassFilter(), condition="")
        self._show_line()
