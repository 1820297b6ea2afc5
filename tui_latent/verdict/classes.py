"""Which class is taken for which, beyond what chance alone could show."""

from __future__ import annotations

from typing import Final

import numpy as np

from tui_latent.metrics.class_scores import wilson_interval
from tui_latent.verdict.doors import EVALUATION, confused
from tui_latent.verdict.finding import Finding
from tui_latent.verdict.subject import Subject
from tui_latent.verdict.thresholds import CONFUSED, FEWEST_OF_CLASS, NOTABLE

_LEVEL: Final = 0.05


def confusion(about: Subject) -> Finding | None:
    """Find the pair of classes that is surely confused most, or say that none surely is."""
    counts = about.run.confusion
    if counts is None or len(counts) < 2 or not counts.sum():
        return None
    totals = counts.sum(axis=1)
    wrong = np.array(counts)
    np.fill_diagonal(wrong, 0)
    pairs = [(int(truth), int(called)) for truth, called in zip(*np.nonzero(wrong), strict=True)]
    judged = [(truth, called) for truth, called in pairs if totals[truth] >= FEWEST_OF_CLASS]
    if not judged:
        return _none(about, pairs)
    # Each pair is judged so strictly that all together are wrong in one case of twenty
    # (Bonferroni).
    confidence = 1 - _LEVEL / (len(counts) * (len(counts) - 1))

    def least(pair: tuple[int, int]) -> float:
        return wilson_interval(int(wrong[pair]), int(totals[pair[0]]), confidence)[0]

    truth, called = max(judged, key=least)
    count, total, low = int(wrong[truth, called]), int(totals[truth]), least((truth, called))
    door = confused(truth, called, about.nouns.image)
    one, other = about.name(truth), about.name(called)
    share = count / total
    pairs_judged = len(counts) * (len(counts) - 1)
    evidence = (
        f"The 20 nearest {about.voters} vote for {other} on {count:,} of {total:,} "
        f"{about.nouns.held_out}s of {one}. The worst of {pairs_judged:,} pairs looks bad by "
        f"chance too: allowing for that, at least {100 * low:.1f} % are confused."
    )
    threshold = (
        f"{100 * CONFUSED:.0f} % of a class, beyond the noise: a person notices one "
        f"{about.nouns.image} in twenty."
    )
    if low >= CONFUSED:
        images = f"{about.nouns.image}s"
        sentence = f"{one} is taken for {other} in {100 * share:.0f} % of its {images}."
        return Finding("confusion", "warning", sentence, evidence, threshold, door)
    # The count is certain, but not that other images would show the same.
    sentence = f"{one} is most often taken for {other} ({count:,} of {total:,})."
    notable = share >= CONFUSED and count >= NOTABLE
    return Finding("confusion", "note", sentence, evidence, threshold, door, headline=notable)


def _none(about: Subject, pairs: list[tuple[int, int]]) -> Finding | None:
    if pairs:  # of classes too small to judge
        return None
    return Finding(
        "confusion",
        "good",
        f"No {about.nouns.held_out} is taken for another class.",
        f"For all {about.held_out:,}, the 20 nearest {about.voters} vote for the true class.",
        "",
        EVALUATION,
        headline=False,
    )
