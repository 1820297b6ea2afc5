"""The maps of the best settings side by side, aligned to the first."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Grid

from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.scatter import map_scene
from tui_latent.tui.charts.scatter_panel import ScatterPanel
from tui_latent.tui.format import clip
from tui_latent.tui.screens.sweep.view import MOST_MAPS, SweepView

_WIDTH, _HEIGHT = 24, 9
"""fewest cells of a map"""


def _grid(maps: int, width: int, height: int) -> tuple[int, int]:
    """Return how many maps are beside and below each other.

    As many as possible are shown, and of these arrangements the one with the largest squares is
    chosen, as a cell is about twice as high as it is wide.
    """
    most_down = max(1, height // _HEIGHT)
    arrangements = [
        (across, min(most_down, -(-maps // across)))
        for across in range(1, max(1, min(width // _WIDTH, maps)) + 1)
    ]
    return max(
        arrangements,
        key=lambda grid: (
            min(maps, grid[0] * grid[1]),
            min(width / grid[0], 2 * height / grid[1]),
        ),
    )


def _why_empty(view: SweepView) -> str:
    if all(group.over for group in view.groups):
        return "There are no maps: no run has been evaluated."
    return "Maps appear with the first evaluation."


class SweepMaps(Grid, can_focus=True):
    """As many small maps as fit."""

    DEFAULT_CSS = """
    SweepMaps {
        border: round $foreground 30%; border-title-color: $foreground;
        &:focus { border: round $accent; border-title-style: bold; }
    }
    SweepMaps > ScatterPanel { width: 1fr; height: 1fr; }
    """

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__(id="maps")
        self._drawer = drawer
        self._view: SweepView | None = None

    def compose(self) -> ComposeResult:
        for index in range(MOST_MAPS):
            panel = ScatterPanel(self._drawer, f"map-{index}")
            panel.can_focus = panel.display = False
            yield panel

    def show(self, view: SweepView) -> None:
        """Show the maps of a sweep."""
        self._view = view
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        view, size = self._view, self.content_size
        if view is None or not size.area:
            return
        known = len(view.maps)
        across, down = _grid(known or 1, size.width, size.height)
        self.styles.grid_size_columns, self.styles.grid_size_rows = across, down
        shown = min(known, across * down)
        room = max(8, size.width // across - 6)
        short = any(len(group.label) > room for group, _ in view.maps[:shown])
        head = f" · best {shown} of {len(view.groups)}, aligned to the first" if known else ""
        by = f" · by {' · '.join(view.maps[0][0].short_keys)}" if short and known else ""
        self.border_title = f"Maps{by}{head}"
        for index, panel in enumerate(self.query(ScatterPanel)):
            panel.display = index < max(shown, 1)
            if index < shown:
                group, compared = view.maps[index]
                label = group.short_label if short else group.label
                titles = (label, clip(label, room))
                scene = (
                    map_scene(compared.map, titles=lambda _, t=titles: t, source=compared)
                    if compared.map is not None
                    else None
                )
                panel.show(scene, compared.problem, titles)
            elif index == 0:
                panel.show(None, _why_empty(view), ("",))
