"""Every key of the dashboard, in one table.

The bindings of all screens, and with them the footer, the help, the command palette and the
README, are made from this table. A row's id has the form `group.verb`; users remap keys by id.
Rows that share a key must share an id: the screen decides which of them applies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from textual.binding import Binding, BindingType


@dataclass(frozen=True)
class Key:
    """One action, the keys that trigger it, and what people read about it."""

    id: str
    keys: str
    """comma-separated, in Textual's names"""
    action: str
    label: str
    """in the footer and the command palette"""
    tooltip: str
    """in the help and the README"""
    show: bool = True
    """in the footer and the README"""
    priority: bool = False
    """before the focused widget"""
    display: str | None = None
    """in the footer, where the first key's name does not say enough"""
    group: str = ""
    """label that this row shares in the footer with its neighbours of the same group"""

    def binding(self) -> Binding:
        """Return Textual's binding for this row."""
        return Binding(
            self.keys,
            self.action,
            self.label,
            show=self.show,
            key_display=self.display,
            priority=self.priority,
            tooltip=self.tooltip,
            id=self.id,
            group=Binding.Group(self.group, compact=True) if self.group else None,
        )


def _hidden(key_id: str, keys: str, action: str, tooltip: str, priority: bool = False) -> Key:
    return Key(key_id, keys, action, tooltip, tooltip, show=False, priority=priority)


_HELP: Final = Key("app.help", "?", "app.help", "Help", "Show every key")
_TIME: Final = (
    Key("time.earlier", "[", "time(-1)", "Previous", "Previous evaluation", group="Time"),
    Key("time.later", "]", "time(1)", "Next", "Next evaluation", group="Time"),
)
_ARROWS: Final = (("up", 0, -1), ("down", 0, 1), ("left", -1, 0), ("right", 1, 0))

KEYMAP: Final[Mapping[str, tuple[Key, ...]]] = {
    "app": (
        Key("app.help", "?", "help", "Help", "Show every key"),
        Key("app.quit", "ctrl+q", "quit", "Quit", "Quit tui-latent", priority=True),
    ),
    "menu": (
        Key(
            "menu.switch",
            "tab,shift+tab",
            "other_pane",
            "Switch",
            "Switch between presets and runs",
            display="tab",
        ),
        # Hidden: ctrl+q is in the footer already, and 80 columns are full.
        _hidden("menu.quit", "q", "app.quit", "Quit tui-latent"),
    ),
    "preset list": (Key("preset.start", "enter", "select", "Start", "Train this preset"),),
    "presets": (
        Key("preset.edit", "e", "choose('edit')", "Edit", "Edit the settings, then train"),
        Key(
            "preset.background",
            "b",
            "choose('background')",
            "Background",
            "Train in a background process",
        ),
        Key("preset.images", "v", "choose('images')", "Images", "Show augmented views"),
        Key("preset.filter", "/", "filter", "Filter", "Filter the presets"),
        _hidden(
            "preset.scroll_down", "shift+down", "scroll_details(1)", "Scroll the description down"
        ),
        _hidden("preset.scroll_up", "shift+up", "scroll_details(-1)", "Scroll the description up"),
    ),
    "preset filter": (
        _hidden("preset.leave_filter", "enter", "leave", "Go to the presets found", priority=True),
    ),
    "run list": (Key("run.open", "enter,o", "select", "Open", "Open this run's dashboard"),),
    "runs": (
        Key("run.resume", "r", "run('resume')", "Resume", "Resume from checkpoint"),
        Key(
            "run.background",
            "b",
            "run('background')",
            "Background",
            "Resume in a background process",
        ),
        # Hidden: 80 columns are full, and the dashboard has it too.
        _hidden("run.images", "v", "run('images')", "Show this run's images"),
        Key("run.mark", "m,space", "mark", "Mark", "Mark or unmark this run", display="m"),
        Key("run.compare", "c", "compare", "Compare", "Compare the marked runs"),
        Key("run.delete", "d", "run('delete')", "Delete", "Delete this run (asks first)"),
    ),
    "settings": (
        Key("settings.start", "ctrl+s", "start", "Start", "Train with these settings"),
        Key("settings.find", "ctrl+f", "find", "Find", "Find a setting"),
        # Before the input that has the focus, in which it would delete a word.
        Key(
            "settings.save",
            "ctrl+w",
            "save_preset",
            "Save preset",
            "Save as a preset of your own",
            priority=True,
        ),
        Key("settings.back", "escape", "back", "Back", "Leave without training"),
    ),
    "save preset": (
        Key("save.write", "enter", "save", "Save", "Save the preset", priority=True),
        Key("save.back", "escape", "back", "Back", "Do not save"),
    ),
    "settings grid": (
        _hidden("setting.up", "up", "move(-1)", "Previous setting"),
        _hidden("setting.down", "down,enter", "move(1)", "Next setting"),
        _hidden("setting.page_up", "pageup", "move(-10)", "Previous 10"),
        _hidden("setting.page_down", "pagedown", "move(10)", "Next 10"),
        Key("setting.reset", "ctrl+r", "reset", "Reset", "Reset to the preset's value"),
    ),
    "dashboard": (
        Key("run.pause", "space", "pause", "Pause", "Pause or resume training"),
        Key("run.stop", "s", "ask('stop')", "Stop", "Stop training and save"),
        Key("run.resume", "r", "resume", "Resume", "Resume from checkpoint"),
        Key("view.explore", "l", "explore", "Explore", "Explore the map"),
        Key("view.evaluate", "e", "evaluate", "Evaluate", "Evaluate the latents"),
        Key("view.images", "v", "images", "Images", "Show this run's images"),
        *_TIME,
        _HELP,
        Key("view.menu", "q", "menu", "Menu", "Back to presets and runs"),
        Key("run.report", "x", "report", "Report", "Export the report as PNG and JSON"),
        Key("run.save", "k", "checkpoint", "Save", "Save a checkpoint now"),
        Key("view.full", "f", "full", "Full", "Show the focused panel full-screen"),
        Key("run.lr_down", "<", "scale_lr(0.5)", "LR down", "Halve the learning rate", group="LR"),
        Key("run.lr_up", ">", "scale_lr(2.0)", "LR up", "Double the learning rate", group="LR"),
        Key("chart.log", "y", "log", "Log", "Logarithmic or linear loss"),
        Key("chart.axis", "t", "axis", "Axis", "Plot over steps or over time"),
        Key("chart.less", "-", "smooth(-1)", "Smooth less", "Smooth the loss less", group="Smooth"),
        Key(
            "chart.more", "+,=", "smooth(1)", "Smooth more", "Smooth the loss more", group="Smooth"
        ),
        _hidden("view.back", "escape", "leave", "Leave full screen"),
        _hidden("view.next", "tab", "app.focus_next", "Next panel"),
        _hidden("view.previous", "shift+tab", "app.focus_previous", "Previous panel"),
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
                f"shift+{name}",
                f"pan({across}, {down})",
                "Pan",
                "Pan the map, or rotate a 3-D cloud",
                show=False,
                priority=True,
            )
            for name, across, down in _ARROWS
        ),
        _hidden("explorer.next", "tab", "step(1)", "Next point, including points behind others"),
        _hidden("explorer.previous", "shift+tab", "step(-1)", "Previous point"),
        Key("explorer.find", "/", "find", "Find", "Find an image by number or a class by name"),
        _hidden("explorer.find_next", "n", "find_next", "Next match"),
        Key(
            "explorer.color",
            "c",
            "color(1)",
            "Colour",
            "Colour by class, cluster, kNN error, anomaly score or density",
        ),
        _hidden("explorer.color_back", "C", "color(-1)", "Previous colouring"),
        Key("explorer.projection", "P", "projection", "Project", "Next projection of the latents"),
        Key("explorer.solo", "s", "solo", "Solo", "Show only this point's class, or all classes"),
        _hidden("explorer.hide", "h", "hide", "Hide this point's class"),
        _hidden(
            "explorer.examples", "e", "examples", "Show fewer points per class, or all of them"
        ),
        _hidden("explorer.all", "a", "all", "Show all classes"),
        Key("explorer.zoom_in", "z,+,=", "zoom(1)", "Zoom", "Zoom in at the cursor"),
        _hidden("explorer.zoom_out", "Z,-", "zoom(-1)", "Zoom out"),
        _hidden("explorer.whole", "home", "whole", "Show the whole map"),
        Key("explorer.shade", "V", "shade", "Voronoi", "Shade the Voronoi cells"),
        Key("explorer.thumbnails", "i", "thumbnails", "Images", "Show images in place of points"),
        Key(
            "explorer.movers",
            "m",
            "movers",
            "Changes",
            "List the images whose neighbourhood changed most",
        ),
        *_TIME,
        _hidden("time.first", "{", "time(-100000)", "First evaluation"),
        _hidden("time.last", "}", "time(100000)", "Newest evaluation"),
        Key("explorer.play", "p", "play", "Play", "Play the evaluations from the first on"),
        Key("explorer.viewer", "v", "images", "Viewer", "Open this image in the viewer"),
        _HELP,
        Key("explorer.back", "escape,q", "back", "Back", "Cancel, or go back"),
        *(
            _hidden(
                f"explorer.class_{digit}",
                str(digit),
                f"only({digit})",
                f"Show only class {digit} of the legend",
            )
            for digit in range(10)
        ),
    ),
    "evaluation": (
        Key("evaluation.run", "r", "evaluate", "Evaluate", "Evaluate the newest latents"),
        Key(
            "evaluation.outliers",
            "o",
            "outliers",
            "Outliers",
            "ROC curve against a dataset, a folder or a class",
        ),
        Key("evaluation.cancel", "c", "cancel", "Cancel", "Cancel the evaluation"),
        Key("view.down", "down", "scroll('down')", "Scroll", "Scroll down (up: up)", display="↑↓"),
        _hidden("view.up", "up", "scroll('up')", "Scroll up"),
        _hidden("view.page_down", "pagedown,space", "scroll('page_down')", "Page down"),
        _hidden("view.page_up", "pageup", "scroll('page_up')", "Page up"),
        _hidden("view.top", "home", "scroll('home')", "Go to the top"),
        _hidden("view.end", "end", "scroll('end')", "Go to the end"),
        _HELP,
        Key("view.back", "q,escape", "back", "Back", "Back to the run"),
    ),
    "comparison": (
        Key("chart.metric", "m", "metric(1)", "Metric", "Next metric"),
        _hidden("chart.metric_before", "M", "metric(-1)", "Previous metric"),
        Key("chart.log", "y", "log", "Log", "Logarithmic or linear axis"),
        Key("chart.axis", "t", "axis", "Axis", "Plot over steps or over time"),
        Key("view.maps", "n", "maps", "Maps", "Show the other runs' maps"),
        Key("view.full", "f", "full", "Full", "Show the focused panel full-screen"),
        Key("run.report", "x", "report", "Report", "Export the report as PNG and JSON"),
        _HELP,
        Key("view.back", "q,escape", "leave", "Back", "Back to presets and runs"),
        Key("view.next", "tab", "panel(1)", "Panel", "Next panel"),
        _hidden("view.previous", "shift+tab", "panel(-1)", "Previous panel"),
    ),
    "images": (
        Key("images.draw", "n", "draw", "Resample", "Draw new random samples"),
        Key(
            "images.next",
            "down",
            "go('index', 1)",
            "Image",
            "Next image (up: previous)",
            display="↑↓",
        ),
        Key(
            "images.next",
            "down",
            "go('label', 1)",
            "Class",
            "Next class (up: previous)",
            display="↑↓",
        ),
        Key(
            "images.next", "down", "go('rank', 1)", "Rank", "Next rank (up: previous)", display="↑↓"
        ),
        Key(
            "images.right",
            "right",
            "go('other', 1)",
            "End",
            "Next end of the interpolation (left: previous)",
            display="←→",
        ),
        _hidden("images.right", "right", "step(1, 1)", "Next"),
        _hidden("images.up", "up", "step(0, -1)", "Previous"),
        _hidden("images.left", "left", "step(1, -1)", "Previous"),
        _hidden("images.next_10", "pagedown", "step(0, 10)", "Next 10"),
        _hidden("images.previous_10", "pageup", "step(0, -10)", "Previous 10"),
        Key("images.number", "g", "number", "Number", "Go to an image by number"),
        Key("images.size", "z", "size", "Size", "Smaller or larger images"),
        Key("images.back", "q,escape", "back", "Back", "Leave the images"),
    ),
    "viewer": (
        *(
            Key(f"images.{page}", key, f"page('{page}')", label, tooltip, group="Pages")
            for page, key, label, tooltip in (
                ("views", "a", "Views", "Augmented views and where they fall on the map"),
                ("neighbours", "k", "Neighbours", "Nearest and most distant training images"),
                ("reconstructions", "r", "Reconstructions", "Images and their reconstructions"),
                ("samples", "s", "Samples", "Images of a class sampled from its Gaussian"),
                ("sliders", "l", "Sliders", "One slider per latent dimension"),
                ("walk", "w", "Interpolation", "Interpolation between two images"),
                ("extremes", "e", "Extremes", "Most and least typical images of a class"),
                ("anomalies", "o", "Anomalies", "Held-out images far from the training images"),
            )
        ),
        Key("images.map", "m", "map", "Map", "Show or hide the map"),
    ),
    "sliders": (
        Key(
            "sliders.less",
            "left",
            "move(-1)",
            "Move",
            "Move the slider left (right: right)",
            display="←→",
        ),
        _hidden("sliders.more", "right", "move(1)", "Move the slider right"),
        _hidden(
            "sliders.far_less", "shift+left,-", "move(-8)", "Move the slider left in big steps"
        ),
        _hidden(
            "sliders.far_more", "shift+right,+,=", "move(8)", "Move the slider right in big steps"
        ),
        Key(
            "sliders.next",
            "down",
            "choose(1)",
            "Slider",
            "Next dimension (up: previous)",
            display="↑↓",
        ),
        _hidden("sliders.previous", "up", "choose(-1)", "Previous dimension"),
        _hidden("sliders.next_10", "pagedown", "choose(10)", "Next 10"),
        _hidden("sliders.previous_10", "pageup", "choose(-10)", "Previous 10"),
        Key("sliders.reset", "backspace", "reset", "Reset", "Reset this slider"),
        Key(
            "sliders.start",
            "c",
            "start(1)",
            "Mean",
            "Set all sliders to the mean of the next class (a digit: of that class)",
        ),
        _hidden(
            "sliders.start_before",
            "C,upper_c",
            "start(-1)",
            "Set all sliders to the mean of the previous class",
        ),
        _hidden(
            "sliders.image", "i", "image", "Set all sliders to the latent of the current image"
        ),
    ),
    "confirm": (
        Key("confirm.yes", "y", "answer(True)", "Yes", "Yes"),
        Key("confirm.no", "n,escape", "answer(False)", "No", "No"),
        _hidden("confirm.other", "left,right", "app.focus_next", "Switch"),
    ),
    "help": (Key("help.close", "escape,q,?", "dismiss", "Close", "Close the help"),),
}


def bindings(name: str) -> list[BindingType]:
    """Return the bindings of a part of the table."""
    return [row.binding() for row in KEYMAP[name]]
