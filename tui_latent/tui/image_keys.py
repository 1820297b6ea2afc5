"""The keys of the images, the viewer and its sliders: a part of the table in `keymap.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui_latent.tui.key import Key, back, help_key, hidden


def _steps(verb: str, what: str, label: str, tooltip: str) -> Key:
    """Return a row of the viewer's arrows, which differs between pages."""
    way, display = ("next", "↑↓") if verb == "down" else ("right", "←→")
    return Key(f"images.{way}", verb, f"go('{what}', 1)", label, tooltip, display=display)


IMAGE_KEYS: Final[Mapping[str, tuple[Key, ...]]] = {
    "images": (
        Key("images.draw", "next", "draw", "Resample", "Draw new random samples"),
        _steps("down", "index", "Image", "Next image (up: previous)"),
        _steps("down", "label", "Class", "Next class (up: previous)"),
        _steps("down", "rank", "Rank", "Next rank (up: previous)"),
        _steps("right", "other", "End", "Next end of the interpolation (left: previous)"),
        hidden("images.right", "right", "step(1, 1)", "Next"),
        hidden("images.up", "up", "step(0, -1)", "Previous"),
        hidden("images.left", "left", "step(1, -1)", "Previous"),
        hidden("images.next_10", "page_down", "step(0, 10)", "Next 10"),
        hidden("images.previous_10", "page_up", "step(0, -10)", "Previous 10"),
        Key("images.number", "find", "number", "Find", "Go to an image by number"),
        Key("images.size", "zoom_in", "size(1)", "Larger", "Larger images", group="Size"),
        Key("images.smaller", "zoom_out", "size(-1)", "Smaller", "Smaller images", group="Size"),
        help_key(),
        back("images.back", "back", "Leave the images"),
    ),
    "viewer": (
        *(
            Key(
                f"images.{page}",
                "number",
                f"page('{page}')",
                label,
                tooltip,
                group="Pages",
                only=str(digit),
            )
            for digit, (page, label, tooltip) in enumerate(
                (
                    ("views", "Views", "Augmented views and where they fall on the map"),
                    ("neighbours", "Neighbours", "Nearest and most distant training images"),
                    ("reconstructions", "Reconstructions", "Images and their reconstructions"),
                    ("samples", "Samples", "Images of a class sampled from its Gaussian"),
                    ("sliders", "Sliders", "One slider per latent dimension"),
                    ("walk", "Interpolation", "Interpolation between two images"),
                    ("extremes", "Extremes", "Most and least typical images of a class"),
                    ("anomalies", "Anomalies", "Held-out images far from the training images"),
                ),
                start=1,
            )
        ),
        Key("images.open", "choose", "open_image", "Open", "Show this image among its neighbours"),
        Key("images.channels", "color", "channels", "Channels", "Show the next channel alone"),
        Key("images.map", "latents", "map", "Map", "Show or hide the map"),
    ),
    "sliders": (
        Key("sliders.less", "left", "move(-1)", "Move", "Move the slider", display="←→"),
        hidden("sliders.more", "right", "move(1)", "Move the slider right"),
        hidden("sliders.far_less", "far_left", "move(-8)", "Move the slider left in big steps"),
        hidden("sliders.far_more", "far_right", "move(8)", "Move the slider right in big steps"),
        Key("sliders.next", "down", "choose(1)", "Slider", "Next dimension", display="↑↓"),
        hidden("sliders.previous", "up", "choose(-1)", "Previous dimension"),
        hidden("sliders.next_10", "page_down", "choose(10)", "Next 10"),
        hidden("sliders.previous_10", "page_up", "choose(-10)", "Previous 10"),
        Key("sliders.reset", "reset", "reset", "Reset", "Reset this slider", only="backspace"),
        Key("sliders.start", "next", "start(1)", "Mean", "Go to the mean of the next class"),
        hidden("sliders.start_before", "previous", "start(-1)", "Mean of the previous class"),
        Key("sliders.image", "choose", "image", "Image", "Go to the latent of the current image"),
    ),
}
