"""What a drawn page must look like: nothing overlaps, nothing is cut, everything can be read."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.text import Text
from matplotlib.transforms import Bbox


class Drawn:
    """Where texts and small images were put, in pixels."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.texts: list[tuple[str, Bbox]] = []
        self.images: list[Bbox] = []
        self.sizes: list[float] = []
        draw_text, draw_image = Text.draw, AxesImage.draw

        def text(artist: Text, renderer: Any, *args: Any, **kwargs: Any) -> None:
            draw_text(artist, renderer, *args, **kwargs)
            if artist.get_visible() and artist.get_text().strip():
                self.sizes.append(float(artist.get_fontsize()))
                self.texts.append((artist.get_text(), artist.get_window_extent(renderer)))

        def image(artist: AxesImage, renderer: Any, *args: Any, **kwargs: Any) -> None:
            draw_image(artist, renderer, *args, **kwargs)
            if (extent := artist.get_window_extent(renderer)).width < 100:
                self.images.append(extent)

        monkeypatch.setattr(Text, "draw", text)
        monkeypatch.setattr(AxesImage, "draw", image)


def overlap(a: Bbox, b: Bbox) -> bool:
    """Return whether two boxes overlap by more than a hair."""
    wide = min(a.x1, b.x1) - max(a.x0, b.x0)
    tall = min(a.y1, b.y1) - max(a.y0, b.y0)
    return bool(wide > 1 and tall > 1)


def require_tidy(figure: Figure, shown: Drawn) -> None:
    """Assert that a page is as wide as it should be and that no text is small, cut or covered."""
    width, height = figure.canvas.get_width_height()
    assert width == 1600
    assert min(shown.sizes) >= 8, "the smallest letters can be read"
    for text, box in shown.texts:
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
        assert inside, f"'{text}' leaves the page"
    for (text, box), (other, beside) in combinations(shown.texts, 2):
        assert not overlap(box, beside), f"'{text}' and '{other}' overlap"
    for text, box in shown.texts:
        assert not any(overlap(box, image) for image in shown.images), f"'{text}' is on an image"
