"""Which panels of a run have nothing to show, so that they give their room to the others."""

from __future__ import annotations

from tui_latent.runs.metric_specs import spec_in_run
from tui_latent.runs.schema import LIVE_STATES, RunSnapshot
from tui_latent.tui.screens.dashboard.views import RETRIEVAL, has_labels, loss_terms


def empty_panels(snapshot: RunSnapshot, measured: bool = False) -> frozenset[str]:
    """Return the panels that stay empty in this run, by their ids.

    A panel of a live run that is still to be filled is kept, and so is every panel of a run that
    was trained here, except those of labels that its images do not have. `measured` says whether
    an evaluation has figures of the space.
    """
    curves, labelled = snapshot.curves, has_labels(snapshot)
    empty = set() if labelled else {"confusion"}
    scored = any(name.startswith("val/knn_") for name in curves)
    if not labelled and not scored and not any(name in curves for name in RETRIEVAL.values()):
        empty.add("knn")
    if snapshot.origin == "trained" or (
        snapshot.origin == "watched" and snapshot.status.state in LIVE_STATES
    ):
        return frozenset(empty)
    terms = loss_terms(snapshot)
    groups = {spec_in_run(name, terms).group for name in curves}
    if not groups & {"loss", "term"}:
        empty.add("loss")
    if not scored and labelled:
        empty.add("knn")
    if snapshot.confusion is None:
        empty.add("confusion")
    if not groups & {"space", "other"} and not measured:
        empty.add("space")
    if not snapshot.log:
        empty.add("log")
    return frozenset(empty)
