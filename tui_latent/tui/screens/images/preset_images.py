"""The augmented views of a preset, before any run; its images, if it augments none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui_latent.preferences.config_file import IMAGE_SIZES
from tui_latent.tui.screens.images.base import ImagesScreen
from tui_latent.tui.screens.images.pages.page import PageRequest
from tui_latent.tui.screens.images.pages.views import VIEWS
from tui_latent.tui.screens.images.sheet import Sheet, images_sheet, views_sheet
from tui_latent.tui.screens.menu.preset_summary import view_words

if TYPE_CHECKING:
    from tui_latent.config.settings import Preset
    from tui_latent.tui.charts.image_cells import Pixels

IMAGES = 20
"""images of a preset's data that are shown"""


class PresetImagesScreen(ImagesScreen):
    """Shows the images as a run of a preset would see them."""

    def __init__(self, name: str, preset: Preset, size: str = IMAGE_SIZES[0]) -> None:
        super().__init__(f"{name}: training images", size=size)
        self._preset = preset
        self._drawn: tuple[int, Pixels] | None = None
        self._unaugmented = ""

    def look_up(self, wanted: PageRequest) -> Iterator[Sheet]:
        """Yield an image and its views; the views of all images are drawn at once."""
        from tui_latent.analysis import preset_augmentations
        from tui_latent.analysis.augmented import no_augmentation

        why = no_augmentation(self._preset)
        if why != self._unaugmented:
            self._unaugmented = why
            self.app.call_from_thread(self.refresh_bindings)
        if self._drawn is None or self._drawn[0] != wanted.draw:
            drawn = preset_augmentations(self._preset, IMAGES, VIEWS, wanted.draw)
            self._drawn = wanted.draw, drawn
        sheets = self._drawn[1]
        if why:
            place = f"image {wanted.index} of 0–{len(sheets) - 1}"
            yield images_sheet(sheets[:, 0], wanted.index, (place, why))
            return
        place = f"image {wanted.index} of 0–{len(sheets) - 1} · draw {wanted.draw + 1}"
        facts = (place, " · ".join(view_words(self._preset.augment)))
        yield views_sheet(sheets[wanted.index], facts, len(sheets))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer new samples where something is random."""
        if action == "draw" and self._unaugmented:
            return False
        return super().check_action(action, parameters)
