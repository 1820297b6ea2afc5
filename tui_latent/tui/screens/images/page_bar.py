"""The viewer's pages in one line: the key and the name of each, with the current one marked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from textual import events
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from tui_latent.tui.key import Key
from tui_latent.tui.keymap import KEYMAP
from tui_latent.tui.remapping import key_label
from tui_latent.tui.screens.images.pages.page import Page

_KEYS: Final[Mapping[str, Key]] = {row.id.removeprefix("images."): row for row in KEYMAP["viewer"]}


class PageBar(Static):
    """Names the pages, greyed if they have nothing to show; a click opens one."""

    DEFAULT_CSS = "PageBar { height: 1; padding: 0 1; text-wrap: nowrap; }"

    def __init__(self, pages: Sequence[type[Page]]) -> None:
        super().__init__()
        self._pages = pages
        self._shown = pages[0].name
        self._greyed: Collection[str] = ()

    def show(self, shown: str, greyed: Collection[str]) -> None:
        """Mark the current page, and grey those that have nothing to show."""
        self._shown, self._greyed = shown, greyed
        self._write()

    def on_resize(self) -> None:
        self._write()

    async def on_click(self, event: events.Click) -> None:
        """Open the page whose name was clicked."""
        name = event.style.meta.get("page")
        if name is not None:
            await self.run_action(f"screen.page('{name}')")

    def _write(self) -> None:
        long = self._line([_KEYS[page.name].label for page in self._pages])
        room = self.size.width - 2
        fits = long.cell_length <= room
        self.update(long if fits else self._line([page.short for page in self._pages]))

    def _line(self, names: Sequence[str]) -> Content:
        parts = [self._part(page, name) for page, name in zip(self._pages, names, strict=True)]
        return Content("").join(parts)

    def _part(self, page: type[Page], name: str) -> Content:
        look = "bold reverse" if page.name == self._shown else ""
        if page.name in self._greyed:
            look = "dim"
        label = key_label(_KEYS[page.name], self.app._keymap)
        key = Content.styled(f" {label}", look or "bold $footer-key-foreground")
        part = key + Content.styled(f" {name} ", look)
        return part.stylize(Style.from_meta({"page": page.name}))
