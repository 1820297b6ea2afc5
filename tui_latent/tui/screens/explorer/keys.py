"""The explorer's keys."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType


def _binding(key: str, action: str, label: str, verb: str, tooltip: str, **more: object) -> Binding:
    return Binding(key, action, label, id=f"explorer.{verb}", tooltip=tooltip, **more)  # type: ignore[arg-type]


EXPLORER_KEYS: Final[list[BindingType]] = [
    Binding(
        "up,down,left,right",
        "ignore",
        "Move",
        id="explorer.move",
        key_display="arrows",
        tooltip="Move the cursor; shift moves the map, or turns a cloud",
    ),
    _binding(
        "tab",
        "step(1)",
        "Next",
        "next",
        "The next point, also those behind others",
        show=False,
    ),
    _binding("shift+tab", "step(-1)", "Before", "previous", "The point before", show=False),
    _binding("slash", "find", "Find", "find", "Find an image by number, or a class by name"),
    _binding("n", "find_next", "Next found", "find_next", "The next one found", show=False),
    _binding("c", "color(1)", "Colour", "color", "Colour by class, cluster, error, density"),
    _binding("C", "color(-1)", "Colour back", "color_back", "The colour before", show=False),
    _binding("P", "projection", "Project", "projection", "Another projection of the latents"),
    _binding("s", "solo", "Solo", "solo", "Show the class of this point alone, or all again"),
    _binding("h", "hide", "Hide", "hide", "Hide the class of this point", show=False),
    _binding(
        "e", "examples", "Fewer", "examples", "Show fewer points of each class, or all", show=False
    ),
    _binding("a", "all", "All", "all", "Show all classes", show=False),
    _binding("z", "zoom(1)", "Zoom", "zoom_in", "Magnify about the cursor (Z: back)"),
    _binding("Z,minus", "zoom(-1)", "Zoom out", "zoom_out", "See more", show=False),
    _binding("plus,equals_sign", "zoom(1)", "Zoom in", "zoom_plus", "Magnify", show=False),
    _binding("home", "whole", "Whole", "whole", "Show the whole map", show=False),
    _binding("V", "shade", "Voronoi", "shade", "Shade each place by its nearest point"),
    _binding("i", "thumbnails", "Images", "thumbnails", "Images in the places of points"),
    _binding("m", "movers", "Movers", "movers", "Images that changed their neighbourhood"),
    _binding(
        "left_square_bracket",
        "time(-1)",
        "Time",
        "earlier",
        "The evaluation before",
        key_display="[ ]",
    ),
    _binding("right_square_bracket", "time(1)", "Later", "later", "The next one", show=False),
    _binding("left_curly_bracket", "time(-100000)", "First", "first", "The first", show=False),
    _binding("right_curly_bracket", "time(100000)", "Last", "last", "The newest", show=False),
    _binding("p", "play", "Play", "play", "Watch the space form, evaluation by evaluation"),
    _binding("v", "images", "Viewer", "viewer", "Look at this image in the viewer"),
    Binding("question_mark", "app.help", "Help", id="app.help", tooltip="Show every key"),
    _binding("escape,q", "back", "Back", "back", "Leave; gives up what is being computed"),
    *(
        _binding(
            str(digit),
            f"only({digit})",
            f"Class {digit}",
            f"class_{digit}",
            f"Show the class at place {digit} alone",
            show=False,
        )
        for digit in range(10)
    ),
]
