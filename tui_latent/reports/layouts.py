"""The rows of panels that a method adds to its report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from tui_latent.analysis.evaluation_table import confusion_reason
from tui_latent.config.methods import METHOD_SETTINGS, MethodSettings
from tui_latent.reports.numbers import ReportNumbers
from tui_latent.reports.page import Box, Page
from tui_latent.reports.panels.cloud import draw_cloud
from tui_latent.reports.panels.components import draw_components
from tui_latent.reports.panels.confusion import draw_train_confusion
from tui_latent.reports.panels.evaluation import draw_figures, draw_roc, why_no_roc
from tui_latent.reports.panels.flat import draw_flat
from tui_latent.reports.panels.galleries import (
    ANOMALIES_HEIGHT,
    EXTREMES_HEIGHT,
    RECONSTRUCTIONS_HEIGHT,
    SAMPLES_HEIGHT,
    draw_anomalies,
    draw_extremes,
    draw_reconstructions,
    draw_samples,
)
from tui_latent.reports.panels.spectrum import SPECTRUM_HEIGHT, draw_spectrum, why_no_spectrum
from tui_latent.reports.panels.thumbnails import draw_thumbnails
from tui_latent.reports.panels.voronoi import draw_voronoi
from tui_latent.runs.schema import LatentMap

_GAP: Final = 0.35
_SQUARE: Final = 5.2
_LARGE: Final = 7.4


@dataclass(frozen=True, eq=False)
class LayoutData:
    """What the panels show."""

    numbers: ReportNumbers
    map: LatentMap | None
    findings: dict[str, Any]
    """by name; a text says why there is nothing"""


@dataclass(frozen=True)
class Panel:
    """One panel."""

    draw: Callable[[Page, Box, LayoutData], None]
    height: float
    """inches; a row is as high as its highest panel"""
    needs: str = ""
    """name of its input; without it the reason is written in place of the panel"""
    title: str = ""
    width: float = 1.0
    """share of the row"""
    why_empty: Callable[[Any], str] = lambda _: ""
    """why there is nothing to show of an input that there is"""


@dataclass(frozen=True)
class Row:
    """Panels side by side."""

    panels: tuple[Panel, ...]

    @property
    def height(self) -> float:
        """Inches."""
        return max(panel.height for panel in self.panels)


def _finding(
    name: str,
    title: str,
    draw: Callable[[Page, Box, str, Any, ReportNumbers], None],
    height: float = _SQUARE,
    width: float = 1.0,
    why_empty: Callable[[Any], str] = lambda _: "",
) -> Panel:
    """Return a panel that shows one input."""

    def draw_it(page: Page, box: Box, facts: LayoutData) -> None:
        draw(page, box, title, facts.findings[name], facts.numbers)

    return Panel(draw_it, height, name, title, width, why_empty)


PANELS: Final[dict[str, Panel]] = {
    "components": Panel(lambda page, box, facts: draw_components(page, box, facts.numbers), 2.7),
    "pca": _finding("PCA", "Principal components", draw_flat),
    "t-sne": _finding("t-SNE", "t-SNE", draw_flat),
    "lda": _finding("LDA", "Linear discriminants", draw_flat),
    "lda 3-d": _finding("LDA 3-D", "Linear discriminants in 3-D", draw_cloud, width=2),
    "point cloud": _finding("cloud", "Point cloud", draw_cloud, width=2),
    "thumbnails": _finding("thumbnails", "Thumbnails on the map", draw_thumbnails, _LARGE),
    "voronoi": Panel(
        lambda page, box, facts: draw_voronoi(page, box, facts.findings["voronoi"], facts.numbers),
        _LARGE,
        "voronoi",
        "Voronoi",
    ),
    "evaluation": _finding("evaluation", "Evaluation", draw_figures, width=1.4),
    "roc": _finding("evaluation", "Anomalies: ROC", draw_roc, why_empty=why_no_roc),
    "spectrum": _finding(
        "evaluation",
        "Spectrum of the latents",
        draw_spectrum,
        SPECTRUM_HEIGHT,
        why_empty=why_no_spectrum,
    ),
    "training confusion": _finding(
        "evaluation",
        "Confusion of kNN@20, training",
        draw_train_confusion,
        why_empty=lambda found: confusion_reason(found, "knn_train"),
    ),
    "extremes": _finding(
        "extremes",
        "Nearest and most distant images of each class",
        draw_extremes,
        EXTREMES_HEIGHT,
    ),
    "anomalies": _finding("anomalies", "Most anomalous images", draw_anomalies, ANOMALIES_HEIGHT),
    "reconstructions": _finding(
        "reconstructions", "Reconstructions", draw_reconstructions, RECONSTRUCTIONS_HEIGHT
    ),
    "samples": _finding("samples", "Class samples", draw_samples, SAMPLES_HEIGHT),
}
"""by the names that a method's settings use in `report`"""


def layout_rows(method: str) -> tuple[Row, ...]:
    """Return the rows of a method's report; an unknown method gets the default ones."""
    settings = METHOD_SETTINGS.get(method, MethodSettings)
    return tuple(Row(tuple(PANELS[name] for name in names)) for names in settings.report)


def needed(rows: tuple[Row, ...]) -> list[str]:
    """Return the names of the inputs that rows need."""
    return list(dict.fromkeys(p.needs for row in rows for p in row.panels if p.needs))


def shown_rows(
    rows: tuple[Row, ...], findings: dict[str, Any], but: Collection[str] = ()
) -> tuple[Row, ...]:
    """Return the rows with the panels that have something to show; empty ones are left out.

    `but` names panels that stand elsewhere.
    """
    elsewhere = [PANELS[name] for name in but]
    kept = (
        tuple(p for p in row.panels if p not in elsewhere and not _reason(p, findings))
        for row in rows
    )
    return tuple(Row(panels) for panels in kept if panels)


def left_out(rows: tuple[Row, ...], findings: dict[str, Any]) -> list[str]:
    """Return which panels have nothing to show, and why: a line for each reason."""
    panels = [panel for row in rows for panel in row.panels]
    return by_reason((p.title, why) for p in panels if (why := _reason(p, findings)))


def by_reason(missing: Iterable[tuple[str, str]]) -> list[str]:
    """Return a line for each reason of (title, reason), with all titles that it applies to."""
    titles: dict[str, list[str]] = {}
    for title, reason in missing:
        titles.setdefault(reason, []).append(title)
    return [f"{', '.join(names)}: {reason}" for reason, names in titles.items()]


def _reason(panel: Panel, findings: dict[str, Any]) -> str:
    found = findings.get(panel.needs)
    if isinstance(found, str):
        return found
    return panel.why_empty(found) if found is not None else ""


def rows_height(rows: tuple[Row, ...]) -> float:
    """Return the height of the rows in inches, with a gap after each."""
    return sum(row.height + _GAP for row in rows)


def draw_rows(page: Page, box: Box, rows: tuple[Row, ...], facts: LayoutData) -> None:
    """Draw rows of panels from the top of a box."""
    top = box.top
    for row in rows:
        shares = sum(panel.width for panel in row.panels)
        room = box.width - _GAP * (len(row.panels) - 1)
        left = box.left
        for panel in row.panels:
            place = Box(left, top, room * panel.width / shares, row.height)
            panel.draw(page, place, facts)
            left += place.width + _GAP
        top += row.height + _GAP
