"""Actions of the explorer that choose which classes and how many points are shown."""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np

from tui_latent.tui.screens.explorer.base import ExplorerBase
from tui_latent.tui.screens.explorer.class_filter import ClassFilter

_NO_CLASS: Final = "This point has no class."


class ClassActions(ExplorerBase):
    """Shows some of the points."""

    def action_solo(self) -> None:
        """Show the point's class alone, or all again."""
        label = self._selected_class()
        if label is not None:
            self.action_only(label)

    def action_only(self, label: int) -> None:
        """Show the class at a place of the legend alone, or all again."""
        if label < 0:
            self.tell_no_change(_NO_CLASS)
        elif label >= len(self._class_names):
            self.tell_no_change(f"Nothing in the legend has the number {label}.")
        else:
            self._change_look(filter=self._look.filter.only(label, len(self._class_names)))

    def action_hide(self) -> None:
        """Hide the class of the point and move to the nearest visible point."""
        label = self._selected_class()
        if label is None:
            return
        fewer = self._look.filter.hide(label, len(self._class_names))
        if label < 0:
            self.tell_no_change(_NO_CLASS)
        elif fewer == self._look.filter:
            self.tell_no_change("This is the only class still shown.")
        else:
            self._change_look(filter=fewer)
            self._map.move(0, 0)

    def action_examples(self) -> None:
        """Show fewer points per class, or all again."""
        values = self._result.parts.values if self._result is not None else ()
        counts = Counter(np.asarray(values).tolist())
        fewer = self._look.filter.fewer(max(counts.values(), default=0))
        if fewer == self._look.filter:
            self.tell_no_change("Every class has so few points that all of them are shown.")
            return
        self._change_look(filter=fewer)
        self._map.move(0, 0)

    def action_all(self) -> None:
        """Show all classes, and all points whatever a table says about them."""
        if self._look.condition:
            self._status = ""
        self._change_look(filter=ClassFilter(), condition="")
        self._show_line()
