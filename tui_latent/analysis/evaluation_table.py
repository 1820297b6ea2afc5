"""An evaluation as lines of plain text, for the command line and the dashboard's page."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from textwrap import wrap
from typing import Any, Final

from tui_latent.nouns import counted
from tui_latent.number_format import UNKNOWN, short_number
from tui_latent.runs.confusion import confused_pairs
from tui_latent.runs.metric_specs import EVALUATION_PARTS, spec_of
from tui_latent.runs.origin import nouns_of

Found = Mapping[str, Any]
"""what `evaluate_run` returned, or what was read from its file"""

_INTERVALS: Final = "intervals: 95 %, Wilson · classes: kNN@20, held out"
_AUC: Final = "AUC: the class as outliers, by mean distance to the nearest other images"
_CONFUSION_OF: Final = "k=20"
_WIDTH: Final = 80
"""cells of a line: longer sentences continue on the next"""
_NAME: Final = 14
"""cells of a class name"""
_BARS: Final = " ▁▂▃▄▅▆▇█"
_AXES: Final = 32
"""principal axes that the line of variances shows, evenly spaced among more"""
_LEVEL: Final = 3
_MIXED: Final = 5
"""confused pairs of classes at most"""


def figure(value: float | None) -> str:
    """Write a figure briefly, with three digits; `–` if there is none."""
    return short_number(value, scientific=False)


def share_text(share: Mapping[str, Any] | None) -> str:
    """Write a share with its interval, at a fixed width; `–` if it is missing."""
    if share is None:
        return f"{UNKNOWN:>4}"
    low, high = figure(share["low"]), figure(share["high"])
    return f"{figure(share['value']):>4} ({low:>4}–{high:>4})"


def headline(found: Found) -> str:
    """Return a line that says what was evaluated."""
    latents = found["latents"]
    training = latents["training_images"]
    images = f"{training:,} training and " * bool(training) + f"{latents['held_out_images']:,} "
    images += "held-out images" if training else "images"
    line = f"step {found['step']:,} · {latents['dimensions']}-D latents of {images}"
    if found.get("origin") == "opened":
        line = f"{latents['held_out_images']:,} vectors of "
        line += counted(latents["dimensions"], "number")
    return f"{found['run']} · {line}"


def figure_rows(found: Found) -> list[tuple[str, str]]:
    """Return the figures of a space as pairs of a name and a line."""
    rows = []
    shared = shared_reasons(found)
    for part, name in EVALUATION_PARTS.items():
        texts = _texts(part, found) if part in found else []
        texts += reasons(found, part, leaving_out=shared)
        rows += [("" if i else name, text) for i, text in enumerate(texts)]
    unmeasured = [f"{', '.join(names)}: {why}" for why, names in shared.items()]
    return rows + [("" if i else "not measured", text) for i, text in enumerate(unmeasured)]


def shared_reasons(found: Found) -> dict[str, list[str]]:
    """Return the reasons for which three parts or more are not measured, with their titles."""
    parts: dict[str, list[str]] = {}
    for part, title in EVALUATION_PARTS.items():
        if (why := found["missing"].get(part)) is not None:
            parts.setdefault(why, []).append(title)
    return {why: titles for why, titles in parts.items() if len(titles) > 2}


def reasons(found: Found, part: str, leaving_out: Container[str] = ()) -> list[str]:
    """Return why a part, or a figure of it, is not measured; a line for each reason."""
    missing = {key: why for key, why in found["missing"].items() if why not in leaving_out}
    if part in missing:
        return [f"not measured: {missing[part]}"]
    figures: dict[str, list[str]] = {}
    for key, why in missing.items():
        of, slash, figure_name = key.partition("/")
        if slash and of == part:
            figures.setdefault(why, []).append(figure_name)
    return [f"not measured: {', '.join(names)}: {why}" for why, names in figures.items()]


def confusion_reason(found: Found, part: str) -> str:
    """Return why a part has no confusion matrix; empty if it has one."""
    if part in found and found[part]["confusion"] is not None:
        return ""
    missing = found["missing"]
    return str(missing.get(part) or missing.get(f"{part}/{_CONFUSION_OF}") or "not measured")


def class_rows(found: Found) -> list[tuple[str, Mapping[str, Any], float | None]]:
    """Return per class its name, its held-out scores, and the AUC when it is the outlier."""
    scores = found.get("knn_held_out", {}).get("classes", [])
    rocs = found.get("anomaly", {}).get("classes", [None] * len(scores))
    names = found["class_names"]
    return [
        (name, score, roc["auc"] if roc else None)
        for name, score, roc in zip(names, scores, rocs, strict=False)
    ]


def is_whole(found: Found) -> bool:
    """Return whether an evaluation read from a file, which may be damaged, makes a table."""
    try:
        table_lines(found)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return False
    return True


def table_lines(found: Found) -> list[str]:
    """Return an evaluation as lines, as the command line prints it."""
    lines = [headline(found), *(f"note: {note}" for note in found["notes"]), ""]
    rows = figure_rows(found)
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        parts = [text] if len(text) <= _WIDTH - width - 2 else wrap(text, _WIDTH - width - 2)
        lines += [f"{'' if i else name:<{width}}  {part}" for i, part in enumerate(parts)]
    classes = class_rows(found)
    if classes:
        lines += [
            "",
            f"{'class, held out':<{_NAME + 2}} precision  recall      F1   images     AUC",
        ]
        lines += [_class_line(*row) for row in classes]
        names = found["class_names"]
        mixed = confused_pairs(found["knn_held_out"]["confusion"], _MIXED)
        lines += ["", "most confused:" + (" none" if not mixed else "")]
        lines += [f"  {names[a]} → {names[b]}  {counted(count, 'image')}" for a, b, count in mixed]
    legend = [_INTERVALS] if any("knn" in part or part == "probe" for part in found) else []
    return [*lines, *([""] if legend or classes else []), *legend, *([_AUC] if classes else [])]


def _class_line(name: str, scores: Mapping[str, Any], auc: float | None) -> str:
    short = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
    values = (scores["precision"], scores["recall"], scores["f1"])
    shares = "".join(f"{figure(value):>8}" for value in values)
    return f"{short:<{_NAME + 2}}  {shares} {scores['support']:>8,}{figure(auc):>8}"


def _texts(part: str, found: Found) -> list[str]:
    """Return the lines of one part."""
    of = found[part]
    held_out = f"{nouns_of(found.get('origin', 'trained')).held_out}s"
    if part in ("knn_train", "knn_held_out"):
        return ["  ".join(f"k={k} {share_text(share)}" for k, share in of["accuracy"].items())]
    if part == "knn_weighted":
        return ["  ".join(f"{vote} {share_text(s)}" for vote, s in of["accuracy"].items())]
    if part == "retrieval":
        return _retrieval(of, held_out)
    if part == "probe":
        return _probe(of)
    if part == "layers":
        return _layers(of)
    if part == "inputs":
        return _inputs(of, found["latents"])
    if part == "lidar":
        return _lidar(of)
    if part == "clustering":
        return _clustering(of, held_out)
    if part == "map":
        return _map(of, found["latents"], held_out)
    if part == "collapse":
        return _collapse(of, found["latents"]["dimensions"])
    if part == "decoder":
        return [_decoder(of)]
    if part == "anomaly":
        return [f"{_aucs(of['classes'])}  by {of['k']} neighbours", *_others(of["classes"])]
    return [text for curve in of for text in _outliers(curve, held_out)]


def _probe(of: Found) -> list[str]:
    penalty = of.get("penalty")
    chosen = f"  C {figure(1 / penalty)}, chosen on training images" if penalty else ""
    after = (
        f"short probe {figure(of['published'])}, 10 epochs as published"
        if "published" in of
        else ""
    )
    return [f"{share_text(of)}{chosen}", *([after] if after else [])]


def _retrieval(of: Found, held_out: str) -> list[str]:
    known = {k: value for k, value in of["recall"].items() if value is not None}
    recalls = "  ".join(f"recall@{k} {figure(value)}" for k, value in known.items())
    return [
        *([recalls] if recalls else []),
        f"{_named(of, 'retrieval/map_at_r', 'retrieval/r_precision')}  of {of['images']:,} "
        f"{held_out} among {of['ranked']:,}",
    ]


def _layers(of: Found) -> list[str]:
    width = max(len(row["place"]) for row in of["rows"])
    lines = [
        f"{row['place']:<{width}} {row['dimensions']:>5,}-D kNN@20 {_value(row['knn']):>4} "
        f"probe {_value(row['probe']):>4}{_short(row)}"
        for row in of["rows"]
    ]
    sample = f"{of['training_images']:,} training and {of['images']:,} held-out images"
    probes = "probe: converged/short, 10 epochs on raw values as published"
    said = [probes] if any(_short(row) for row in of["rows"]) else []
    return [*lines, f"the same {sample} in every row", *said]


def _short(row: Found) -> str:
    """Return the short probe of a row; empty in earlier evaluations, which have none."""
    return f"/{figure(row['published'])}" if "published" in row else ""


def _value(share: Found | None) -> str:
    return UNKNOWN if share is None else figure(share["value"])


def _inputs(of: Found, latents: Found) -> list[str]:
    near = ("inputs/trustworthiness", "inputs/continuity")
    ranked = ("inputs/area", "inputs/q_nx", "inputs/lcmc", "inputs/distances")
    lines = []
    for name, found in of["spaces"].items():
        named = "map" if name == "map" else f"{latents['dimensions']}-D"
        lines += [f"{named}: {_named(found, *near)}", f"  {_named(found, *ranked)}"]
    images = f"{of['images']:,}"
    if of["images"] < latents["held_out_images"]:
        images += f" of {latents['held_out_images']:,}"
    return [*lines, f"by {of['of']}; {images} held-out images"]


def _lidar(of: Found) -> list[str]:
    places = "  ".join(f"{place} {figure(value)}" for place, value in of["places"].items())
    return [places, f"{of['views']} views of each of {of['images']:,} held-out images"]


def _clustering(of: Found, held_out: str) -> list[str]:
    sampled = of["silhouette_of"] < of["images"]
    sample = f"; silhouette of a sample of {of['silhouette_of']:,}" if sampled else ""
    fewer = "" if of["clusters"] == of["asked"] else f", {of['asked']} requested"
    compared = of.get("labelled", of["images"])
    known = ("accuracy", "nmi", "ari", *(("ami",) if "ami" in of else ()))
    agreement = [f"clustering/{name}" for name in known if compared]
    some = f", {compared:,} of them with a label" if 0 < compared < of["images"] else ""
    chosen = "" if compared else "; the number of clusters has the best silhouette"
    return [
        _named(of, *agreement, "clustering/silhouette"),
        f"{counted(of['clusters'], 'cluster')} of {of['images']:,} {held_out}"
        f"{some}{fewer}{sample}{chosen}",
        *_class_silhouettes(of.get("class_silhouettes") or {}, of.get("class_silhouette")),
    ]


def _class_silhouettes(by_class: Mapping[str, float], mean: float | None) -> list[str]:
    if not by_class:
        return []
    lowest = min(by_class, key=lambda name: by_class[name])
    return [
        f"silhouette of the classes {figure(mean)}, lowest {figure(by_class[lowest])} ({lowest})"
    ]


def _map(of: Found, latents: Found, held_out: str) -> list[str]:
    images = f"{of['images']:,}"
    if of["images"] < latents["held_out_images"]:
        images += f" of {latents['held_out_images']:,}"
    share = of.get("neighbourhood_hit")
    hit = "" if share is None else f"neighbourhood hit {figure(share)}"
    if of["trustworthiness"] is None:
        return [f"the latents themselves  {hit}".rstrip()]
    way = "the latents themselves" if of["projection"] == "native" else "by PCA"
    more = ("map/area", "map/distances") if "area" in of else ()
    return [
        _named(of, "map/trustworthiness", "map/continuity", *more),
        *([f"{hit} of {of['hit_k']} neighbours"] if hit else []),
        f"{way}; {of['k']} neighbours of {images} {held_out}",
    ]


def _collapse(of: Found, dimensions: int) -> list[str]:
    aligned = "" if of["alignment"] is None else f"  alignment {figure(of['alignment'])}"
    return [
        f"effective rank {figure(of['effective_rank'])} of {dimensions}  "
        f"uniformity {figure(of['uniformity'])}{aligned}",
        f"standard deviation {figure(of['std_min'])}–{figure(of['std_max'])}, "
        f"mean {figure(of['std_mean'])}",
        *_spectrum(of),
        *(f"collapse: {sign}" for sign in of["signs"]),
    ]


def _spectrum(of: Found) -> list[str]:
    variances = of.get("spectrum")
    if not variances:
        return []
    if of["participation_ratio"] is None:
        return []
    if of["alpha_req"] is None:
        return [_named(of, "collapse/participation_ratio")]
    named = _named(of, "collapse/participation_ratio", "collapse/alpha_req")
    return [named, f"variances {_bars(variances)}  log scale, each level a factor of {_LEVEL}"]


def _bars(variances: Sequence[float]) -> str:
    """Draw the spectrum in one line, logarithmic, the largest variance at full height."""
    largest = max(variances)
    if largest <= 0:
        return _BARS[0]
    few = [variances[i * len(variances) // _AXES] for i in range(_AXES)]
    few = list(variances) if len(variances) <= _AXES else few
    levels = [math.log(largest / v, _LEVEL) if v > 0 else math.inf for v in few]
    return "".join(_BARS[max(len(_BARS) - 1 - round(min(level, 99)), 0)] for level in levels)


def _decoder(of: Found) -> str:
    return (
        f"decoded latents of {of['images']:,} held-out images differ by {figure(of['deviation'])} "
        "per pixel"
    )


def _named(of: Found, *metrics: str) -> str:
    """Write some figures of a part, each after its short name, but for those that are missing."""
    values = {m: of[m.rpartition("/")[2]] for m in metrics}
    return "  ".join(f"{spec_of(m).short} {figure(v)}" for m, v in values.items() if v is not None)


def _aucs(classes: Sequence[Found | None]) -> str:
    areas = [roc["auc"] for roc in classes if roc]
    if not areas:
        return "no class could be left out"
    mean = sum(areas) / len(areas)
    return f"mean {figure(mean)}, lowest {figure(min(areas))}"


def _others(classes: Sequence[Found | None]) -> list[str]:
    """Return the means of the figures that evaluations have besides the AUC since version 0.2."""
    known = [roc for roc in classes if roc and "aupr" in roc]
    if not known:
        return []
    aupr, fpr = (sum(roc[name] for roc in known) / len(known) for name in ("aupr", "fpr95"))
    return [f"mean AUPR {figure(aupr)}  mean FPR at 95 % TPR {figure(fpr)}"]


def _outliers(curve: Found, held_out: str) -> list[str]:
    beside = ""
    if "aupr" in curve:
        beside = f"  AUPR {figure(curve['aupr'])}  FPR at 95 % TPR {figure(curve['fpr95'])}"
    line = (
        f"{curve['outliers']}: AUC {figure(curve['auc'])}{beside}  "
        f"{counted(curve['images'], 'outlier')}, "
        f"{curve['inliers']:,} {held_out}"
    )
    return [line, *(f"  {note}" for note in curve["notes"])]
