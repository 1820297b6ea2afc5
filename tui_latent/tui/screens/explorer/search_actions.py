"""Actions of the explorer that find a point: by number, by class, or by how far it moved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from textual import on

from tui_latent.runs.groups import group_of_each
from tui_latent.tui import messages
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.remapping import key_name
from tui_latent.tui.screens.explorer.base import ExplorerBase
from tui_latent.tui.screens.explorer.change_list import ChangeList
from tui_latent.tui.screens.explorer.search import next_match
from tui_latent.tui.screens.explorer.search_box import FindBox
from tui_latent.tui.screens.explorer.views import MapResult
from tui_latent.tui.screens.explorer.worker import ChangesFound
from tui_latent.tui.time_cursor import TimeCursor


class SearchActions(ExplorerBase):
    """Moves the cursor to what is looked for."""

    def __init__(self, path: Path, drawer: WorkerThread, time: TimeCursor | None = None) -> None:
        super().__init__(path, drawer, time)
        self._query = ""

    def action_find(self) -> None:
        """Open the search box."""
        self.query_one(FindBox).open()

    @on(FindBox.Searched)
    def find(self, message: FindBox.Searched) -> None:
        """Go to the image or class that was typed, or show only what matches conditions."""
        from tui_latent.analysis.point_filter import is_condition

        result = self._result
        if result is not None and result.columns and is_condition(message.query, result.columns):
            self._show_matching(result, message.query)
            return
        self._query = message.query
        self.action_find_next()

    def _show_matching(self, result: MapResult, condition: str) -> None:
        """Show only the points that match conditions, if there are any."""
        from tui_latent.analysis.point_filter import ConditionError, matching

        try:
            count = int(matching(condition, result.columns).sum())
        except ConditionError as error:
            self.notify(str(error), title="Filter", severity="warning", markup=False)
            return
        if not count:
            self.notify(f"No point matches “{condition}”.", title="Filter", markup=False)
            return
        self._change_look(condition=condition)
        every = key_name("explorer.all", self.app._keymap)
        total = len(result.space.map.indices)
        self._status = f"only {condition}: {count:,} of {total:,} points · {every} shows all"
        self._show_line()

    def action_find_next(self) -> None:
        """Go to the next match."""
        self._find(1)

    def action_find_previous(self) -> None:
        """Go to the previous match."""
        self._find(-1)

    def _find(self, way: int) -> None:
        if self._result is None:
            return
        if not self._query:
            find = key_name("explorer.find", self.app._keymap)
            self.tell_no_change(f"Nothing has been searched for yet. {find} opens the search.")
            return
        here = self._map.selected if self._map.selected is not None else -1
        result = self._result
        positions = np.asarray(result.space.map.indices)
        index = next_match(
            *(self._query, result.named.names, result.named.values, here, way), positions
        )
        if index is None:  # a name that people gave, whatever the colours show
            own = group_of_each(result.groups, positions)
            names = [group.name for group in result.groups]
            index = next_match(self._query, names, own, here, way, positions)
        for column in result.columns:  # an id, or a part of any other text of the table
            if index is None:
                index = next_match(self._query, column.texts, column.codes, here, way, positions)
        if index is None:
            self.notify(f"No image or class matches “{self._query}”.", markup=False)
        else:
            self._map.select(index)

    # What changed most

    def action_movers(self) -> None:
        """List the images whose neighbourhood changed most since the previous evaluation."""
        listing = self.query_one(ChangeList)
        self.set_class(listing.toggle(), "-movers")
        if listing.is_open:
            self._request_changes()

    def _request_changes(self) -> None:
        steps = self._snapshot.map_steps
        at = self._time.position(steps)
        if at == 0:
            self.query_one(ChangeList).say("There is no earlier evaluation.")
            return
        before, after = steps[at - 1], steps[at]
        self._worker.request_changes(before, after)

    @on(ChangesFound)
    def show_movers(self, message: ChangesFound) -> None:
        """List the images that changed most."""
        listing = self.query_one(ChangeList)
        if message.movers is None:
            listing.say("The two evaluations contain different images.")
        else:
            listing.show(message.movers, message.before, message.after)

    @on(ChangeList.At)
    def go_to_mover(self, message: ChangeList.At) -> None:
        """Move the cursor to the highlighted image."""
        row = None if self._result is None else self._result.row_of(message.index)
        if row is not None:
            self._map.select(row)

    @on(ChangeList.Chosen)
    def take_mover(self) -> None:
        """Show the chosen image among its neighbours; back returns to the list."""
        index = self._position()
        self.post_message(messages.ViewerRequested(self.path, index, "neighbours"))
