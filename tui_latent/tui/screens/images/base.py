"""The base of screens that step through images, and look up in a thread what to show of each.

One look-up runs at a time. Keys work in the meantime, and the newest request is looked up next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui_latent.preferences.config_file import IMAGE_SIZES
from tui_latent.tui import messages
from tui_latent.tui.charts.image_grid import ImageSheet
from tui_latent.tui.keymap import bindings
from tui_latent.tui.screens.base import BaseScreen, TooSmall
from tui_latent.tui.screens.images.pages.page import Field, PageRequest
from tui_latent.tui.screens.images.sheet import NEIGHBOURS, Sheet
from tui_latent.tui.widgets.cut_text import CutText
from tui_latent.tui.widgets.key_footer import KeyFooter
from tui_latent.tui.widgets.line_input import LineInput

LOADING = "Loading the images… The first time takes a few seconds."
AT_LEAST = (6, 12, NEIGHBOURS)
"""images beside the left one that must fit, however small the tiles become; for each of the sizes
that a person can choose"""
_NAMES: dict[Field, str] = {"label": "Classes", "rank": "Ranks"}


class ImagesScreen(BaseScreen[None]):
    """Steps through images; subclasses look up what to show of each."""

    AUTO_FOCUS = ""  # keys belong to the screen until the number box opens
    DEFAULT_CSS = """
    ImagesScreen > #top { height: 1; }
    ImagesScreen > #top > #title { width: 1fr; padding: 0 1; text-wrap: nowrap; }
    ImagesScreen > #top > Input {
        display: none; width: 24; padding: 0 1; background: $panel;
    }
    ImagesScreen.-asking > #top > Input { display: block; }
    ImagesScreen > #facts { height: auto; max-height: 5; padding: 0 1; }
    ImagesScreen ImageSheet { margin: 1 1 0 1; }
    """

    ABOUT = "Images of the data or of a run, and what the network makes of them."
    TERMS: ClassVar[tuple[str, ...]] = (
        "view",
        "held out",
    )
    BINDINGS = bindings("images")

    @dataclass
    class Found(Message):
        """Part of what was looked up is ready."""

        wanted: PageRequest
        sheet: Sheet

    @dataclass
    class Done(Message):
        """A look-up has ended."""

        wanted: PageRequest

    def __init__(
        self, heading: str, wanted: PageRequest | None = None, size: str = IMAGE_SIZES[0]
    ) -> None:
        """`size` is one of `IMAGE_SIZES`."""
        super().__init__()
        self._heading = heading
        self._wanted = wanted or PageRequest()
        self._busy = False
        self._counts: dict[Field, int] = {}
        self._sheet = Sheet()
        self._page_shown = self._wanted.page
        self._at_least = AT_LEAST[IMAGE_SIZES.index(size)]

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Static(Content.styled(self._heading, "bold"), id="title")
            yield LineInput(placeholder="number", type="integer", select_on_focus=False)
        yield CutText(id="facts", markup=False)
        yield ImageSheet()
        yield TooSmall()
        yield KeyFooter()

    def on_mount(self) -> None:
        self._box.can_focus = False
        self.query_one(ImageSheet).say(LOADING)
        self.want(self._wanted)

    @property
    def goes(self) -> tuple[Field, Field]:
        """What up and down, left and right step through."""
        return "index", "index"

    def look_up(self, wanted: PageRequest) -> Iterator[Sheet]:
        """Yield what to show, more complete each time; called in a thread, may take seconds."""
        raise NotImplementedError

    def want(self, wanted: PageRequest) -> None:
        """Request something else; it is shown as soon as it is found."""
        self._wanted = wanted
        if not self._busy:
            self._busy = True
            self._look_up(wanted)

    @work(thread=True, group="images", exit_on_error=False)
    def _look_up(self, wanted: PageRequest) -> None:
        from tui_latent.analysis import InspectionError

        try:
            for sheet in self.look_up(wanted):
                self.post_message(self.Found(wanted, sheet))
                if self._wanted != wanted:
                    break
        except InspectionError as error:
            self.post_message(self.Found(wanted, Sheet(problem=str(error))))
        # Any other error is shown, and must not crash the screen.
        except Exception as error:
            text = f"Failed: {error or type(error).__name__}"
            self.post_message(self.Found(wanted, Sheet(problem=text)))
        self.post_message(self.Done(wanted))

    @on(Found)
    def show_found(self, event: Found) -> None:
        """Show what was found, unless another page has been requested since."""
        if event.wanted.page == self._wanted.page:
            self._page_shown = event.wanted.page
            self.show_sheet(event.sheet)

    @on(Done)
    def look_further(self, event: Done) -> None:
        """Look up what has been requested since."""
        self._busy = False
        if event.wanted != self._wanted:
            self.want(self._wanted)

    def show_sheet(self, sheet: Sheet) -> None:
        """Show images and facts, or why there are none."""
        # The facts take as many lines as they need, so new ones cause a new layout.
        if sheet.facts != self._sheet.facts:
            self.query_one("#facts", Static).update(Content("\n".join(sheet.facts)))
        self._sheet = sheet
        if sheet.size:
            self._counts[self.goes[0]] = self._counts[self.goes[1]] = sheet.size
        images = self.query_one(ImageSheet)
        if sheet.left is None:
            images.say(sheet.problem)
            return
        at_least = self._at_least * (2 if sheet.below else 1)
        at_least = len(sheet.others) if sheet.all_shown else at_least
        at_least = min(at_least, len(sheet.others) + len(sheet.below))
        images.show(sheet.left, sheet.others, at_least, sheet.below, sheet.heading)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer in the footer what the keys step through here."""
        if action == "go":
            return (
                parameters[0] == self.goes[0]
                if parameters[0] != "other"
                else (self.goes[1] == "other")
            )
        return True

    def action_go(self, field: Field, by: int) -> None:
        """Show another image, class or rank, from the first to the last."""
        count = self._counts.get(field, 0)
        if count:
            position = min(max(getattr(self._wanted, field) + by, 0), count - 1)
            self.want(self._wanted.at(field, position))

    def action_step(self, axis: int, by: int) -> None:
        """Step along what up and down (axis 0) or left and right (axis 1) move through."""
        self.action_go(self.goes[axis], by)

    def action_draw(self) -> None:
        """Draw new random samples."""
        self.want(replace(self._wanted, draw=self._wanted.draw + 1))

    def action_size(self, by: int) -> None:
        """Show larger images, or more and smaller ones."""
        at = AT_LEAST.index(self._at_least) - by
        at = min(max(at, 0), len(AT_LEAST) - 1)
        self._at_least = AT_LEAST[at]
        self.post_message(messages.ChoiceKept("image_size", IMAGE_SIZES[at]))
        self.show_sheet(self._sheet)

    def action_number(self) -> None:
        """Ask which image to show."""
        if self._counts.get(self.goes[0]):
            self.add_class("-asking")
            self._box.can_focus = True
            self._box.value = ""
            self.set_focus(self._box)

    def action_back(self) -> None:
        """Close the box, or the screen."""
        if self.has_class("-asking"):
            self._close_box()
        else:
            self.dismiss()

    @on(Input.Submitted)
    def show_number(self, event: Input.Submitted) -> None:
        """Show the image, class or rank whose number was typed."""
        field = self.goes[0]
        count = self._counts.get(field, 0)
        if event.value.isdecimal() and int(event.value) < count:
            self.want(self._wanted.at(field, int(event.value)))
        elif event.value:
            words = f"{_NAMES.get(field, 'Images')} are numbered from 0 to {count - 1:,}."
            self.notify(words, severity="warning", timeout=4)
        self._close_box()

    @property
    def _box(self) -> Input:
        return self.query_one(Input)

    def _close_box(self) -> None:
        self._box.can_focus = False
        self.remove_class("-asking")
        self.set_focus(None)
