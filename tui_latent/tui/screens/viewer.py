"""The images of a run or of a preset: augmented views, and nearest neighbours in the latent space.

Everything is asked of `inspection` in one thread at a time; while it works the keys go on,
and of what they ask for meanwhile only the newest is looked up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Input, Static
from textual.worker import Worker, WorkerState

from tui_latent.tui.sheets import NEIGHBOURS, Sheet, neighbours_sheet, views_sheet
from tui_latent.tui.widgets.pixels import ImageSheet
from tui_latent.tui.widgets.preset_words import view_words

if TYPE_CHECKING:
    from tui_latent.inspection import RunInspector
    from tui_latent.settings import Preset
    from tui_latent.tui.image_cells import Pixels

Page = Literal["views", "neighbours"]

LOADING = "loading the images: the first time takes some seconds …"
VIEWS = 24
"""views asked for; as many are shown as fit"""
PRESET_IMAGES = 20
"""images of a preset's data that can be gone through"""
AT_LEAST = (6, 12, NEIGHBOURS)
"""images beside the left one for which the tiles are made smaller, where there is no room"""


@dataclass(frozen=True)
class Wanted:
    """What the screen is to show."""

    page: Page = "views"
    index: int = 0
    draw: int = 0
    """seed of the random views"""


class ImagesScreen(Screen[None]):
    """Goes through images; subclasses look up what there is to see of one."""

    AUTO_FOCUS = ""  # keys are for the screen until a number is asked for
    SCOPED_CSS = False  # or the rules would not reach the subclasses
    CSS = """
    ImagesScreen > #top { height: 1; }
    ImagesScreen > #top > #title { width: 1fr; padding: 0 1; text-wrap: nowrap; }
    ImagesScreen > #top > Input {
        display: none; width: 24; height: 1; border: none; padding: 0 1; background: $panel;
    }
    ImagesScreen.-asking > #top > Input { display: block; }
    ImagesScreen > #facts { height: 2; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    ImagesScreen > ImageSheet { margin: 1 1 0 1; }
    """

    BINDINGS = [
        Binding("n", "draw", "New draw", id="images.draw", tooltip="Other random views"),
        Binding(
            "down,right",
            "step(1)",
            "Image",
            id="images.next",
            key_display="↑↓",
            tooltip="The next image (up: the one before)",
        ),
        Binding(
            "up,left",
            "step(-1)",
            "Image before",
            id="images.previous",
            show=False,
            tooltip="The image before",
        ),
        Binding(
            "pagedown", "step(10)", "Ten on", id="images.ten_on", show=False, tooltip="Ten further"
        ),
        Binding(
            "pageup", "step(-10)", "Ten back", id="images.ten_back", show=False, tooltip="Ten back"
        ),
        Binding(
            "g", "number", "Number", id="images.number", tooltip="Go to an image by its number"
        ),
        Binding("z", "size", "Size", id="images.size", tooltip="More and smaller images, or fewer"),
        Binding("escape,q", "back", "Back", id="images.back", tooltip="Leave the images"),
    ]

    @dataclass
    class Found(Message):
        """A look-up is done."""

        wanted: Wanted
        sheet: Sheet

    def __init__(self, heading: str) -> None:
        super().__init__()
        self._heading = heading
        self._wanted = Wanted()
        self._busy = False
        self._count = 0
        self._at_least = AT_LEAST[0]

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Static(Content.styled(self._heading, "bold"), id="title")
            yield Input(placeholder="image number", type="integer", select_on_focus=False)
        yield Static(id="facts", markup=False)
        yield ImageSheet()
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self._box.can_focus = False
        self.query_one(ImageSheet).say(LOADING)
        self.want(self._wanted)

    def look_up(self, wanted: Wanted) -> Sheet:
        """Return what is to be shown; called in a thread, may take seconds."""
        raise NotImplementedError

    def want(self, wanted: Wanted) -> None:
        """Show something else as soon as it is found."""
        self._wanted = wanted
        if not self._busy:
            self._busy = True
            self._look_up(wanted)

    @work(thread=True, group="images", exit_on_error=False)
    def _look_up(self, wanted: Wanted) -> None:
        from tui_latent.inspection import InspectionError

        try:
            sheet = self.look_up(wanted)
        except InspectionError as error:
            sheet = Sheet(problem=str(error))
        self.post_message(self.Found(wanted, sheet))

    @on(Found)
    def show(self, event: Found) -> None:
        """Show what was found, and look up what has been asked for since."""
        self._busy = False
        if event.wanted.page == self._wanted.page:
            self._show(event.sheet)
        if event.wanted != self._wanted:
            self.want(self._wanted)

    @on(Worker.StateChanged)
    def show_failure(self, event: Worker.StateChanged) -> None:
        """Say what went wrong in a look-up, instead of ending."""
        if event.state is WorkerState.ERROR:
            self._busy = False
            self._show(Sheet(problem=f"this failed: {event.worker.error}"))

    def _show(self, sheet: Sheet) -> None:
        self._count = sheet.size or self._count
        self.query_one("#facts", Static).update(Content("\n".join(sheet.facts)))
        if sheet.left is None:
            self.query_one(ImageSheet).say(sheet.problem)
        else:
            self.query_one(ImageSheet).show(sheet.left, sheet.others, self._at_least)

    def action_step(self, by: int) -> None:
        """Show another image; the first and the last are as far as it goes."""
        if self._count:
            index = min(max(self._wanted.index + by, 0), self._count - 1)
            self.want(replace(self._wanted, index=index))

    def action_draw(self) -> None:
        """Draw other random views."""
        self.want(replace(self._wanted, draw=self._wanted.draw + 1))

    def action_size(self) -> None:
        """Show more and smaller images, or after the smallest the largest again."""
        self._at_least = AT_LEAST[(AT_LEAST.index(self._at_least) + 1) % len(AT_LEAST)]
        self.query_one(ImageSheet).at_least = self._at_least

    def action_number(self) -> None:
        """Ask which image to show."""
        self._open_box("")

    def action_back(self) -> None:
        """Close the box, or the screen."""
        if self.has_class("-asking"):
            self._close_box()
        else:
            self.dismiss()

    def on_key(self, event: events.Key) -> None:
        """Begin to ask for a number where one is typed."""
        if event.character and event.character in "0123456789" and self.focused is not self._box:
            self._open_box(event.character)

    @on(Input.Submitted)
    def show_number(self, event: Input.Submitted) -> None:
        """Show the image whose number was typed."""
        if event.value.isdecimal() and int(event.value) < self._count:
            self.want(replace(self._wanted, index=int(event.value)))
        elif event.value:
            last = f"{self._count - 1:,}"
            self.notify(f"images go from 0 to {last}", severity="warning", timeout=4)
        self._close_box()

    @property
    def _box(self) -> Input:
        return self.query_one(Input)

    def _open_box(self, text: str) -> None:
        if self._count:
            self.add_class("-asking")
            self._box.can_focus = True
            self._box.value = text
            self.set_focus(self._box)

    def _close_box(self) -> None:
        self._box.can_focus = False
        self.remove_class("-asking")
        self.set_focus(None)


class PresetImagesScreen(ImagesScreen):
    """The augmented views of a preset, before any run."""

    def __init__(self, name: str, preset: Preset) -> None:
        super().__init__(f"{name}: what training sees")
        self._preset = preset
        self._drawn: tuple[int, Pixels] | None = None

    def look_up(self, wanted: Wanted) -> Sheet:
        from tui_latent.inspection import preset_augmentations

        if self._drawn is None or self._drawn[0] != wanted.draw:
            drawn = preset_augmentations(self._preset, PRESET_IMAGES, VIEWS, wanted.draw)
            self._drawn = wanted.draw, drawn
        sheets = self._drawn[1]
        place = f"image {wanted.index} of 0–{len(sheets) - 1} · draw {wanted.draw + 1}"
        facts = (place, " · ".join(view_words(self._preset.augment)))
        return views_sheet(sheets[wanted.index], facts, len(sheets))


class ViewerScreen(ImagesScreen):
    """The held-out images of a run: their augmented views, and their nearest neighbours."""

    BINDINGS = [
        Binding("a", "page('views')", "Views", id="images.views", tooltip="Augmented views"),
        Binding(
            "k",
            "page('neighbours')",
            "Neighbours",
            id="images.neighbours",
            tooltip="Nearest training images in the latent space",
        ),
    ]

    def __init__(self, path: Path) -> None:
        super().__init__(path.name)
        self._path = path
        self._inspector: RunInspector | None = None
        self._views = ""

    def look_up(self, wanted: Wanted) -> Sheet:
        from tui_latent.inspection import RunInspector
        from tui_latent.presets import load_run_preset

        if self._inspector is None:
            self._inspector = RunInspector(self._path)
            self._views = " · ".join(view_words(load_run_preset(self._path).augment))
        size = self._inspector.held_out_size()
        label = self._inspector.label(wanted.index)
        place = f"held-out image {wanted.index:,} of 0–{size - 1:,} · label {label}"
        if wanted.page == "neighbours":
            return neighbours_sheet(self._inspector, wanted.index, label, place, size)
        views = self._inspector.augmentations([wanted.index], VIEWS, wanted.draw)
        return views_sheet(views[0], (f"{place} · draw {wanted.draw + 1}", self._views), size)

    def action_page(self, page: Page) -> None:
        """Show the other thing that can be seen of an image."""
        self.want(replace(self._wanted, page=page))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey the page that is shown, and new views where there are none."""
        if action == "page":
            return None if parameters[0] == self._wanted.page else True
        return None if action == "draw" and self._wanted.page != "views" else True
