"""The viewer's pages in one line: the key and the name of each, the one that is shown marked."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from textual import events
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from tui_latent.tui.screens.images.pages.page import Page


class PageBar(Static):
    """Names the pages, greyed where there is nothing to see; a click opens one."""

    DEFAULT_CSS = "PageBar { height: 1; padding: 0 1; text-wrap: nowrap; }"

    def __init__(self, pages: Sequence[type[Page]]) -> None:
        super().__init__()
        self._pages = pages
        self._shown = pages[0].name
        self._greyed: Collection[str] = ()

    def show(self, shown: str, greyed: Collection[str]) -> None:
        """Mark the page that is shown, and grey those that there is nothing on."""
        self._shown, self._greyed = shown, greyed
        self._write()

    def on_resize(self) -> None:
        self._write()

    async def on_click(self, event: events.Click) -> None:
        """Open the page whose name is clicked."""
        name = event.style.meta.get("page")
        if name is not None:
            await self.run_action(f"screen.page('{name}')")

    def _write(self) -> None:
        long = self._line([page.title for page in self._pages])
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
        key = Content.styled(f" {page.key}", look or "bold $accent")
        part = key + Content.styled(f" {name} ", look)
        return part.stylize(Style.from_meta({"page": page.name}))
