"""Which of several runs is better, beyond the noise of their held-out images."""

from __future__ import annotations

import math

from tui_latent.comparison import Comparison
from tui_latent.nouns import IMAGES, VECTORS, listed
from tui_latent.number_format import number
from tui_latent.verdict.accuracy import accuracy_interval
from tui_latent.verdict.subject import Subject

_METRIC = "val/knn_20"


def comparison_line(shown: Comparison) -> str:
    """Say in one line which run is best and which are surely worse; empty if nothing can be said.

    The images of comparable runs are the same, so that two accuracies rise and fall together:
    taking them for independent calls fewer runs worse, and never more.
    """
    row = next((row for row in shown.metrics if row.metric == _METRIC), None)
    if row is None:
        return ""
    if not row.comparable:
        return "The runs have different data: none can be called better."
    known = {
        index: (value, images)
        for index, (value, run) in enumerate(zip(row.last, shown.runs, strict=True))
        if value is not None and math.isfinite(value) and (images := Subject(run).held_out)
    }
    if len(known) < 2:
        return ""
    best = max(known, key=lambda index: known[index][0])
    others = sorted(known.keys() - {best}, key=lambda index: -known[index][0])
    worse = [index for index in others if surely_better(*known[best], *known[index])]
    alike = [index for index in others if index not in worse]

    def named(indices: list[int]) -> str:
        return listed([f"{shown.labels[i]} ({number(known[i][0])})" for i in indices])

    opened = all(run.origin == "opened" for run in shown.runs)
    nouns = VECTORS if opened else IMAGES
    images = max(count for _, count in known.values())
    top = f"kNN@20 of {shown.labels[best]} is {number(known[best][0])}"
    if not worse:
        return f"{top}; {images:,} {nouns.held_out}s cannot tell it from {named(alike)}."
    line = f"Best: {shown.labels[best]}, kNN@20 {number(known[best][0])}. Worse: {named(worse)}."
    if alike:
        line += f" Within the noise of {images:,} {nouns.image}s: {named(alike)}."
    return line


def surely_better(value: float, images: int, other: float, others: int) -> bool:
    """Return whether a share is larger than another beyond a 95 % interval of the difference.

    Newcombe's, of two Wilson intervals: Statistics in Medicine 1998, method 10.
    """
    low = accuracy_interval(value, images)[0]
    high = accuracy_interval(other, others)[1]
    return value - other > math.hypot(value - low, high - other)
