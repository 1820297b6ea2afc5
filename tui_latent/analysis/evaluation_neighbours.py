"""The parts of an evaluation that rank the training latents by class; each returns JSON types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from torch import Tensor

from tui_latent.analysis.evaluation_errors import NotMeasured
from tui_latent.analysis.evaluation_parts import (
    MISSING,
    NO_BANK,
    LabelledLatents,
    different_labels,
    few_to_choose,
    share,
)
from tui_latent.metrics import retrieval as by_class
from tui_latent.metrics.sample_order import drawn_order
from tui_latent.metrics.weighted_knn import VOTES, weighted_knn

MOST_QUERIES: Final = 5000
"""held-out images above which a sample votes: each has 200 neighbours"""


def knn_weighted(space: LabelledLatents, on_chunk: Callable[[], None]) -> dict[str, Any]:
    """Return the accuracy of votes by cosine, weighted by temperature, as papers report it."""
    (bank, labels), (queries, truth) = space.labelled_bank, space.labelled_queries
    if space.bank_is_queries:
        raise NotMeasured(NO_BANK)
    if len(queries) < 2:
        raise NotMeasured(f"one {space.nouns.held_out} is too few for an accuracy")
    if different_labels(labels) < 2:
        raise NotMeasured(f"all {space.nouns.training}s are of one class: every vote is for it")
    if bool((bank == bank[0]).all()):
        latents = space.nouns.training.replace("image", "latent")
        raise NotMeasured(f"all {latents}s are equal: none is nearer than another")
    asked = _sample(queries, MOST_QUERIES)
    missing = {
        vote.name: few_to_choose(len(bank), vote.k, space) for vote in VOTES if vote.k >= len(bank)
    }
    votes = tuple(vote for vote in VOTES if vote.name not in missing)
    if not votes:
        raise NotMeasured(next(iter(missing.values())))
    called = weighted_knn(bank, labels, queries[asked], space.classes, votes, on_chunk)
    right = {vote.name: int((called[vote] == truth[asked]).sum()) for vote in votes}
    shares = {v.name: share(right[v.name], len(asked)) if v in votes else None for v in VOTES}
    return {"images": len(asked), "accuracy": shares, MISSING: missing}


def retrieval(space: LabelledLatents, on_chunk: Callable[[], None]) -> dict[str, Any]:
    """Return how well held-out images find training images of their class.

    Without training images they find each other.
    """
    (bank, labels), (queries, truth) = space.labelled_bank, space.labelled_queries
    within = space.bank_is_queries
    if different_labels(labels) < 2:
        raise NotMeasured(f"all {space.nouns.image}s are of one class: so is whatever is found")
    try:
        found = by_class.retrieval(bank, labels, queries, truth, within=within, on_chunk=on_chunk)
    except ValueError as error:
        raise NotMeasured(str(error)) from error
    # Among the k nearest of k images there is always one of the class.
    missing = {k: few_to_choose(found.ranked, k, space) for k in found.recall if k >= found.ranked}
    recall = {str(k): None if k in missing else value for k, value in found.recall.items()}
    return {
        "recall": recall,
        "map_at_r": found.map_at_r,
        "r_precision": found.r_precision,
        "images": found.queries,
        "ranked": found.ranked,
        MISSING: {f"recall@{k}": why for k, why in missing.items()},
    }


def _sample(latents: Tensor, most: int) -> Tensor:
    """Return at most `most` rows, int64, drawn by what the latents are."""
    return drawn_order(latents)[:most]
