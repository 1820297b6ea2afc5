"""The keys of the dialogs: a part of the table in `keymap.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui_latent.tui.key import Key, back, help_key, hidden

DIALOG_KEYS: Final[Mapping[str, tuple[Key, ...]]] = {
    "save preset": (
        Key("save.write", "choose", "save", "Save", "Save the preset", priority=True),
        # Not q, which is text here.
        Key("save.back", "back", "back", "Back", "Do not save", only="escape"),
    ),
    "column list": (Key("columns.toggle", "choose", "select", "Show", "Show or hide this column"),),
    "columns": (
        Key("columns.sort", "sort", "sort", "Sort", "Sort by this column, or reverse the order"),
        back("columns.close", "dismiss", "Close the list of columns", "Close"),
    ),
    "labels": (
        Key("labels.save", "choose", "save", "Save", "Save the name, the tags and the notes"),
        Key("labels.cancel", "back", "cancel", "Cancel", "Change nothing", only="escape"),
    ),
    "group name": (
        Key("group.save", "choose", "save", "Save", "Keep this name"),
        Key("group.cancel", "back", "cancel", "Cancel", "Change nothing", only="escape"),
    ),
    "second run": (
        Key("second.queue", "queue", "answer('queue')", "Queue", "Start it after the other one"),
        Key(
            "second.background",
            "background",
            "answer('background')",
            "Background",
            "Start it now, in the background",
        ),
        Key("second.stop", "stop", "answer('stop')", "Stop", "Stop and save the other one first"),
        back("second.cancel", "cancel", "Start nothing", "Cancel"),
    ),
    "queue list": (
        Key("queue.work", "choose", "select", "Start", "Start the queue if it is stopped"),
    ),
    "queue": (
        Key("queue.up", "far_up", "shift(-1)", "Earlier", "Move it up the queue", group="Move"),
        Key("queue.down", "far_down", "shift(1)", "Later", "Move it down the queue", group="Move"),
        Key("queue.remove", "delete", "remove", "Remove", "Remove it from the queue"),
        back("queue.close", "dismiss", "Close the queue", "Close"),
    ),
    "findings": (
        Key("findings.follow", "choose", "follow", "Go", "Go to where this finding can be seen"),
        back("findings.close", "dismiss", "Close the verdict", "Close"),
    ),
    "metric picker": (
        hidden("metrics.up", "up", "move(-1)", "Previous metric"),
        hidden("metrics.down", "down", "move(1)", "Next metric"),
        hidden("metrics.page_up", "page_up", "move(-10)", "Ten metrics back"),
        hidden("metrics.page_down", "page_down", "move(10)", "Ten metrics on"),
        hidden("metrics.cancel", "back", "cancel", "Keep the metric", only="escape"),
    ),
    "confirm": (
        Key("confirm.yes", "yes", "answer(True)", "Yes", "Yes"),
        Key("confirm.no", "no", "answer(False)", "No", "No"),
        hidden("confirm.cancel", "back", "answer(False)", "No", only="escape"),
        hidden("confirm.other", "left", "app.focus_next", "Switch"),
        hidden("confirm.other", "right", "app.focus_next", "Switch"),
    ),
    "choice": (back("choice.leave", "leave", "Choose none of these", "Leave"),),
    "log": (back("log.close", "leave", "Close the log", "Close"),),
    "desk": (
        Key("desk.apply", "choose", "apply", "Change", "Train with these values from now on"),
        hidden("desk.up", "up", "move(-1)", "Previous setting"),
        hidden("desk.down", "down", "move(1)", "Next setting"),
        Key("desk.reset", "reset", "reset", "Reset", "Reset to the preset's value", only="ctrl+r"),
        Key("run.undo", "undo", "undo", "Undo", "Undo the newest change of a setting"),
        back("desk.close", "leave", "Close the mixing desk", "Close"),
    ),
    "fork": (back("fork.leave", "leave", "Do not fork", "Leave"),),
    "help": (
        back("help.close", "dismiss", "Close the help", "Close"),
        help_key("dismiss"),
    ),
}
