"""Whether the accuracy is what the preset promises, and what the held-out images can tell."""

from __future__ import annotations

import math

import numpy as np

from tui_latent.metrics.class_scores import wilson_interval
from tui_latent.nouns import counted
from tui_latent.number_format import number
from tui_latent.runs.command_word import command_word
from tui_latent.runs.metric_specs import spec_of
from tui_latent.runs.missing import missing_lines
from tui_latent.verdict.doors import EVALUATION, LOG, map_at
from tui_latent.verdict.finding import Finding, Severity
from tui_latent.verdict.subject import Subject
from tui_latent.verdict.thresholds import FEWEST_OF_CLASS, UNCERTAIN

_KNN = "val/knn_20"


def promise(about: Subject) -> Finding | None:
    """Compare the newest accuracy with the one that the preset promises, beyond the noise."""
    metric = next((name for name in about.expected if name.startswith("val/knn_")), None)
    value = None if metric is None else about.run.newest(metric)
    if metric is None or value is None or not math.isfinite(value) or not about.held_out:
        return None
    promised, name = about.expected[metric], spec_of(metric).short
    low, high = accuracy_interval(value, about.held_out)
    severity, sentence, headline = _against(about, name, value, promised, (low, high))
    return Finding(
        "promise",
        severity,
        sentence,
        evidence=f"{name} is {number(value)} on {about.held_out:,} held-out images; the 95 % "
        f"interval (Wilson) is {number(low)} to {number(high)}.{_changed_words(about)}",
        threshold=f"{number(promised)} is what the preset reached. A run is called worse only if "
        "its whole interval lies below.",
        door=EVALUATION,
        headline=headline,
    )


def _against(
    about: Subject, name: str, value: float, promised: float, interval: tuple[float, float]
) -> tuple[Severity, str, bool]:
    """Return the severity, the sentence, and whether it belongs in the line."""
    says = f"the preset promises {number(promised)}"
    if about.changed:
        count = f"{counted(len(about.changed), 'setting')} changed"
        sentence = f"{name} {number(value)} with {count}; {says}."
        return "note", sentence, not about.live
    if value >= promised:
        return "good", f"Good: {name} {number(value)}, {says}.", True
    if about.live:
        return "note", f"{name} {number(value)} so far; {says}.", False
    if interval[1] >= promised:
        sentence = (
            f"As promised, within noise: {name} {number(value)}, promised {number(promised)}."
        )
        return "good", sentence, True
    ended = "" if about.finished else f" The run is not finished: {about.run.status.state}."
    return "warning", f"Below the promise: {name} {number(value)}, {says}.{ended}", True


def _changed_words(about: Subject) -> str:
    if not about.changed:
        return ""
    return f" Changed from the preset: {', '.join(about.changed)}."


def accuracy(about: Subject) -> Finding | None:
    """State the accuracy where nothing was promised."""
    value = about.accuracy
    if value is None or not math.isfinite(value) or not about.held_out:
        return None
    if any(name.startswith("val/knn_") for name in about.expected):
        return None
    low, high = accuracy_interval(value, about.held_out)
    return Finding(
        "accuracy",
        "note",
        f"kNN@20 is {number(value)}{'' if about.foreign else '; its preset promises nothing'}.",
        evidence=f"Measured on {about.held_out:,} {about.nouns.held_out}s; the 95 % interval "
        f"(Wilson) is {number(low)} to {number(high)}.",
        threshold="",
        door=EVALUATION,
        headline=False,
    )


def unlabelled(about: Subject) -> Finding | None:
    """Say that nothing is known of classes, and how to change that."""
    if about.run.map is None or about.held_out:
        return None
    return Finding(
        "unlabelled",
        "note",
        "There are no labels, so no accuracy is known.",
        evidence=f"None of the {len(about.run.map.labels):,} {about.nouns.image}s on the map has a "
        f"label. To add labels: tui-latent label {command_word(about.run.path)} --csv FILE",
        threshold="",
        door=EVALUATION,
        headline=False,
    )


def fallen(about: Subject) -> Finding | None:
    """Find an accuracy that has fallen from its best by more than the noise."""
    curve = about.run.curves.get(_KNN)
    newest = about.run.newest(_KNN)
    if curve is None or newest is None or not about.held_out or not len(curve.steps):
        return None
    late = curve.steps >= about.last_stage
    if not late.any() or not math.isfinite(newest):
        return None
    highs, steps = curve.highs[late], curve.steps[late]
    at = int(np.argmax(highs))
    best, step = float(highs[at]), int(steps[at])
    least = accuracy_interval(best, about.held_out)[0]
    most = accuracy_interval(newest, about.held_out)[1]
    if most >= least:
        return None
    return Finding(
        "fallen",
        "warning",
        f"The accuracy fell from {number(best)} at step {step:,} to {number(newest)}.",
        evidence=f"kNN@20 of the same {about.held_out:,} {about.nouns.held_out}s: now at most "
        f"{number(most)}, earlier at least {number(least)} (95 %, Wilson).",
        threshold="The two intervals do not overlap.",
        door=map_at(step),
    )


def few_images(about: Subject) -> Finding | None:
    """Say how little an accuracy of few held-out images, or of few of a class, can tell."""
    value, images = about.accuracy, about.held_out
    if not images:
        return None
    share = value if value is not None and math.isfinite(value) else 0.5
    low, high = accuracy_interval(share, images)
    points = 100 * (high - low) / 2
    if (high - low) / 2 > UNCERTAIN:
        return Finding(
            "few images",
            "warning",
            f"There are only {images:,} {about.nouns.held_out}s: accuracies are known to "
            f"±{points:.0f} points.",
            evidence=f"The interval of kNN@20 is {number(low)} to {number(high)} (95 %, Wilson).",
            threshold=f"±{100 * UNCERTAIN:.0f} points: good presets of one dataset differ by less.",
            door=EVALUATION,
        )
    return _small_classes(about)


def _small_classes(about: Subject) -> Finding | None:
    confusion = about.run.confusion
    if confusion is None:
        return None
    totals = confusion.sum(axis=1).tolist()
    small = [label for label, total in enumerate(totals) if 0 < total < FEWEST_OF_CLASS]
    if not small:
        return None
    names = ", ".join(f"{about.name(label)} ({totals[label]})" for label in small[:3])
    more = f" and {len(small) - 3} more" if len(small) > 3 else ""
    some, have = ("One class has", "has") if len(small) == 1 else ("Some classes have", "have")
    return Finding(
        "few images",
        "note",
        f"{some} too few {about.nouns.held_out}s to judge: {names}{more}.",
        evidence=f"{len(small)} of {len(totals)} classes {have} fewer than {FEWEST_OF_CLASS}.",
        threshold=f"{FEWEST_OF_CLASS} {about.nouns.held_out}s of a class: of {FEWEST_OF_CLASS}, "
        "each one is ten points.",
        door=EVALUATION,
        headline=False,
    )


def missing(about: Subject) -> list[Finding]:
    """List the metrics that the newest evaluation could not measure, with the reasons."""
    lines = missing_lines(about.run.missing)
    main = about.run.missing.get(_KNN)
    return [
        Finding(
            "missing",
            "warning",
            f"Not measured: {line}.",
            evidence="The newest evaluation recorded this reason in place of the numbers.",
            threshold="A number that would mean nothing is not recorded.",
            door=LOG,
            headline=main is not None and main in line,
        )
        for line in lines
    ]


def accuracy_interval(value: float, images: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share of `images` images."""
    return wilson_interval(min(max(round(value * images), 0), images), images)
