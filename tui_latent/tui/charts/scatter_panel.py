"""A panel that shows a map: points with everything below and above them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui_latent.map_frame import Frame, settle_frame, whole_frame
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.panel import ChartPanel, Drawing, message_strips
from tui_latent.tui.charts.scatter import Scene
from tui_latent.tui.charts.scatter_drawing import draw_map


class ScatterPanel(ChartPanel):
    """Shows a scene; draws it again only when the scene, the size or the colours change."""

    def __init__(self, drawer: WorkerThread, name: str) -> None:
        super().__init__(drawer, name)
        self.scene: Scene | None = None
        self._hint = ""
        self._titles: Sequence[str] = ("Latent map",)
        self._frame: Frame | None = None  # the drawing thread's alone
        self._all = False

    def show(
        self, scene: Scene | None, hint: str = "", titles: Sequence[str] = ("Latent map",)
    ) -> None:
        """Show a scene; without one, say under `titles` why there is none."""
        if scene is None or self.scene is None:
            same = scene is self.scene and hint == self._hint
        else:
            same = scene.source is not None and scene.source is self.scene.source
        if not same:
            self.scene, self._hint, self._titles = scene, hint, titles
            self.redraw()

    def toggle_frame(self) -> None:
        """Show every point, however far from the others, or again the frame of most of them."""
        self._all = not self._all
        self.redraw()

    def plan(self, width: int, height: int) -> Callable[[], Drawing]:
        """Reduce and draw the current scene."""
        scene, hint, titles = self.scene, self._hint, self._titles
        if scene is None:
            return lambda: Drawing(message_strips(hint, width, height), titles)
        colored, dark = not self.app.no_color, self.app.current_theme.dark
        everything = self._all

        def draw() -> Drawing:
            self._frame = settle_frame(scene.points, self._frame)
            frame = whole_frame(scene.points) if everything else self._frame
            return draw_map(scene, frame, width, height, colored, dark)

        return draw
