"""Which figures the report of a family of methods has, below what every report shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tui_latent.reports.numbers import ReportNumbers
from tui_latent.reports.page import Box, Page
from tui_latent.reports.panels.cloud import draw_cloud
from tui_latent.reports.panels.components import draw_components
from tui_latent.reports.panels.confusion import draw_train_confusion
from tui_latent.reports.panels.evaluation import draw_figures, draw_roc
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
from tui_latent.reports.panels.thumbnails import draw_thumbnails
from tui_latent.reports.panels.voronoi import draw_voronoi
from tui_latent.runs.schema import LatentMap

_GAP: Final = 0.35
_REASON: Final = 1.2
"""inches of a row that has no figure, but the reasons why"""


@dataclass(frozen=True, eq=False)
class LayoutData:
    """What the figures of a family show."""

    numbers: ReportNumbers
    map: LatentMap | None
    findings: dict[str, Any]
    """by name; a text says why there is nothing"""


@dataclass(frozen=True)
class Panel:
    """One figure."""

    draw: Callable[[Page, Box, LayoutData], None]
    needs: str = ""
    """name of its finding; the figure is not drawn without it, the reason is"""
    title: str = ""
    width: float = 1.0
    """its share of the row"""


@dataclass(frozen=True)
class Row:
    """Figures beside each other."""

    height: float
    panels: tuple[Panel, ...]


def _shown(
    name: str, title: str, draw: Callable[[Page, Box, str, Any, ReportNumbers], None], width: float
) -> Panel:
    """Return a figure of a finding alone."""

    def draw_it(page: Page, box: Box, facts: LayoutData) -> None:
        draw(page, box, title, facts.findings[name], facts.numbers)

    return Panel(draw_it, name, title, width)


_SQUARE: Final = 5.2
_PCA: Final = _shown("PCA", "Principal components", draw_flat, 1)
_TSNE: Final = _shown("t-SNE", "t-SNE", draw_flat, 1)
_LDA: Final = _shown("LDA", "Linear discriminants", draw_flat, 1)
_LDA_3D: Final = _shown("LDA 3-D", "Linear discriminants in 3-D", draw_cloud, 2)
_CLOUD: Final = _shown("cloud", "Point cloud", draw_cloud, 2)
_ROC: Final = _shown("evaluation", "Anomalies: ROC", draw_roc, 1)
_FIGURES: Final = _shown("evaluation", "Evaluation", draw_figures, 1.4)
_TRAIN: Final = _shown("evaluation", "Confusion of kNN@20, training", draw_train_confusion, 1)
_THUMBNAILS: Final = _shown("thumbnails", "Thumbnails on the map", draw_thumbnails, 1)
_VORONOI: Final = Panel(
    lambda page, box, facts: draw_voronoi(page, box, facts.map, facts.numbers), title="Voronoi"
)
_COMPONENTS: Final = Row(
    2.7, (Panel(lambda page, box, facts: draw_components(page, box, facts.numbers)),)
)
_EXTREMES: Final = Row(
    EXTREMES_HEIGHT,
    (_shown("extremes", "Nearest and most distant images of each class", draw_extremes, 1),),
)
_ANOMALIES: Final = Row(
    ANOMALIES_HEIGHT, (_shown("anomalies", "Most anomalous images", draw_anomalies, 1),)
)
_RECONSTRUCTIONS: Final = Row(
    RECONSTRUCTIONS_HEIGHT, (_shown("reconstructions", "Reconstructions", draw_reconstructions, 1),)
)
_SAMPLES: Final = Row(SAMPLES_HEIGHT, (_shown("samples", "Class samples", draw_samples, 1),))
_MEASURED: Final = Row(_SQUARE, (_FIGURES, _ROC))

LAYOUTS: Final[dict[str, tuple[Row, ...]]] = {
    "vicreg": (
        _COMPONENTS,
        Row(_SQUARE, (_PCA, _TSNE, _LDA)),
        _MEASURED,
        _EXTREMES,
        _ANOMALIES,
    ),
    "eigenmaps": (Row(_SQUARE, (_PCA, _TSNE, _LDA)), _MEASURED, _EXTREMES, _ANOMALIES),
    "siamese": (
        _COMPONENTS,
        Row(7.4, (_THUMBNAILS, _TRAIN)),
        _RECONSTRUCTIONS,
        _SAMPLES,
        _MEASURED,
        _EXTREMES,
    ),
    "autoencoder": (
        Row(_SQUARE, (_LDA, _LDA_3D)),
        _SAMPLES,
        _RECONSTRUCTIONS,
        _MEASURED,
        _EXTREMES,
    ),
    "triplet": (
        Row(7.4, (_VORONOI, _TRAIN)),
        Row(_SQUARE, (_TSNE, _CLOUD)),
        _MEASURED,
        _EXTREMES,
    ),
    "contrastive": (
        Row(7.4, (_THUMBNAILS, _VORONOI)),
        _MEASURED,
        _EXTREMES,
        _ANOMALIES,
    ),
}
"""by the name of the method"""


def layout_rows(method: str) -> tuple[Row, ...]:
    """Return the rows of a method's family; every other method is measured at least."""
    return LAYOUTS.get(method, (_MEASURED, _EXTREMES))


def needed(rows: tuple[Row, ...]) -> list[str]:
    """Return the findings that rows need."""
    return list(dict.fromkeys(p.needs for row in rows for p in row.panels if p.needs))


def rows_height(rows: tuple[Row, ...], findings: dict[str, Any]) -> float:
    """Return the inches that rows take, with a gap after each."""
    return sum(_height(row, findings) + _GAP for row in rows)


def _height(row: Row, findings: dict[str, Any]) -> float:
    """Return a row's height: little where it has only reasons to give."""
    reasons = all(isinstance(findings.get(panel.needs), str) for panel in row.panels)
    return _REASON if reasons else row.height


def draw_rows(page: Page, box: Box, rows: tuple[Row, ...], facts: LayoutData) -> None:
    """Draw rows of figures from the top of a box."""
    top = box.top
    for row in rows:
        height = _height(row, facts.findings)
        shares = sum(panel.width for panel in row.panels)
        room = box.width - _GAP * (len(row.panels) - 1)
        left = box.left
        for panel in row.panels:
            place = Box(left, top, room * panel.width / shares, height)
            found = facts.findings.get(panel.needs)
            if isinstance(found, str):
                page.message(page.title(place, panel.title), found)
            else:
                panel.draw(page, place, facts)
            left += place.width + _GAP
        top += height + _GAP
