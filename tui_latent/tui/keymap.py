"""Every key of the dashboard, in one table.

The bindings of all screens, and with them the footer, the help, the command palette and the
documents, are made from this table. A row names a verb of `verbs.py`, which has the keys: one key
has one meaning on every screen. A row's id has the form `group.verb`; users remap keys by id.
Rows that share a key must share an id: the screen decides which of them applies.

The parts for dialogs and images are in `dialog_keys.py` and `image_keys.py`. The order of rows is
the order of the footer; those at the end give way where it is narrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from textual.binding import BindingType

from tui_latent.tui.dialog_keys import DIALOG_KEYS
from tui_latent.tui.image_keys import IMAGE_KEYS
from tui_latent.tui.key import Key, back, help_key, hidden

_TIME: Final = (
    Key("time.earlier", "earlier", "time(-1)", "Earlier", "Earlier evaluation", group="Time"),
    Key("time.later", "later", "time(1)", "Later", "Later evaluation", group="Time"),
    hidden("time.first", "first_evaluation", "time(-100000)", "First evaluation"),
    hidden("time.last", "newest", "time(100000)", "Back to the newest evaluation"),
)
_LOG: Final = Key("chart.log", "log", "log", "Log", "Logarithmic or linear axis")
_AXIS: Final = Key("chart.axis", "axis", "axis", "Axis", "Plot over steps, epochs or time")
_SMOOTH: Final = (
    Key("chart.less", "smooth_less", "smooth(-1)", "Less", "Smooth less", group="Smooth"),
    Key("chart.more", "smooth_more", "smooth(1)", "More", "Smooth more", group="Smooth"),
)
_FULL: Final = Key("view.full", "full", "full", "Full", "Show the focused panel full-screen")
_REPORT: Final = Key("run.report", "export", "report", "Report", "Export a report as PNG and JSON")
_FILM: Final = Key(
    "time.film", "film", "film", "Film", "Show or hide the evaluations as a film strip"
)
_FRAME: Final = Key(
    "view.frame", "zoom_all", "frame", "All", "Show all points of the map, or the frame again"
)
_QUEUE: Final = hidden("app.queue", "queue", "app.queue", "Show and reorder the queue")
_MOST_RUNS: Final = 8
"""runs of a comparison"""
_ARROWS: Final = (("up", 0, -1), ("down", 0, 1), ("left", -1, 0), ("right", 1, 0))

KEYMAP: Final[Mapping[str, tuple[Key, ...]]] = {
    "app": (
        help_key("help"),
        Key("app.quit", "quit", "quit", "Quit", "Quit tui-latent", priority=True),
    ),
    "menu": (
        Key("menu.switch", "next_panel", "other_pane", "Switch", "Go from presets to runs or back"),
        hidden("menu.switch_back", "previous_panel", "other_pane", "Go back to the other list"),
        # Not escape: it only closes what is open here, and the menu is what stays.
        Key("menu.quit", "back", "app.quit", "Quit", "Quit tui-latent", only="q"),
        Key("menu.folder", "folder", "folder", "Folder", "List the runs of your next folder"),
        _QUEUE,
    ),
    "preset list": (Key("preset.start", "choose", "select", "Start", "Train this preset"),),
    "presets": (
        Key("preset.edit", "edit", "choose('edit')", "Edit", "Edit the settings, then train"),
        Key(
            "preset.background",
            "background",
            "choose('background')",
            "Background",
            "Train in a background process",
        ),
        Key("preset.images", "images", "choose('images')", "Images", "Show augmented views"),
        Key("preset.filter", "find", "filter", "Filter", "Filter the presets"),
        hidden("preset.scroll_down", "far_down", "scroll_details(1)", "Scroll the description"),
        hidden("preset.scroll_up", "far_up", "scroll_details(-1)", "Scroll the description"),
    ),
    "preset filter": (
        hidden("preset.leave_filter", "choose", "leave", "Go to the presets found", priority=True),
    ),
    "run list": (Key("run.open", "choose", "select", "Open", "Open this run's dashboard"),),
    "runs": (
        Key("run.filter", "find", "filter", "Filter", "Filter the runs"),
        Key("run.resume", "resume", "run('resume')", "Resume", "Resume from checkpoint"),
        Key("run.mark", "mark", "mark", "Mark", "Mark or unmark this run, and go to the next"),
        Key("run.compare", "compare", "compare", "Compare", "Compare the marked runs"),
        Key("run.sort", "sort", "sort", "Sort", "Sort by the next column (or click its title)"),
        Key("run.labels", "name", "run('labels')", "Name", "Give it a name, tags and notes"),
        Key("run.delete", "delete", "run('delete')", "Delete", "Delete this run (asks first)"),
        Key("run.columns", "columns", "columns", "Columns", "Choose the columns"),
        Key("run.archive", "archive", "run('archive')", "Archive", "Archive it, or bring it back"),
        Key("run.archived", "all", "archived", "All", "Show archived runs too, or hide them"),
        Key(
            "run.background",
            "background",
            "run('background')",
            "Background",
            "Resume in a background process",
        ),
        Key("run.stop", "stop", "run('stop')", "Stop", "Stop the training (asks first)"),
        Key("run.edit", "edit", "run('edit')", "Edit", "Change its settings, or start a new run"),
        Key(
            "run.fork", "fork", "run('fork')", "Fork", "Start a new run from one of its checkpoints"
        ),
        Key("view.explore", "latents", "run('explore')", "Explore", "Explore the map"),
        Key("run.images", "images", "run('images')", "Images", "Show this run's images"),
        Key("view.evaluate", "tests", "run('evaluate')", "Evaluate", "Evaluate the latents"),
        Key("run.report", "export", "run('report')", "Report", "Export a report as PNG and JSON"),
    ),
    "run filter": (
        hidden("run.leave_filter", "choose", "leave", "Go to the runs found", priority=True),
    ),
    "settings": (
        Key("settings.start", "start", "start", "Start", "Train with these settings"),
        Key("settings.find", "find", "find", "Find", "Find a setting", only="ctrl+f"),
        # Before the input that has the focus, in which it would delete a word.
        Key(
            "settings.save",
            "save_preset",
            "save_preset",
            "Save preset",
            "Save as a preset of your own",
            priority=True,
        ),
        help_key(),
        back("settings.back", "back", "Leave without training"),
    ),
    "settings grid": (
        hidden("setting.up", "up", "move(-1)", "Previous setting"),
        hidden("setting.down", "down", "move(1)", "Next setting"),
        hidden("setting.next", "choose", "move(1)", "Keep this value and go to the next setting"),
        hidden("setting.page_up", "page_up", "move(-10)", "Previous 10"),
        hidden("setting.page_down", "page_down", "move(10)", "Next 10"),
        Key(
            "setting.reset", "reset", "reset", "Reset", "Reset to the preset's value", only="ctrl+r"
        ),
    ),
    "dashboard": (
        Key("run.pause", "pause", "pause", "Pause", "Pause or continue the training"),
        Key("run.stop", "stop", "ask_to_stop", "Stop", "Stop the training (asks first)"),
        Key("run.resume", "resume", "resume", "Resume", "Resume from checkpoint"),
        Key("view.explore", "latents", "explore", "Explore", "Explore the map"),
        # Hidden: the line of the verdict names the key itself.
        hidden("verdict.open", "choose", "verdict", "Show the verdict with its evidence"),
        Key("view.evaluate", "tests", "evaluate", "Evaluate", "Evaluate the latents"),
        Key("view.images", "images", "images", "Images", "Show this run's images"),
        *_TIME,
        Key("run.edit", "edit", "edit", "Edit", "Change its settings, or start a new run"),
        _REPORT,
        _FULL,
        _FRAME,
        _FILM,
        Key("run.fork", "fork", "fork", "Fork", "Start a new run from one of its checkpoints"),
        hidden("run.undo", "undo", "undo", "Undo the newest change of a setting"),
        Key("run.save", "keep", "checkpoint", "Keep", "Save a checkpoint now"),
        Key(
            "run.lr_down",
            "rate_down",
            "scale_lr(0.5)",
            "Halve rate",
            "Halve the learning rate",
            group="Rate",
        ),
        Key(
            "run.lr_up",
            "rate_up",
            "scale_lr(2.0)",
            "Double rate",
            "Double the learning rate",
            group="Rate",
        ),
        _LOG,
        _AXIS,
        Key("chart.weights", "weighted", "weights", "Weights", "Show loss terms weighted, or raw"),
        Key("chart.front", "next", "front(1)", "Front", "Bring the next curve to the front"),
        hidden(
            "chart.front_before", "previous", "front(-1)", "Bring the previous curve to the front"
        ),
        *_SMOOTH,
        help_key(),
        back("view.menu", "leave", "Leave full screen, or go back to presets and runs"),
        _QUEUE,
        hidden("run.labels", "name", "labels", "Give this run a name, tags and notes"),
        hidden("view.next", "next_panel", "panel(1)", "Next panel"),
        hidden("view.previous", "previous_panel", "panel(-1)", "Previous panel"),
    ),
    "curves": (
        hidden("curves.left", "left", "cursor(-1)", "Read the curves further left"),
        hidden("curves.right", "right", "cursor(1)", "Read the curves further right"),
        hidden("curves.first", "first", "cursor_end(False)", "Read the first record"),
        hidden("curves.last", "last", "cursor_end(True)", "Read the last record"),
        hidden("curves.pan_left", "far_left", "pan(-1)", "Pan to the left"),
        hidden("curves.pan_right", "far_right", "pan(1)", "Pan to the right"),
        hidden("curves.zoom_in", "zoom_in", "zoom(1)", "Zoom in at the cursor"),
        hidden("curves.zoom_out", "zoom_out", "zoom(-1)", "Zoom out"),
        hidden("curves.whole", "zoom_all", "whole", "Show the whole run"),
        hidden("curves.open", "choose", "choose_step", "Show the evaluation at the cursor"),
    ),
    "explorer": (
        *(
            Key(
                f"explorer.{name}",
                name,
                f"move({across}, {down})",
                "Move",
                "Move the cursor",
                priority=True,
                group="Move",
            )
            for name, across, down in _ARROWS
        ),
        *(
            Key(
                f"explorer.pan_{name}",
                f"far_{name}",
                f"pan({across}, {down})",
                "Pan",
                "Pan the map",
                show=False,
                priority=True,
            )
            for name, across, down in _ARROWS
        ),
        *(
            Key(
                f"explorer.pan_{name}",
                f"far_{name}",
                f"rotate({across}, {down})",
                "Rotate",
                "Rotate the 3-D cloud",
                show=name == "up",
                priority=True,
                display="shift+arrows",
            )
            for name, across, down in _ARROWS
        ),
        Key("explorer.spin", "spin", "spin", "Spin", "Rotate the 3-D cloud slowly, or stop"),
        hidden("explorer.next", "next_panel", "step(1)", "Next point, hidden ones included"),
        hidden("explorer.previous", "previous_panel", "step(-1)", "Previous point"),
        Key(
            "explorer.find",
            "find",
            "find",
            "Find",
            "Find an image by number or a class by name, or filter the points: age>60",
        ),
        hidden("explorer.find_next", "next", "find_next", "Next match"),
        hidden("explorer.find_previous", "previous", "find_previous", "Previous match"),
        Key(
            "explorer.color",
            "color",
            "color(1)",
            "Colour",
            "Colour by class, name, column, cluster, kNN error, anomaly score or density",
        ),
        Key("explorer.viewer", "images", "images", "Images", "Open this image in the viewer"),
        Key("explorer.solo", "solo", "solo", "Solo", "Show only this point's class, or all"),
        *_TIME,
        Key("explorer.zoom_in", "zoom_in", "zoom(1)", "In", "Zoom in at the cursor", group="Zoom"),
        Key("explorer.zoom_out", "zoom_out", "zoom(-1)", "Out", "Zoom out", group="Zoom"),
        Key("explorer.projection", "projection", "projection", "Project", "Next projection"),
        Key("explorer.mark", "mark", "mark", "Mark", "Mark or unmark this point"),
        Key(
            "explorer.name",
            "name",
            "name",
            "Name",
            "Name the marked points, this cluster, or the points in view",
        ),
        Key("explorer.movers", "movers", "movers", "Movers", "List the images that moved most"),
        Key(
            "explorer.thumbnails",
            "thumbnails",
            "thumbnails",
            "Pictures",
            "Images in place of points",
        ),
        Key("explorer.shade", "cells", "shade", "Voronoi", "Shade the Voronoi cells"),
        _FILM,
        Key("explorer.play", "play", "play", "Play", "Play the evaluations from the first"),
        _FRAME,
        hidden("explorer.export", "export", "export", "Export the points as a CSV file"),
        hidden("explorer.hide", "hide", "hide", "Hide this point's class"),
        hidden("explorer.all", "all", "all", "Show all classes"),
        hidden("explorer.examples", "fewer", "examples", "Fewer points per class, or all of them"),
        help_key(),
        back("explorer.back", "back", "Cancel, or go back"),
        *(
            hidden(
                f"explorer.class_{digit}",
                "number",
                f"only({digit})",
                "Show only the class of this number",
                only=str(digit),
            )
            for digit in range(10)
        ),
    ),
    "evaluation": (
        Key("evaluation.run", "tests", "evaluate", "Evaluate", "Evaluate the newest latents"),
        Key(
            "evaluation.outliers",
            "unusual",
            "outliers",
            "Outliers",
            "ROC curve against a dataset, a folder or a class",
        ),
        Key("evaluation.cancel", "stop", "cancel", "Stop", "Stop the evaluation (asks first)"),
        Key("view.down", "down", "scroll('down')", "Scroll", "Scroll down or up", display="↑↓"),
        hidden("view.up", "up", "scroll('up')", "Scroll up"),
        hidden("view.page_down", "page_down", "scroll('page_down')", "Page down"),
        hidden("view.page_up", "page_up", "scroll('page_up')", "Page up"),
        hidden("view.top", "first", "scroll('home')", "Go to the top"),
        hidden("view.end", "last", "scroll('end')", "Go to the end"),
        help_key(),
        back("view.back", "back", "Back to the run"),
    ),
    "class rows": (
        Key("rows.open", "choose", "open", "Show", "Show these images on the map"),
        hidden("rows.up", "up", "move(0, -1)", "Previous row"),
        hidden("rows.down", "down", "move(0, 1)", "Next row"),
    ),
    "matrix": (
        Key("rows.open", "choose", "open", "Show", "Show these images on the map"),
        Key("matrix.solo", "solo", "solo", "Solo", "Show only the class of this row on the map"),
        *(
            hidden(f"matrix.{name}", name, f"move({across}, {down})", "Move the cursor")
            for name, across, down in _ARROWS
        ),
    ),
    "comparison": (
        Key("chart.metric", "next", "metric(1)", "Metric", "Next metric"),
        hidden("chart.metric_before", "previous", "metric(-1)", "Previous metric"),
        Key("chart.find", "find", "find_metric", "Find", "Choose the metric by its name"),
        _LOG,
        _AXIS,
        _FULL,
        _REPORT,
        Key("view.next", "next_panel", "panel(1)", "Panel", "Next panel"),
        hidden("view.previous", "previous_panel", "panel(-1)", "Previous panel"),
        Key("view.maps", "page_down", "maps", "Maps", "Show the other runs' maps"),
        *_SMOOTH,
        *(
            hidden(
                f"chart.run_{digit}",
                "number",
                f"front({digit})",
                f"Bring run {digit} to the front" if digit else "Bring no run to the front",
                only=str(digit),
            )
            for digit in range(_MOST_RUNS + 1)
        ),
        help_key(),
        back("view.back", "leave", "Leave full screen, or go back to presets and runs"),
    ),
    "sweep": (
        Key("sweep.open", "choose", "open", "Open", "Open the best run with these settings"),
        Key("sweep.best", "best", "best", "Best", "Open the best run of all"),
        Key("sweep.sort", "sort", "sort", "Sort", "Sort by the next column (or click its title)"),
        Key("chart.metric", "next", "metric(1)", "Metric", "Next metric"),
        hidden("chart.metric_before", "previous", "metric(-1)", "Previous metric"),
        Key("sweep.picture", "axis", "picture", "Picture", "Plot the runs against other settings"),
        Key("view.next", "next_panel", "panel(1)", "Panel", "Next panel"),
        hidden("view.previous", "previous_panel", "panel(-1)", "Previous panel"),
        Key("sweep.runs", "all", "all", "Runs", "Show each run, or the means over seeds"),
        Key("chart.find", "find", "find_metric", "Find", "Choose the metric by its name"),
        Key("sweep.stop", "stop", "stop", "Stop", "Stop the sweep (asks first)"),
        Key("sweep.report", "export", "report", "Report", "Export the sweep as PNG and CSV"),
        _FULL,
        help_key(),
        back("view.back", "leave", "Leave full screen, or go back to presets and runs"),
    ),
    **IMAGE_KEYS,
    **DIALOG_KEYS,
}


def bindings(name: str) -> list[BindingType]:
    """Return the bindings of a part of the table."""
    return [row.binding() for row in KEYMAP[name]]
