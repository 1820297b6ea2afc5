"""What two runs have in common, image by image, in sentences: on screens and in reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui_latent.analysis.paired_runs import PairedRun
from tui_latent.comparison import Comparison
from tui_latent.number_format import number

_CHANCE: Final = 0.05
"""`p` from which chance explains a difference; the usual level of a test"""
_ALIKE: Final = 0.9
"""CKA from which spaces are called alike: the same network trained from two seeds reaches it
(Kornblith et al., arXiv:1905.00414)"""
_APART: Final = 0.5
"""CKA below which more is different than is shared"""


def all_paired_sentences(shown: Comparison, paired: Sequence[PairedRun]) -> list[str]:
    """Say of each run but the first what it has in common with the first, in their order."""
    first, others = shown.labels[0], shown.labels[1:]
    opened = all(run.origin == "opened" for run in shown.runs)
    rows = "vectors" if opened else "held-out images"
    return [
        sentence
        for label, found in zip(others, paired, strict=True)
        for sentence in paired_sentences(first, label, found, rows)
    ]


def paired_sentences(first: str, other: str, found: PairedRun, rows: str) -> list[str]:
    """Return a sentence on the accuracies and one on the spaces; reasons where there is none.

    `rows` is what was compared: `held-out images`, or `vectors`.
    """
    if found.no_accuracy and found.no_accuracy == found.no_space:
        return [f"{other} cannot be compared with {first} image by image: {found.no_space}."]
    return [_accuracy(first, other, found, rows), _space(first, other, found, rows)]


def _accuracy(first: str, other: str, found: PairedRun, rows: str) -> str:
    of = found.accuracy
    if of is None:
        return f"The accuracies of {other} and {first} cannot be compared: {found.no_accuracy}."
    count = f"Of the same {of.images:,} {rows}, kNN@20 recognises"
    if not of.only_first and not of.only_second:
        return f"{count} the same ones in {other} as in {first}."
    beyond = "more than chance explains" if of.p < _CHANCE else "chance explains that"
    return (
        f"{count} {of.only_second:,} only in {other} and {of.only_first:,} only in {first}: "
        f"{beyond} (McNemar's test, p = {number(of.p, 2)})."
    )


def _space(first: str, other: str, found: PairedRun, rows: str) -> str:
    if found.overlap is None or found.chance is None:
        return f"The spaces of {other} and {first} cannot be compared: {found.no_space}."
    how, measured = "", []
    if found.cka is not None:
        how = " alike" if found.cka >= _ALIKE else " differently"
        how = " partly alike" if _APART <= found.cka < _ALIKE else how
        measured = [f"CKA {number(found.cka, 2)}"]
    shared, chance = (f"{100 * share:.0f} %" for share in (found.overlap, found.chance))
    measured.append(f"{shared} of the nearest neighbours in common, {chance} by chance")
    return f"{other} and {first} arrange the {rows}{how} ({'; '.join(measured)})."
