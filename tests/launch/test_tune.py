"""What was changed last, and what is left to undo."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.made_runs import trained_run
from tui_latent.launch.tune import REQUESTED, checkpoint_before, last_change, read_desk, undo
from tui_latent.runs.control import read_request, request
from tui_latent.runs.events import event_line, new_event

Change = tuple[str, float, float]
A, B = ("train.lr", 1.0, 2.0), ("augment.noise", 0.0, 0.5)


def back(change: Change) -> Change:
    return change[0], change[2], change[1]


def run_with(path: Path, changes: list[Change]) -> Path:
    lines = [
        event_line(new_event("change", step, "", setting=setting, old=old, new=new))
        for step, (setting, old, new) in enumerate(changes)
    ]
    (path / "events.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    return path


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ([], None),
        ([A], A),
        ([A, B], B),
        ([A, B, back(B)], A),
        ([A, B, back(B), back(A)], None),
        ([A, B, back(A)], back(A)),  # a change of its own: the newest was another
        ([A, B, back(A), A], B),
        ([A, back(A), A], A),
    ],
)
def test_undoing_goes_back_change_by_change(
    tmp_path: Path, changes: list[Change], left: Change | None
) -> None:
    found = last_change(run_with(tmp_path, changes))
    assert (found and (found.setting, found.old, found.new)) == left


def test_a_run_without_events_has_nothing_to_undo(tmp_path: Path) -> None:
    assert last_change(tmp_path) is None
    assert checkpoint_before(tmp_path, 100) is None


def test_changes_that_a_paused_run_has_not_made_yet_are_undone_one_by_one(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    path, before = writer.path, read_desk(writer.path).now
    request(path, settings={"augment.noise": 0.5})
    request(path, settings={"augment.noise": 0.75, "method.norm_weight": 1.0}, lr_factor=2.0)
    undone: list[tuple[object, ...]] = []
    while (change := last_change(path)) is not None and len(undone) < 9:
        assert change.kind == REQUESTED
        undone.append((change.setting, change.old, change.new))
        undo(path, change)
    assert sorted(undone, key=str) == [
        ("augment.noise", before.augment.noise, 0.75),
        ("lr_factor", 1.0, 2.0),
        ("method.norm_weight", before.method.norm_weight, 1.0),  # type: ignore[attr-defined]
    ]
    desk = read_desk(path)
    assert (desk.now, desk.factor, desk.waiting) == (before, 1.0, frozenset())
    assert read_request(path).settings["augment.noise"].value == before.augment.noise
    writer.close()


def test_a_request_that_undoes_a_change_leaves_the_one_before_it(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    for setting, new in (("method.norm_weight", 1.0), ("augment.noise", 0.5)):
        old = read_desk(writer.path).now.model_dump()
        group, name = setting.split(".")
        change = {"setting": setting, "old": old[group][name], "new": new}
        writer.event(new_event("change", 700, "", **change))
    newest = last_change(writer.path)
    assert newest is not None and newest.setting == "augment.noise"
    undo(writer.path, newest)  # the trainer does not answer: it is paused
    left = last_change(writer.path)
    assert left is not None and (left.setting, left.kind) == ("method.norm_weight", "change")
    writer.close()
