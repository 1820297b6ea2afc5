"""The screens that the application opens over the menu, and the files it writes for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from textual import on, work

from tui_latent.preferences.kept import Kept
from tui_latent.tui import messages
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.paced_app import PacedApp

Export = Callable[[Path], Path]


class ScreenOpener(PacedApp[int]):
    """Opens screens as messages request."""

    drawer: WorkerThread
    """the one thread that draws plots"""
    kept: Kept
    _export: Export

    @on(messages.PresetImagesRequested)
    def show_preset_images(self, message: messages.PresetImagesRequested) -> None:
        """Show the images as a run of a preset would see them."""
        from tui_latent.tui.screens.images.preset_images import PresetImagesScreen

        size = self.kept.preferences.image_size
        self.push_screen(PresetImagesScreen(message.preset_name, message.preset, size))

    @on(messages.ViewerRequested)
    def show_images(self, message: messages.ViewerRequested) -> None:
        """Show a run's images."""
        from tui_latent.tui.screens.images.screen import ViewerScreen

        size = self.kept.preferences.image_size
        viewer = ViewerScreen(message.path, self.drawer, message.index, message.page, size)
        viewer.look_as(self.kept.look(message.path, "viewer"))
        self.push_screen(viewer)

    @on(messages.ExplorerRequested)
    def explore(self, message: messages.ExplorerRequested) -> None:
        """Explore a run's map."""
        from tui_latent.tui.screens.explorer.screen import ExplorerScreen

        explorer = ExplorerScreen(message.path, self.drawer, message.cursor)
        doors = message.pair, message.only, message.cluster_of
        if all(door is None for door in doors):  # a door shows classes or clusters in their colours
            explorer.look_as(self.kept.look(message.path, "explorer"))
        explorer.enter_by(*doors)
        self.push_screen(explorer)

    @on(messages.EvaluationRequested)
    def show_evaluation(self, message: messages.EvaluationRequested) -> None:
        """Show a run's evaluation."""
        from tui_latent.tui.screens.evaluation.screen import EvaluationScreen

        self.push_screen(EvaluationScreen(message.path, self.drawer))

    @on(messages.DoorRequested)
    def go_through(self, message: messages.DoorRequested) -> None:
        """Open the screen that shows the evidence of a finding."""
        path, door, cursor = message.path, message.door, message.cursor
        if door.place == "evaluation":
            self.show_evaluation(messages.EvaluationRequested(path))
        elif door.place == "images":
            self.show_images(messages.ViewerRequested(path, page="reconstructions"))
        elif door.place in ("map", "confusion"):
            cursor.step = door.step
            truth, called = door.truth, door.called
            pair = None if truth is None or called is None else (truth, called)
            self.explore(messages.ExplorerRequested(path, cursor, pair))

    @on(messages.ComparisonRequested)
    def compare(self, message: messages.ComparisonRequested) -> None:
        """Compare runs."""
        from tui_latent.tui.screens.compare.screen import CompareScreen

        look = {"axis": self.kept.preferences.axis, **self.kept.look(None, "comparison")}
        self.push_screen(CompareScreen(message.paths, self.drawer, look))

    @on(messages.LabelsRequested)
    def edit_labels(self, message: messages.LabelsRequested) -> None:
        """Ask for the name, the tags and the notes of a run, and write them."""
        from tui_latent.runs.labels import change_labels, read_labels
        from tui_latent.runs.schema import Labels, RunError
        from tui_latent.tui.screens.dialogs.labels import LabelsScreen

        path = message.path

        def write(labels: Labels | None) -> None:
            if labels is None:
                return
            try:
                change_labels(path, name=labels.name, tags=labels.tags, notes=labels.notes)
            except RunError as error:
                self.notify(str(error), severity="error", markup=False)

        self.push_screen(LabelsScreen(path.name, read_labels(path)), write)

    @on(messages.PresetSaveRequested)
    def save_preset(self, message: messages.PresetSaveRequested) -> None:
        """Save a preset, and say where it is."""
        from tui_latent.config.own_presets import save_preset
        from tui_latent.config.preset_files import PresetError

        name = message.name
        try:
            path = save_preset(message.folder, name, message.table, message.replace)
        except PresetError as error:
            self.notify(str(error), title="Not saved", severity="error", timeout=20, markup=False)
        else:
            message.saved()
            words = f"{path}\nIt is in the menu; in a shell: tui-latent train {name}"
            self.notify(words, title=f"Saved {name}", timeout=10, markup=False)

    # Reports

    @on(messages.ReportRequested)
    def export_report(self, message: messages.ReportRequested) -> None:
        """Export a run's report in the background."""
        from tui_latent.runs.sweep_folder import is_sweep

        if is_sweep(message.path):
            self.export_sweep(messages.SweepReportRequested(message.path))
            return
        self.notify("Writing the report…")
        self._write_report(partial(self._export, message.path))

    @on(messages.PointsExportRequested)
    def export_points(self, message: messages.PointsExportRequested) -> None:
        """Export the points of a map in the background."""
        from tui_latent.analysis.point_table import write_points

        self._write_report(
            lambda: write_points(message.path, step=message.step, where=message.where)[0], "Points"
        )

    @on(messages.SweepReportRequested)
    def export_sweep(self, message: messages.SweepReportRequested) -> None:
        """Export a sweep in the background."""
        from tui_latent.launch.export import export_sweep

        self.notify("Writing the report of the sweep…")
        self._write_report(lambda: export_sweep(message.path, message.metric)[0])

    @on(messages.ComparisonExportRequested)
    def export_comparison(self, message: messages.ComparisonExportRequested) -> None:
        """Export a comparison in the background."""
        from tui_latent.launch import export

        self.notify("Writing the comparison…")
        self._write_report(lambda: export.export_comparison(message.paths))

    @work(group="report", thread=True, exit_on_error=False)
    def _write_report(self, write: Callable[[], Path], title: str = "Report") -> None:
        try:
            written = write()
        # Nobody waits for this thread, so it must report its own failure.
        except Exception as error:
            text = str(error) or type(error).__name__
            self.notify(text, title=f"{title} failed", severity="error", timeout=20, markup=False)
        else:
            self.notify(str(written), title=title, timeout=20, markup=False)
