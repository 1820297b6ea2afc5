"""The whole evaluation of the newest latents: its figures, and its ROC curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tui_latent.analysis.evaluation_table import shared_reasons
from tui_latent.nouns import counted
from tui_latent.reports.legend import Entry, draw_legend
from tui_latent.reports.numbers import ReportNumbers
from tui_latent.reports.page import LINE_HEIGHT, Box, Page
from tui_latent.reports.panels.table import Cell, Column, draw_table
from tui_latent.reports.style import AXIS, BODY, FAINT, INK, class_paint, series_paint
from tui_latent.reports.text import fit, wrap
from tui_latent.reports.wording import number
from tui_latent.runs.metric_specs import EVALUATION_PARTS, spec_of

Found = Mapping[str, Any]

_PARTS: Final = (
    "knn_held_out",
    "knn_train",
    "knn_weighted",
    "probe",
    "retrieval",
    "clustering",
    "collapse",
    "map",
    "inputs",
)
_NEW: Final = ("knn_weighted", "retrieval", "inputs")
"""parts that evaluations of version 0.1 do not have, which is no reason to mention them"""
_ALIGNED: Final = "of two views; smaller is better"
_NO_VIEWS: Final = "not recorded: this method does not train on two views of an image"
_VALUE: Final = 0.85
_NAME: Final = 2.2
_NOTES: Final = 4
_LEFT, _BOTTOM = 0.62, 0.44


def draw_figures(page: Page, box: Box, title: str, found: Found, numbers: ReportNumbers) -> None:
    """Write the figures of the evaluation, in two columns, or why one is missing."""
    step = f"step {found['step']:,}"
    images = found["latents"]
    training = f"{images['training_images']:,} training, " * bool(images["training_images"])
    note = f"{step} · {training}{images['held_out_images']:,} held out"
    inner = page.title(box, title, note)
    unmeasured = [
        f"not measured: {', '.join(titles)}: {why}" for why, titles in shared_reasons(found).items()
    ]
    notes = [
        line
        for text in (*found["notes"], *unmeasured)
        for line in wrap(text.split(), box.width, BODY)
    ]
    for row, line in enumerate(notes[:_NOTES]):
        page.text(inner.left, inner.top + 0.06 + row * LINE_HEIGHT, line, color=FAINT)
    inner = inner.below(len(notes[:_NOTES]) * LINE_HEIGHT)
    rows = [row for part in _PARTS for row in _rows(part, found)]
    width = inner.width
    columns = [
        Column(0, _NAME),
        Column(_NAME, _VALUE, right=True),
        Column(_NAME + _VALUE + 0.15, width - _NAME - _VALUE - 0.15),
    ]
    heads = [Cell(""), Cell("value"), Cell("95 % interval, or details")]
    draw_table(page, inner, columns, heads, rows)


def _rows(part: str, found: Found) -> list[list[Cell]]:
    name = EVALUATION_PARTS[part]
    if part not in found:
        if part in _NEW and part not in found["missing"]:
            return []
        reason = found["missing"].get(part, "not measured")
        if reason in shared_reasons(found):
            return []
        return [[Cell(name), Cell("–"), Cell(reason, {"color": FAINT})]]
    of: Found = found[part]
    if part in ("knn_held_out", "knn_train"):
        side = name.removeprefix("kNN ")
        return [
            _share(f"kNN@{k}, {side}", share, _why(found, part, f"k={k}"))
            for k, share in of["accuracy"].items()
        ]
    if part == "knn_weighted":
        known = {vote: share for vote, share in of["accuracy"].items() if share is not None}
        first, *others = known
        more = ", ".join(f"{vote}: {number(known[vote]['value'])}" for vote in others)
        return [_share(f"kNN by cosine, {first}", known[first], beside=more)]
    if part == "probe":
        return [_share(name, of, beside=_layers(found))]
    if part == "retrieval":
        known = {k: value for k, value in of["recall"].items() if value is not None}
        recall = ", ".join(f"recall@{k} {number(value)}" for k, value in known.items())
        return [_plain("retrieval/map_at_r", of["map_at_r"], recall)]
    if part == "inputs":
        seen = f"by {of['of']} of {of['images']:,} images"
        words = f"continuity {number(of['continuity'])}, {seen}"
        return [_plain("inputs/trustworthiness", of["trustworthiness"], words)]
    if part == "clustering":
        clusters = counted(of["clusters"], "cluster")
        if of["accuracy"] is None:
            words = f"of {of['silhouette_of']:,} latents in {clusters}"
            return [_plain("clustering/silhouette", of["silhouette"], words)]
        adjusted = f"; adjusted, AMI {number(of['ami'])}" if "ami" in of else ""
        kept = f"{clusters} of {of['images']:,} held-out images, matched to classes"
        return [
            _plain("clustering/accuracy", of["accuracy"], kept),
            _plain("clustering/nmi", of["nmi"], f"mutual information with the classes{adjusted}"),
            _plain("clustering/ari", of["ari"], "adjusted Rand index"),
            _plain(
                "clustering/silhouette",
                of["silhouette"],
                _why(found, part, "silhouette") or f"of {of['silhouette_of']:,} latents",
            ),
        ]
    if part == "map":
        words = f"{of['k']} neighbours of {of['images']:,} images on the {of['projection']} map"
        rows = [
            _plain(f"map/{figure}", of[figure], words)
            for figure in ("trustworthiness", "continuity")
            if of[figure] is not None
        ]
        if (hit := of.get("neighbourhood_hit")) is not None:
            rows.append(_plain("map/neighbourhood_hit", hit, f"of {of['hit_k']} neighbours"))
        return rows
    dimensions = found["latents"]["dimensions"]
    signs = "; ".join(of["signs"])
    return [
        _plain(
            "latent/effective_rank", of["effective_rank"], signs or f"of {dimensions} dimensions"
        ),
        _plain("latent/std_min", of["std_min"], f"mean {number(of['std_mean'])}"),
        _plain(
            "latent/alignment",
            of["alignment"],
            _why(found, part, "alignment") or (_NO_VIEWS if of["alignment"] is None else _ALIGNED),
        ),
        _plain("latent/uniformity", of["uniformity"], "of directions; lower is more even"),
    ]


def _layers(found: Found) -> str:
    """Return the probe of an untrained network and of the inputs, on the same sample as ours."""
    rows = {row["place"]: row["probe"] for row in found.get("layers", {}).get("rows", ())}
    named = {
        "here": rows.get("representation"),
        "untrained": rows.get("representation, untrained"),
        "inputs": list(rows.values())[-1] if rows else None,
    }
    known = [f"{name} {number(s['value'])}" for name, s in named.items() if s is not None]
    return f"of a sample: {', '.join(known)}" if len(known) > 1 else ""


def _why(found: Found, part: str, figure: str) -> str:
    return str(found["missing"].get(f"{part}/{figure}", ""))


def _share(name: str, share: Found | None, why: str = "", beside: str = "") -> list[Cell]:
    if share is None:
        return [Cell(name), Cell(number(None)), _faint(why)]
    interval = (
        f"{number(share['low'])} to {number(share['high'])} · {share['right']:,} of {share['of']:,}"
    )
    if beside:
        interval = f"{number(share['low'])} to {number(share['high'])} · {beside}"
    return [Cell(name), Cell(number(share["value"]), {"weight": "bold"}), _faint(interval)]


def _plain(metric: str, value: float | None, words: str) -> list[Cell]:
    return [Cell(spec_of(metric).title), Cell(number(value), {"weight": "bold"}), _faint(words)]


def _faint(text: str) -> Cell:
    return Cell(text, {"color": FAINT})


def why_no_roc(found: Found) -> str:
    """Return why there is no ROC curve to draw; empty if there is one."""
    left_out = found.get("anomaly", {}).get("classes", [])
    if found["outliers"] or any(curve is not None for curve in left_out):
        return ""
    return str(found["missing"].get("anomaly", "no class can be left out"))


def draw_roc(page: Page, box: Box, title: str, found: Found, numbers: ReportNumbers) -> None:
    """Draw how well kNN density finds outliers: other data bold, each class left out thin."""
    inner = page.title(box, title, "kNN density; each class left out in turn")
    names = found["class_names"]
    curves = [
        (curve["outliers"], curve, {"color": INK if i == 0 else series_paint(i), "linewidth": 2.4})
        for i, curve in enumerate(found["outliers"])
    ]
    left_out = found.get("anomaly", {}).get("classes", [])
    curves += [
        (names[label], curve, {"color": class_paint(label), "linewidth": 1.2})
        for label, curve in enumerate(left_out)
        if curve is not None
    ]
    entries = [
        Entry(f"{fit(name, 1.6, BODY)} {number(curve['auc'])}", style)
        for name, curve, style in curves
    ]
    below = draw_legend(page, inner, entries)
    hint = "" if found["outliers"] else "tui-latent evaluate RUN --outliers DATASET adds a dataset"
    if hint:
        page.text(below.left, below.top + 0.16, fit(hint, below.width, BODY), color=FAINT)
        below = below.below(LINE_HEIGHT)
    side = min(below.width - _LEFT, below.height - _BOTTOM - 0.1)
    axes = page.axes(Box(below.left + _LEFT, below.top + 0.1, side, side))
    axes.plot([0, 1], [0, 1], color=AXIS, linewidth=0.8)
    for _, curve, style in reversed(curves):
        axes.plot(curve["false_positives"], curve["true_positives"], **style)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.005)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_yticks([0.25, 0.5, 0.75, 1])
    axes.set_xlabel("false positive rate", fontsize=BODY, color=FAINT, labelpad=2)
    axes.set_ylabel("true positive rate", fontsize=BODY, color=FAINT, labelpad=2)
