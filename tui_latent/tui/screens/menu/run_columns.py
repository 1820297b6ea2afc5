"""The columns of the table of runs: what each shows, and how it sorts."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tui_latent.number_format import without_zero
from tui_latent.tui.format import (
    STATE_GLYPHS,
    UNKNOWN,
    age,
    bar,
    clock,
    number,
    share,
)

if TYPE_CHECKING:
    from tui_latent.runs.schema import RunSummary

_LIVE: Final = ("running", "paused")
NAME_WIDTH: Final = 22
"""fewest cells of the run's name"""
_QUEUED: Final = "◌"


@dataclass(frozen=True)
class Column:
    """One column."""

    id: str
    title: str
    meaning: str
    """in the list of columns"""
    width: int
    """cells; of a wide one, the fewest"""
    text: Callable[[RunSummary, float], str]
    """of a run at a Unix time"""
    value: Callable[[RunSummary], Any]
    """by which it sorts; None comes last"""
    right: bool = False
    falling: bool = False
    """whether the largest value is the first"""
    wide: bool = False
    """whether it takes cells that are left"""
    style: Callable[[RunSummary], str] = field(default=lambda run: "")


def _state_words(run: RunSummary, now: float) -> str:
    if run.queued:
        return f"{_QUEUED} queued {run.queued}"
    state = run.status.state_word
    opened = run.method == "opened" and state == "finished"
    word = "archived" if run.labels.archived else "opened" if opened else state
    return f"{STATE_GLYPHS[state]} {word}"


def _state_style(run: RunSummary) -> str:
    state = "queued" if run.queued else run.status.state
    return {"failed": "$text-error", **dict.fromkeys(_LIVE, "bold"), "queued": "bold"}.get(
        state, ""
    )


def _done(run: RunSummary) -> float:
    return run.status.step / run.status.total_steps if run.status.total_steps else 0.0


def _dim(run: RunSummary) -> str:
    return "dim"


COLUMNS: Final = (
    Column(
        "state",
        "state",
        "what the run is doing",
        13,
        _state_words,
        lambda run: "queued" if run.queued else run.status.state_word,
        style=_state_style,
    ),
    Column(
        "run",
        "run",
        "its name",
        NAME_WIDTH,
        lambda run, now: run.title,
        lambda run: run.title.lower(),
        wide=True,
    ),
    Column(
        "bar",
        "progress",
        "progress as a bar",
        11,
        lambda run, now: bar(run.status.step, run.status.total_steps, 11),
        _done,
        falling=True,
        style=_dim,
    ),
    Column(
        "done",
        "done",
        "progress in percent",
        6,
        lambda run, now: share(run.status.step, run.status.total_steps),
        _done,
        right=True,
        falling=True,
    ),
    Column(
        "knn",
        "kNN@20 newest",
        "kNN accuracy of its newest evaluation",
        13,
        lambda run, now: number(run.knn_20),
        lambda run: run.knn_20,
        right=True,
        falling=True,
    ),
    Column(
        "best",
        "best",
        "best kNN@20 of all its evaluations",
        6,
        lambda run, now: number(run.best_knn_20),
        lambda run: run.best_knn_20,
        right=True,
        falling=True,
    ),
    Column(
        "loss",
        "loss",
        "newest training loss",
        7,
        lambda run, now: number(run.loss),
        lambda run: run.loss,
        right=True,
    ),
    Column(
        "seed",
        "seed",
        "seed of the random numbers",
        5,
        lambda run, now: UNKNOWN if run.seed is None else str(run.seed),
        lambda run: run.seed,
        right=True,
    ),
    Column(
        "changes",
        "differs in",
        "settings that differ from the preset",
        16,
        lambda run, now: " ".join(map(_short, run.changes)),
        lambda run: run.changes or None,
        wide=True,
    ),
    Column(
        "tags",
        "tags",
        "tags that you gave it",
        10,
        lambda run, now: " ".join(f"#{tag}" for tag in run.labels.tags),
        lambda run: run.labels.tags or None,
    ),
    Column(
        "notes",
        "notes",
        "what you wrote about it",
        16,
        lambda run, now: " ".join(run.labels.notes.split()),
        lambda run: run.labels.notes or None,
        wide=True,
    ),
    Column(
        "preset",
        "preset",
        "the preset that it was started with",
        22,
        lambda run, now: run.preset or UNKNOWN,
        lambda run: run.preset or None,
    ),
    Column(
        "method",
        "method",
        "the training method",
        12,
        lambda run, now: run.method or UNKNOWN,
        lambda run: run.method or None,
    ),
    Column(
        "dim",
        "dim",
        "dimensions of its latents",
        4,
        lambda run, now: UNKNOWN if run.latent_dim is None else str(run.latent_dim),
        lambda run: run.latent_dim,
        right=True,
        falling=True,
    ),
    Column(
        "device",
        "device",
        "what it was trained on",
        7,
        lambda run, now: run.status.device.split(" ")[0] or UNKNOWN,
        lambda run: run.status.device or None,
        style=_dim,
    ),
    Column(
        "trained",
        "trained",
        "time of training, without pauses",
        8,
        lambda run, now: clock(run.status.seconds) if run.status.seconds else UNKNOWN,
        lambda run: run.status.seconds,
        right=True,
        falling=True,
    ),
    Column(
        "age",
        "age",
        "time since it was started",
        6,
        lambda run, now: age(max(0.0, now - run.created)),
        lambda run: run.created,
        right=True,
        falling=True,
        style=_dim,
    ),
)
BY_ID: Final = {each.id: each for each in COLUMNS}
USUAL: Final = ("state", "run", "bar", "done", "knn", "best", "loss", "changes", "tags", "age")
"""columns that are shown unless others are chosen"""


def _short(change: str) -> str:
    """Return `lr=.01` for `train.lr=0.01`: the table's name says little."""
    key, _, value = change.partition("=")
    head, _, name = key.rpartition(".")
    before = f"{head.rpartition('.')[2]}." if head.startswith("stages") else ""
    return f"{before}{name}={without_zero(value.removesuffix('.0'))}"


def empty_columns(runs: Iterable[RunSummary]) -> set[str]:
    """Return the columns of words that are empty for every run, and so not worth their cells."""
    empty = {"changes", "tags", "notes"}
    for run in runs:
        if not empty:
            break
        empty -= {name for name in empty if BY_ID[name].value(run) is not None}
    return empty


def in_order(runs: Iterable[RunSummary], by: str, falling: bool) -> list[RunSummary]:
    """Return runs sorted by a column; those without a value, or unreadable, come last."""
    value = BY_ID[by].value
    known, unknown, unreadable = [], [], []
    for run in runs:
        found = None if run.problem else value(run)
        if run.problem:
            unreadable.append(run)
        elif found is None or found != found:  # NaN has no place
            unknown.append(run)
        else:
            known.append((found, run))
    known.sort(key=operator.itemgetter(0), reverse=falling)
    return [run for _, run in known] + unknown + unreadable
