"""All findings about a run, each with its evidence, its threshold and where to see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_latent.tui.keymap import bindings
from tui_latent.tui.layered_screen import DialogScreen
from tui_latent.tui.remapping import key_name
from tui_latent.verdict import Door, Finding, Severity, Verdict

_STYLES: Final[dict[Severity, str]] = {
    "bad": "bold $text-error",
    "warning": "bold $text-warning",
    "good": "bold $text-success",
    "note": "bold",
}
_NOT_YET: Final = "Judging the run …"
_NOTHING: Final = "Nothing can be said about this run before its first evaluation."


class FindingsScreen(DialogScreen[Door | None]):
    """Lists findings; closes with the door of the one that was chosen."""

    CSS = """
    FindingsScreen { align: center middle; }
    FindingsScreen > OptionList {
        width: 92; max-width: 96%; height: auto; max-height: 96%; padding: 0 1;
        scrollbar-size-vertical: 1; border: round $accent; background: $surface;
    }
    """

    BINDINGS = bindings("findings")

    def __init__(self, verdict: Verdict | None) -> None:
        """`verdict` is None while the run is being judged."""
        super().__init__()
        self._verdict = verdict
        self._highlighted: int | None = None
        self._is_filled = False

    @property
    def _findings(self) -> Sequence[Finding]:
        return () if self._verdict is None else self._verdict.findings

    def compose(self) -> ComposeResult:
        keymap = self.app._keymap
        findings = OptionList()
        findings.border_title = "Verdict"
        go, close = (key_name(f"findings.{verb}", keymap) for verb in ("follow", "close"))
        findings.border_subtitle = f"{go}: see it · {close}: close"
        yield findings

    def on_mount(self) -> None:
        self._fill()
        self.query_one(OptionList).focus()

    def show(self, verdict: Verdict) -> None:
        """Show a newer verdict; the cursor stays on its kind of finding."""
        if verdict == self._verdict:
            return
        at = self._highlighted or 0
        kind = self._findings[at].kind if self._findings else ""
        self._verdict = verdict
        if self._is_filled:  # else it will be filled with these
            self._fill(kind, at)

    def _fill(self, kind: str = "", at: int = 0) -> None:
        """List the findings, with the cursor on the first of `kind`, or else on the one at `at`."""
        findings, self._highlighted = self.query_one(OptionList), None
        self._is_filled = True
        findings.clear_options()
        findings.add_options(Option(finding_words(found)) for found in self._findings)
        if self._findings:
            kinds = [finding.kind for finding in self._findings]
            findings.highlighted = kinds.index(kind) if kind in kinds else min(at, len(kinds) - 1)
        else:
            words = _NOT_YET if self._verdict is None else _NOTHING
            findings.add_option(Option(words, disabled=True))

    @on(OptionList.OptionHighlighted)
    def take_color_off(self, event: OptionList.OptionHighlighted) -> None:
        """Write the highlighted finding in the cursor's colour: green on its blue is unreadable."""
        if not self._findings or event.option_index == self._highlighted:
            return
        findings = self.query_one(OptionList)
        for index, plain in ((self._highlighted, False), (event.option_index, True)):
            if index is not None:
                words = finding_words(self._findings[index], plain=plain)
                findings.replace_option_prompt_at_index(index, words)
        self._highlighted = event.option_index

    def action_follow(self) -> None:
        """Close, and show the evidence of the highlighted finding."""
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def follow(self, event: OptionList.OptionSelected) -> None:
        """Close with the door of the finding that was chosen."""
        event.stop()
        self.dismiss(self._findings[event.option_index].door)


def finding_words(found: Finding, plain: bool = False) -> Content:
    """Write a finding: the sentence, then its evidence and where to see it; all in one colour if
    `plain`."""
    dim = "" if plain else "dim"
    threshold = f"Threshold: {found.threshold}\n" if found.threshold else ""
    return Content.assemble(
        (f"{found.mark} {found.sentence}\n", "bold" if plain else _STYLES[found.severity]),
        f"{found.evidence}\n",
        (threshold, dim),
        (f"Shows {found.door.words}.\n", dim),
    )
