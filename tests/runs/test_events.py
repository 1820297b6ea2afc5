from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runs.conftest import MakeRun
from tui_latent.runs.events import (
    EventsReader,
    RunEvent,
    event_line,
    new_event,
    parse_event,
    read_events,
    settings_at,
    settings_now,
    standing,
)
from tui_latent.runs.reader import RunReader


def change(step: int, setting: str = "train.lr", new: float = 0.1) -> RunEvent:
    return RunEvent(step, "", "change", f"{setting} {new:g}", setting=setting, old=1.0, new=new)


def other(step: int, kind: str) -> RunEvent:
    return RunEvent(step, "", kind, kind)


def steps(events: tuple[RunEvent, ...]) -> list[tuple[int, str]]:
    return [(event.step, event.kind) for event in events]


TEXT = st.text(st.characters(exclude_categories=("C", "Z")), max_size=8)
VALUE = st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False))


@given(st.integers(0, 10**9), TEXT, TEXT, st.one_of(VALUE, TEXT), st.one_of(VALUE, st.none()))
def test_an_event_is_read_as_it_was_written(
    step: int, text: str, setting: str, new: Any, old: Any
) -> None:
    event = new_event(
        "change", step, text, setting=setting, old=old, new=new, who="me@host", serial=3
    )
    line = event_line(event)
    assert b"\n" not in line
    assert parse_event(line) == event


def test_a_line_has_the_fields_that_other_tools_read_and_no_empty_ones() -> None:
    table = json.loads(event_line(new_event("stage", 40, "Stage 2 of 3 began.")))
    assert table.keys() == {"step", "time", "kind", "text"}
    assert (table["step"], table["kind"]) == (40, "stage")


@pytest.mark.slow
@given(st.one_of(st.binary(max_size=40), st.recursive(VALUE, st.lists).map(json.dumps)))
def test_any_line_is_either_an_event_or_none(line: bytes | str) -> None:
    event = parse_event(line if isinstance(line, bytes) else line.encode())
    assert event is None or (event.step >= 0 and event.kind)


@pytest.mark.parametrize(
    "table",
    [
        {"kind": "rate", "text": "no step"},
        {"step": -1, "kind": "rate", "text": ""},
        {"step": True, "kind": "rate", "text": ""},
        {"step": 3, "kind": 5, "text": ""},
        {"step": 3, "kind": "rate"},
        [],
        "text",
    ],
)
def test_lines_that_are_not_events_are_skipped(table: Any) -> None:
    assert parse_event(json.dumps(table).encode()) is None


def test_no_text_of_an_event_moves_the_cursor() -> None:
    line = json.dumps({"step": 1, "kind": "x\x1b[2J", "text": "\x1b[31mred", "who": "a\nb"})
    event = parse_event(line.encode())
    assert event is not None
    assert all(part.isprintable() for part in (event.kind, event.text, event.who or ""))


def test_an_unfinished_last_line_is_read_once_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    first, second = event_line(change(1)), event_line(change(2))
    file.write_bytes(first + b"\n" + second[:20])
    reader = EventsReader(file)
    assert steps(reader.refresh()) == [(1, "change")]
    assert reader.refresh() is reader.refresh()
    file.write_bytes(first + b"\n" + second + b"\n")
    assert steps(reader.refresh()) == [(1, "change"), (2, "change")]


def test_a_replaced_file_is_read_from_the_start(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(event_line(change(100)) + b"\n")
    reader = EventsReader(file)
    reader.refresh()
    file.unlink()
    assert reader.refresh() == ()
    file.write_bytes(event_line(other(7, "stage")) + b"\n")
    assert steps(reader.refresh()) == [(7, "stage")]


def test_a_resume_removes_what_training_records_again_and_keeps_the_changes() -> None:
    events = [
        other(0, "stage"),
        other(50, "collapse"),
        change(60),
        other(100, "stage"),
        other(120, "collapse"),
        change(130, new=0.2),
        other(100, "resume"),
    ]
    kept = standing(events)
    assert steps(kept) == [
        *((0, "stage"), (50, "collapse"), (60, "change"), (130, "change"), (100, "resume"))
    ]
    assert settings_at(kept, 59) == {}
    assert settings_at(kept, 60) == {"train.lr": 0.1}
    assert settings_at(kept, 130) == {"train.lr": 0.2}


def test_the_newest_event_counts_if_the_status_is_older() -> None:
    assert settings_now([change(60), change(82, new=0.2)], 80) == {"train.lr": 0.2}
    ahead = standing([change(60), change(130, new=0.2), other(100, "resume")])
    assert settings_now(ahead, 100) == {"train.lr": 0.1}
    assert settings_now([], 3) == {}


def test_a_retry_removes_all_that_followed() -> None:
    events = [change(60), change(130, new=0.2), other(140, "disk"), other(100, "retry")]
    assert steps(standing(events)) == [(60, "change"), (100, "retry")]


def test_a_change_made_after_going_back_removes_the_later_one() -> None:
    events = [
        change(130, new=0.2),
        change(130, "method.norm_weight", new=3.0),
        other(100, "resume"),
        change(110, new=0.3),
    ]
    kept = standing(events)
    assert settings_at(kept, 200) == {"train.lr": 0.3, "method.norm_weight": 3.0}


@given(st.lists(st.integers(0, 20), max_size=12))
def test_events_at_increasing_steps_all_stand(found: list[int]) -> None:
    events = [change(step) for step in sorted(found)]
    assert standing(events) == tuple(events)


def test_a_run_without_an_events_file_has_no_events(make_run: MakeRun) -> None:
    writer = make_run()
    assert RunReader(writer.path).refresh().events == ()
    assert read_events(writer.path) == ()


def test_snapshots_share_events_until_there_is_a_new_one(make_run: MakeRun) -> None:
    writer = make_run()
    writer.lock()
    reader = RunReader(writer.path)
    writer.event(new_event("disk", 3, "Waited 4 s for the disk."))
    first = reader.refresh()
    assert [event.text for event in first.events] == ["Waited 4 s for the disk."]
    writer.status(step=4)
    assert reader.refresh().events is first.events
    writer.event(new_event("collapse", 5, "The latents have collapsed."))
    assert steps(reader.refresh().events) == [(3, "disk"), (5, "collapse")]
