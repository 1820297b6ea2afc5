"""An evaluation as lines of plain text, for the command line and the dashboard's page."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any, Final

from tui_latent.number_format import UNKNOWN, short_number
from tui_latent.runs.confusion import confused_pairs
from tui_latent.runs.metric_specs import EVALUATION_PARTS, spec_of
from tui_latent.runs.origin import in_its_words

Found = Mapping[str, Any]
"""what `evaluate_run` returned, or what was read from its file"""

_INTERVALS: Final = "intervals: 95 %, Wilson · classes: kNN@20, held out"
_AUC: Final = "AUC: the class as outliers, by mean distance to the nearest other images"
_CONFUSION_OF: Final = "k=20"
_NAME: Final = 14
"""cells of a class name"""
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
        line = f"{latents['held_out_images']:,} vectors of {latents['dimensions']:,} numbers"
    return f"{found['run']} · {line}"


def figure_rows(found: Found) -> list[tuple[str, str]]:
    """Return the figures of a space as pairs of a name and a line."""
    rows = []
    shared = shared_reasons(found)
    for part, name in EVALUATION_PARTS.items():
        texts = _texts(part, found) if part in found else []
        texts += reasons(found, part, leaving_out=shared)
        said = [in_its_words(found.get("origin", "trained"), text) for text in texts]
        rows += [("" if i else name, text) for i, text in enumerate(said)]
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
    lines += [f"{name:<{width}}  {text}" for name, text in rows]
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
        lines += [f"  {names[a]} → {names[b]}  {count:,} images" for a, b, count in mixed]
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
    if part in ("knn_train", "knn_held_out"):
        return ["  ".join(f"k={k} {share_text(share)}" for k, share in of["accuracy"].items())]
    if part == "probe":
        return [share_text(of)]
    if part == "clustering":
        return _clustering(of)
    if part == "map":
        return _map(of, found["latents"])
    if part == "collapse":
        return _collapse(of, found["latents"]["dimensions"])
    if part == "decoder":
        return [_decoder(of)]
    if part == "anomaly":
        return [f"{_aucs(of['classes'])}  by {of['k']} neighbours"]
    return [text for curve in of for text in _outliers(curve)]


def _clustering(of: Found) -> list[str]:
    sampled = of["silhouette_of"] < of["images"]
    sample = f"; silhouette of a sample of {of['silhouette_of']:,}" if sampled else ""
    fewer = "" if of["clusters"] == of["asked"] else f", {of['asked']} requested"
    compared = of.get("labelled", of["images"])
    agreement = ("clustering/accuracy", "clustering/nmi", "clustering/ari") if compared else ()
    some = f", {compared:,} of them with a label" if 0 < compared < of["images"] else ""
    chosen = "" if compared else "; the number of clusters has the best silhouette"
    return [
        _named(of, *agreement, "clustering/silhouette"),
        f"{of['clusters']} clusters of {of['images']:,} held-out images{some}{fewer}{sample}"
        f"{chosen}",
    ]


def _map(of: Found, latents: Found) -> list[str]:
    images = f"{of['images']:,}"
    if of["images"] < latents["held_out_images"]:
        images += f" of {latents['held_out_images']:,}"
    way = "the latents themselves" if of["projection"] == "native" else "by PCA"
    return [
        _named(of, "map/trustworthiness", "map/continuity"),
        f"{way}; {of['k']} neighbours of {images} held-out images",
    ]


def _collapse(of: Found, dimensions: int) -> list[str]:
    aligned = "" if of["alignment"] is None else f"  alignment {figure(of['alignment'])}"
    return [
        f"effective rank {figure(of['effective_rank'])} of {dimensions}  "
        f"uniformity {figure(of['uniformity'])}{aligned}",
        f"standard deviation {figure(of['std_min'])}–{figure(of['std_max'])}, "
        f"mean {figure(of['std_mean'])}",
        *(f"collapse: {sign}" for sign in of["signs"]),
    ]


def _decoder(of: Found) -> str:
    return (
        f"decoded latents of {of['images']:,} held-out images differ by {figure(of['deviation'])} "
        "per pixel"
    )


def _named(of: Found, *metrics: str) -> str:
    """Write some figures of a part, each after its short name."""
    return "  ".join(f"{spec_of(m).short} {figure(of[m.rpartition('/')[2]])}" for m in metrics)


def _aucs(classes: Sequence[Found | None]) -> str:
    areas = [roc["auc"] for roc in classes if roc]
    if not areas:
        return "no class could be left out"
    mean = sum(areas) / len(areas)
    return f"mean {figure(mean)}, lowest {figure(min(areas))}"


def _outliers(curve: Found) -> list[str]:
    line = (
        f"{curve['outliers']}: AUC {figure(curve['auc'])}  {curve['images']:,} outliers, "
        f"{curve['inliers']:,} held-out images"
    )
    return [line, *(f"  {note}" for note in curve["notes"])]
