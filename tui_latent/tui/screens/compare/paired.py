"""Runs compared image by image, in a thread, once none of them is training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import work
from textual.message import Message
from textual.widget import Widget

from tui_latent.comparison import Comparison
from tui_latent.runs.schema import LIVE_STATES

if TYPE_CHECKING:
    from pathlib import Path


class PairedReader(Widget):
    """Reads latents and compares them; invisible.

    A run that trains writes other latents every few seconds, and comparing them would take its
    cores: so nothing is read before all runs have ended.
    """

    DEFAULT_CSS = "PairedReader { display: none; }"

    @dataclass
    class Found(Message):
        """The runs were compared."""

        sentences: Sequence[str]

    def __init__(self) -> None:
        super().__init__()
        self._read: tuple[tuple[Path, int], ...] = ()

    def follow(self, shown: Comparison) -> None:
        """Compare the runs unless one of them is live, or they were compared as they are."""
        live = any(run.status.state in LIVE_STATES for run in shown.runs)
        now = tuple(
            (run.path, each.map.step)
            for run, each in zip(shown.runs, shown.maps, strict=True)
            if each.map is not None
        )
        if not live and len(now) > 1 and now != self._read:
            self._read = now
            self._compare(shown)

    @work(thread=True, exclusive=True, group="paired")
    def _compare(self, shown: Comparison) -> None:
        from tui_latent.analysis.errors import InspectionError
        from tui_latent.analysis.paired_runs import paired_runs
        from tui_latent.analysis.paired_words import all_paired_sentences
        from tui_latent.runs.schema import RunError

        try:
            sentences = all_paired_sentences(shown, paired_runs(shown))
        except (InspectionError, RunError, OSError) as error:
            sentences = [f"The runs cannot be compared image by image: {error}."]
        self.post_message(self.Found(sentences))
