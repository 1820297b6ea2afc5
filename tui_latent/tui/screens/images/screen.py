"""The images of a run, on pages: views, neighbours, reconstructions, samples, sliders and more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui_latent.preferences.config_file import IMAGE_SIZES
from tui_latent.tui import messages
from tui_latent.tui.active_binding import active_binding
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.image_grid import ImageSheet
from tui_latent.tui.charts.scatter_panel import ScatterPanel
from tui_latent.tui.keymap import bindings
from tui_latent.tui.screens.base import TooSmall
from tui_latent.tui.screens.images.base import ImagesScreen
from tui_latent.tui.screens.images.channel_views import has_choice, next_channels, words_of
from tui_latent.tui.screens.images.page_bar import PageBar
from tui_latent.tui.screens.images.pages import PAGES, empty_pages, first_page
from tui_latent.tui.screens.images.pages.page import Field, OpenRun, Page, PageRequest
from tui_latent.tui.screens.images.sheet import Sheet
from tui_latent.tui.screens.images.sliders_widget import LatentSliders
from tui_latent.tui.widgets.cut_text import CutText
from tui_latent.tui.widgets.key_footer import KeyFooter
from tui_latent.tui.widgets.line_input import LineInput

_PATIENCE: Final = 0.3
"""seconds for which the last page stays while the next is looked up"""
_LACKING: Final = {
    "images.draw": "Nothing on this page is drawn at random.",
    "images.open": "This page has no image to open among its neighbours.",
    "images.channels": "These images have no channels to show alone.",
    "images.map": "Nothing on this page is marked on the map.",
}
"""by the ids of keys, what a page lacks where they do nothing"""
_OF_IMAGES: Final = ("images.number", "images.size", "images.smaller")
_ROOM_FOR_MAP: Final = 100
"""fewest columns at which the map is shown beside the images by default"""


class ViewerScreen(ImagesScreen):
    """Shows one page at a time, with the map if the page marks points on it."""

    CSS = """
    ViewerScreen > #body { height: 1fr; }
    ViewerScreen ScatterPanel { display: none; width: 38%; height: 1fr; }
    ViewerScreen.-map.-marks ScatterPanel { display: block; }
    ViewerScreen LatentSliders { display: none; width: 1fr; height: 1fr; }
    ViewerScreen.-sliders LatentSliders { display: block; }
    ViewerScreen.-sliders.-map ScatterPanel { width: 32%; }
    """

    TERMS = ("view", "held out", "sample", "extremes", "interpolation", "anomaly score", "latent")
    BINDINGS = bindings("viewer")

    @dataclass
    class Opened(Message):
        """The run's preset has been read."""

        empty: Mapping[str, str]
        """page -> why it has nothing to show"""

    @dataclass
    class Counted(Message):
        """The images have been read."""

        channels: int
        shown: tuple[int, ...]
        """those that the preset shows"""

    def __init__(
        self,
        path: Path,
        drawer: WorkerThread,
        index: int = 0,
        page: str = "",
        size: str = IMAGE_SIZES[0],
    ) -> None:
        """Begin with an image and a page; without one, with the first that says something."""
        wanted = PageRequest(page or PAGES[0].name, index=index, other=index + 1)
        super().__init__(path.name, wanted, size)
        run = OpenRun(path)
        self._run = run
        self._drawer = drawer
        self._pages: dict[str, Page] = {page.name: page(run) for page in PAGES}
        self._empty: Mapping[str, str] | None = None
        """page -> why it has nothing to show; None until the preset has been read"""
        self._map_asked: bool | None = None
        self._channels = self.Counted(0, ())

    def look_as(self, kept: Mapping[str, Any]) -> None:
        """Show the run's images as they were last shown."""
        if isinstance(shown := kept.get("map"), bool):
            self._map_asked = shown
        if isinstance(channel := kept.get("channel"), int):
            self._wanted = replace(self._wanted, channels=(channel,))

    def _keep_look(self) -> None:
        alone = self._wanted.channels
        kept = {"map": self._map_asked, "channel": alone[0] if alone else None}
        self.post_message(messages.ChoiceKept("viewer", kept, self._run.path))

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Static(Content.styled(self._heading, "bold"), id="title")
            yield LineInput(placeholder="number", type="integer", select_on_focus=False)
        yield PageBar(PAGES)
        yield CutText(id="facts", markup=False)
        with Horizontal(id="body"):
            yield LatentSliders()
            yield ImageSheet()
            scatter = ScatterPanel(self._drawer, "marks")
            scatter.can_focus = False
            yield scatter
        yield TooSmall()
        yield KeyFooter()

    @property
    def goes(self) -> tuple[Field, Field]:
        """What the keys of the current page step through."""
        return self._page.goes

    @property
    def _page(self) -> Page:
        return self._pages[self._wanted.page]

    def look_up(self, wanted: PageRequest) -> Iterator[Sheet]:
        """Yield what a page finds; nothing of one that this run leaves empty."""
        if self._empty is None:
            self._empty = empty = empty_pages(self._run.source)
            self.post_message(self.Opened(empty))
        if wanted.page in self._empty:
            if len(self._empty) == len(PAGES):  # there is no other page to go to
                yield Sheet(problem=f"{self._empty[wanted.page]}.")
            return
        source = self._run.source
        source.channels = wanted.channels
        for sheet in self._pages[wanted.page].look_up(wanted):
            yield sheet
            if not self._channels.channels and (count := source.channel_count()):
                self.post_message(self.Counted(count, source.own_preset().data.show))

    @on(Counted)
    def offer_channels(self, event: Counted) -> None:
        """Offer the channels of the images, if there are more than a picture shows."""
        self._channels = event
        if not has_choice(event.channels) and self._wanted.channels is not None:
            # An earlier run of this name had other images.
            self.want(replace(self._wanted, channels=None))
        self._say_channels()
        self.refresh_bindings()

    def action_channels(self) -> None:
        """Show the next channel alone, or those of the preset again."""
        channels = next_channels(self._wanted.channels, self._channels.channels)
        self.want(replace(self._wanted, channels=channels))
        self._say_channels()
        self._keep_look()

    def _say_channels(self) -> None:
        count, preset = self._channels.channels, self._channels.shown
        if has_choice(count):
            title = Content.styled(self._heading, "bold")
            title += f" · {words_of(self._wanted.channels, count, preset)}"
            self.query_one("#title", Static).update(title)

    @on(Opened)
    def grey_pages(self, event: Opened) -> None:
        """Grey the pages that have nothing to show, and leave such a page."""
        if self._wanted.page in event.empty:
            self.want(replace(self._wanted, page=first_page(event.empty, self._wanted.page)))
        self._show_pages()

    def show_sheet(self, sheet: Sheet) -> None:
        """Show images, facts, and the map or the sliders if the page has them."""
        had_map = self.has_class("-marks")
        if not sheet.marks_follow:  # or the map would flicker with every image
            self.set_class(sheet.marks is not None, "-marks")
        self.set_class(sheet.sliders is not None, "-sliders")
        if sheet.marks is not None:
            self.query_one(ScatterPanel).show(sheet.marks.scene())
        if sheet.sliders is not None:
            self.query_one(LatentSliders).show(sheet.sliders)
        if self.has_class("-sliders") and self.focused is None:
            self.set_focus(self.query_one(LatentSliders))
        super().show_sheet(sheet)
        # It rebuilds the footer, which a slider must not wait for.
        if had_map != self.has_class("-marks"):
            self.refresh_bindings()

    def action_open_image(self) -> None:
        """Show the image at the left among its neighbours."""
        self.action_page("neighbours")

    @on(LatentSliders.Moved)
    def decode(self, event: LatentSliders.Moved) -> None:
        """Decode the latent that the sliders are set to."""
        self.want(replace(self._wanted, latent=event.latent))

    def on_resize(self, event: events.Resize) -> None:
        """Show the map if there is room for it."""
        wide = event.size.width >= _ROOM_FOR_MAP
        self.set_class(wide if self._map_asked is None else self._map_asked, "-map")

    def action_map(self) -> None:
        """Show or hide the map."""
        self._map_asked = not self.has_class("-map")
        self.set_class(self._map_asked, "-map")
        self._keep_look()

    def action_page(self, name: str) -> None:
        """Show another page, of the image at the left if this page has one."""
        index = self._wanted.index if self._sheet.index is None else self._sheet.index
        self._sheet = replace(self._sheet, index=None)
        if self.focused is not None:
            self.set_focus(None)
        self.want(replace(self._wanted, page=name, index=index))
        self._show_pages()
        self.set_timer(_PATIENCE, self._tell_of_waiting)

    def _tell_of_waiting(self) -> None:
        """Clear the last page if the next one takes long."""
        if self._page_shown != self._wanted.page:
            self.show_sheet(Sheet(problem="Loading…"))

    def on_key(self, event: events.Key) -> None:
        """Say why a page is greyed when its key is pressed."""
        active = active_binding(event.key, self)
        page = (active.binding.id or "").removeprefix("images.") if active else ""
        if active and page in self._greyed():
            title = active.binding.description
            why = (self._empty or {})[page]
            if why.startswith(("it ", "there ")):  # about the run; others begin with a name
                why = f"{why[0].upper()}{why[1:]}."
            self.notify(why, title=title, timeout=8, markup=False)

    def why_inactive(self, key_id: str) -> str:
        """Say what this page lacks; `on_key` explains the pages that are greyed."""
        if self._wanted.page == "sliders" and key_id in _OF_IMAGES:
            return "The sliders have no other images to go to."
        if key_id == f"images.{self._wanted.page}":
            return "This page is already open."
        return _LACKING.get(key_id, "")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey the current page and pages without a decoder; hide keys that do nothing here."""
        if action == "page":
            shown = parameters[0] == self._wanted.page
            return None if shown or parameters[0] in self._greyed() else True
        if self._wanted.page == "sliders" and action in ("draw", "go", "step", "number", "size"):
            return False
        if action == "draw":
            return self._page.draws
        if action == "open_image":
            return self._page.name in ("anomalies", "views", "reconstructions")
        if action == "channels":
            return has_choice(self._channels.channels)
        if action == "map":
            return self.has_class("-marks")
        return super().check_action(action, parameters)

    def _greyed(self) -> set[str]:
        return set(self._empty or ())

    def _show_pages(self) -> None:
        self.query_one(PageBar).show(self._wanted.page, self._greyed())
        self.refresh_bindings()
