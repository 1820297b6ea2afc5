"""What was changed last, and what is left to undo."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_latent.launch.tune import checkpoint_before, last_change
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
