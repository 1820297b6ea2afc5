"""All checks, in the order in which their findings are listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tui_latent.runs.schema import RunSnapshot
from tui_latent.verdict import accuracy, classes, losses, space
from tui_latent.verdict.finding import Finding, Severity, Verdict
from tui_latent.verdict.subject import Subject

Check = Callable[[Subject], "Finding | list[Finding] | None"]

CHECKS: Final[tuple[Check, ...]] = (
    losses.failed,
    losses.not_finite,
    space.collapse,
    space.decoder,
    accuracy.promise,
    accuracy.accuracy,
    accuracy.unlabelled,
    accuracy.fallen,
    accuracy.missing,
    losses.overfitting,
    classes.confusion,
    space.faithfulness,
    losses.still_falling,
    accuracy.few_images,
)

_RANKS: Final[dict[Severity, int]] = {"bad": 0, "warning": 1, "good": 1, "note": 2}


def judge(run: RunSnapshot, evaluation: Mapping[str, Any] | None = None) -> Verdict:
    """Judge a run by what it recorded, and by its newest stored evaluation if it is given.

    What has collapsed or diverged comes first, notes last; the rest keeps its order.
    """
    about = Subject(run, evaluation)
    findings: list[Finding] = []
    for check in CHECKS:
        found = check(about)
        if isinstance(found, list):
            findings += found
        elif found is not None:
            findings.append(found)
    findings.sort(key=lambda finding: _RANKS[finding.severity])
    return Verdict(tuple(findings))
