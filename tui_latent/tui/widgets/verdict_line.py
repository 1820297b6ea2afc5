"""The verdict on a run in one line; no line if nothing stands out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content
from textual.widget import Widget

if TYPE_CHECKING:
    from tui_latent.verdict import Severity, Verdict

_STYLES: Final[dict[Severity, str]] = {
    "bad": "bold $text-error",
    "warning": "bold $text-warning",
    "good": "bold $text-success",
    "note": "bold",
}


class VerdictLine(Widget):
    """Shows as many whole sentences as fit, after a mark for the worst of them."""

    DEFAULT_CSS = """
    VerdictLine { height: 0; background: $panel; color: $foreground; }
    VerdictLine.-said { height: 1; }
    VerdictLine.-bad { background: $error 30%; }
    """

    def __init__(self, hint: str = "") -> None:
        super().__init__()
        self._hint = hint
        self._shown: Verdict | None = None
        self._line = Content("")

    def show(self, verdict: Verdict | None, hint: str | None = None) -> None:
        """Show a verdict; `hint`, at the right end, says what can be done about it."""
        self._shown, self._hint = verdict, self._hint if hint is None else hint
        self._rewrite()

    def on_resize(self) -> None:
        self._rewrite()

    def render(self) -> Content:
        return self._line

    @property
    def text(self) -> str:
        """What the line says."""
        return self._line.plain.strip()

    def _rewrite(self) -> None:
        width = self.size.width or self.screen.size.width
        line = verdict_content(self._shown, self._hint, width)
        if line.is_same(self._line):
            return
        self._line = line
        said = bool(line.plain)
        self.set_class(said, "-said")
        self.set_class(said and self._shown is not None and self._shown.severity == "bad", "-bad")
        self.refresh(layout=True)


def verdict_content(verdict: Verdict | None, hint: str, width: int) -> Content:
    """Write a verdict in `width` cells; nothing if there is nothing to say."""
    if verdict is None or not verdict.line() or width < 4:
        return Content("")
    first = next(finding for finding in verdict.findings if finding.headline)
    room = width - 4
    beside = room - len(hint) - 2 if hint else room
    text = verdict.line(beside)
    if text.endswith("…"):  # the sentence matters more than the hint
        text, hint = verdict.line(room), ""
    gap = " " * (room - len(text) - len(hint))
    return Content.assemble(
        (f" {first.mark} ", _STYLES[first.severity]), text, f"{gap}", (hint, "dim"), " "
    )
