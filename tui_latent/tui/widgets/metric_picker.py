"""A list of metrics to choose from, filtered as one types."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui_latent.runs.metric_specs import MetricSpec
from tui_latent.tui.keymap import bindings
from tui_latent.tui.layered_screen import DialogScreen
from tui_latent.tui.widgets.line_input import LineInput


class MetricPicker(DialogScreen[str | None]):
    """Asks for a metric; closes with its name in the records, or with None."""

    CSS = """
    MetricPicker { align: center middle; }
    MetricPicker > Vertical {
        width: 60; max-width: 94%; height: auto; max-height: 90%;
        padding: 0 1; border: round $accent; background: $surface;
    }
    MetricPicker Input { height: 1; padding: 0 1; background: $panel; }
    MetricPicker OptionList {
        height: auto; max-height: 16; margin-top: 1; padding: 0; border: none;
        background: $surface; scrollbar-size-vertical: 1;
    }
    """

    BINDINGS = bindings("metric picker")

    def __init__(self, metrics: Sequence[MetricSpec], shown: str) -> None:
        super().__init__()
        self._metrics = tuple(metrics)
        self._shown = shown

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = f"Metric · {len(self._metrics)} recorded"
            yield LineInput(placeholder="part of a name, as in knn or held out")
            options = OptionList()
            options.can_focus = False
            yield options

    def on_mount(self) -> None:
        self._list("")
        names = [spec.name for spec in self._metrics]
        self._options.highlighted = names.index(self._shown) if self._shown in names else 0

    @property
    def _options(self) -> OptionList:
        return self.query_one(OptionList)

    @on(Input.Changed)
    def narrow(self, event: Input.Changed) -> None:
        """List the metrics whose titles or names contain every word that was typed."""
        self._list(event.value)

    def _list(self, typed: str) -> None:
        found = matching(self._metrics, typed)
        self._options.set_options(
            [Option(_line(spec), id=spec.name) for spec in found]
            or [Option("No metric matches", disabled=True)]
        )
        self._options.highlighted = 0 if found else None

    def action_move(self, by: int) -> None:
        """Go to another metric of the list."""
        at, count = self._options.highlighted, self._options.option_count
        if at is not None and count:
            self._options.highlighted = min(max(at + by, 0), count - 1)

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    @on(Input.Submitted)
    def choose(self) -> None:
        """Close with the highlighted metric."""
        option = self._options.highlighted_option
        if option is not None:
            self.dismiss(option.id)

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Close with the metric that was clicked."""
        self.dismiss(event.option.id)


def matching(metrics: Sequence[MetricSpec], typed: str) -> list[MetricSpec]:
    """Return the metrics whose titles or names contain every word, in any case."""
    words = typed.casefold().split()
    return [
        spec
        for spec in metrics
        if all(word in f"{spec.title} {spec.name}".casefold() for word in words)
    ]


def _line(spec: MetricSpec) -> Content:
    better = {"higher": "↑ ", "lower": "↓ ", "": "  "}[spec.direction]
    return Content.assemble((better, "dim"), spec.title, (f"  {spec.name}", "dim"))
