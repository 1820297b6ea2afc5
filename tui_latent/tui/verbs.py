"""What each key means: one meaning on every screen.

A row of `keymap.KEYMAP` names a verb of this table and gets its keys from it, so a key cannot mean
one thing here and another there. `docs/KEYS.md` is made from both tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Topic = Literal[
    "Runs", "Views", "Time", "Map", "Curves", "Settings", "Moving", "Everywhere", "Questions"
]


@dataclass(frozen=True)
class Verb:
    """One meaning, and the keys that have it."""

    name: str
    keys: str
    """comma-separated, in Textual's names"""
    meaning: str
    """a phrase that holds on every screen; verbs of one meaning share a line of the documents"""
    topic: Topic


_ALL: Final = (
    Verb("help", "question_mark,f1", "explain the screen: its keys and its terms", "Everywhere"),
    Verb("quit", "ctrl+q", "quit the program", "Everywhere"),
    Verb("back", "escape,q", "go back: leave, close or cancel", "Everywhere"),
    Verb("choose", "enter", "open, start or choose what is under the cursor", "Moving"),
    Verb("next_panel", "tab", "go to the next or previous panel, list or point", "Moving"),
    Verb(
        "previous_panel",
        "shift+tab",
        "go to the next or previous panel, list or point",
        "Moving",
    ),
    *(Verb(name, name, "move the cursor", "Moving") for name in ("up", "down", "left", "right")),
    *(
        Verb(f"far_{name}", f"shift+{name}", "pan, rotate or take a large step", "Moving")
        for name in ("up", "down", "left", "right")
    ),
    Verb("page_up", "pageup", "go a page up or down", "Moving"),
    Verb("page_down", "pagedown", "go a page up or down", "Moving"),
    Verb("first", "home", "go to the first or last", "Moving"),
    Verb("last", "end", "go to the first or last", "Moving"),
    Verb("find", "slash,ctrl+f", "find or filter", "Moving"),
    Verb("next", "n", "show the next or previous match, metric, curve or sample", "Moving"),
    Verb("previous", "N", "show the next or previous match, metric, curve or sample", "Moving"),
    Verb("number", ",".join("0123456789"), "choose by number: a page, a class, a run", "Moving"),
    Verb("all", "a", "show all that is hidden", "Views"),
    Verb("mark", "m", "mark or unmark", "Runs"),
    Verb("pause", "space", "pause or continue the training", "Runs"),
    Verb("stop", "s", "stop the training or the evaluation (asks first)", "Runs"),
    Verb("resume", "r", "resume from a checkpoint", "Runs"),
    Verb("background", "b", "train in the background", "Runs"),
    Verb("edit", "e", "edit settings", "Runs"),
    Verb("delete", "d,delete", "delete (asks first)", "Runs"),
    Verb("keep", "k", "keep a checkpoint of this step", "Runs"),
    Verb("export", "x", "export a report, or the points of a map", "Runs"),
    Verb("best", "B", "open the best run", "Runs"),
    Verb("compare", "C", "compare the marked runs", "Runs"),
    Verb("name", "T", "name a run, with tags and notes, or a group of points", "Runs"),
    Verb("archive", "A", "archive a run, or bring it back", "Runs"),
    Verb("queue", "Q", "show and reorder the queue", "Runs"),
    Verb("fork", "F", "fork a run from the checkpoint shown", "Runs"),
    Verb("sort", "S", "sort by the next column", "Runs"),
    Verb("columns", "L", "choose columns", "Runs"),
    Verb("folder", "O", "list the runs of the next folder", "Runs"),
    Verb("rate_down", "less_than_sign", "halve or double the learning rate", "Runs"),
    Verb("rate_up", "greater_than_sign", "halve or double the learning rate", "Runs"),
    Verb("latents", "l", "show the latents: the explorer, or the map beside images", "Views"),
    Verb("images", "v", "show images: the viewer", "Views"),
    Verb("tests", "t", "test the latents: the evaluation", "Views"),
    Verb("unusual", "u", "find outliers: ROC curves", "Views"),
    Verb("full", "f", "show the focused panel full-screen", "Views"),
    Verb("earlier", "left_square_bracket", "show an earlier or later evaluation", "Time"),
    Verb("later", "right_square_bracket", "show an earlier or later evaluation", "Time"),
    Verb(
        "first_evaluation",
        "left_curly_bracket",
        "show the first or newest evaluation",
        "Time",
    ),
    Verb("newest", "right_curly_bracket", "show the first or newest evaluation", "Time"),
    Verb("play", "p", "play the evaluations", "Time"),
    Verb("film", "E", "show or hide the evaluations as a film strip", "Time"),
    Verb("color", "c", "colour by something else", "Map"),
    Verb("zoom_all", "z", "show all points or the whole run, or the frame again", "Map"),
    Verb("zoom_in", "plus,equals_sign", "zoom in or out", "Map"),
    Verb("zoom_out", "minus", "zoom in or out", "Map"),
    Verb("solo", "o", "show only this class, or all", "Map"),
    Verb("hide", "h", "hide this class", "Map"),
    Verb("fewer", "percent_sign", "show fewer points of each class, or all", "Map"),
    Verb("projection", "j", "show the next projection", "Map"),
    Verb("spin", "R", "rotate a 3-D cloud slowly, or stop", "Map"),
    Verb("cells", "V", "shade the Voronoi cells", "Map"),
    Verb("thumbnails", "i", "show images in place of points", "Map"),
    Verb("movers", "M", "list the images that moved most", "Map"),
    Verb("smooth_less", "comma", "smooth less or more", "Curves"),
    Verb("smooth_more", "full_stop", "smooth less or more", "Curves"),
    Verb("log", "y", "switch to a logarithmic or linear axis", "Curves"),
    Verb("axis", "X", "plot over something else: steps, epochs or time; other settings", "Curves"),
    Verb("weighted", "w", "show loss terms weighted, or raw", "Curves"),
    Verb("start", "ctrl+s", "start with these settings", "Settings"),
    Verb("save_preset", "ctrl+w", "save these settings as a preset", "Settings"),
    Verb("reset", "ctrl+r,backspace", "reset to the starting value", "Settings"),
    Verb("undo", "ctrl+z", "undo", "Settings"),
    # Only inside a question, where no other key but those of the question works.
    Verb("yes", "y", "yes or no", "Questions"),
    Verb("no", "n", "yes or no", "Questions"),
)

VERBS: Final[Mapping[str, Verb]] = {verb.name: verb for verb in _ALL}
