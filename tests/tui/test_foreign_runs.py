from __future__ import annotations

from typing import Any

import pytest

from tui_latent.tui.foreign_runs import why_impossible

WATCHED = {"origin": "watched", "command": "python train.py --lr 1"}
OPENED = {"origin": "opened"}


def test_everything_is_possible_with_a_run_trained_here() -> None:
    for action in ("pause", "ask_to_stop", "checkpoint", "scale_lr", "edit", "fork", "resume"):
        assert why_impossible(action, {}, {}) == ""


@pytest.mark.parametrize(
    ("action", "wish"),
    [("pause", "pause"), ("ask_to_stop", "stop"), ("checkpoint", "checkpoint"), ("scale_lr", "lr")],
)
def test_a_loop_is_asked_only_what_it_obeys(action: str, wish: str) -> None:
    obeying: dict[str, Any] = {"watched": {"obeys": [wish]}}
    assert why_impossible(action, obeying, WATCHED) == ""
    others = {"pause", "ask_to_stop", "checkpoint", "scale_lr"} - {action}
    for other in others:
        assert f"It obeys only “{wish}”." in why_impossible(other, obeying, WATCHED)
    assert "It obeys no request." in why_impossible(action, {"watched": {}}, WATCHED)
    assert "Nothing is being trained" in why_impossible(action, {}, OPENED)


def test_a_loop_that_cannot_be_asked_to_stop_can_be_stopped_by_hand() -> None:
    assert "Ctrl+C in its own terminal" in why_impossible("stop", {}, WATCHED)


def test_the_way_on_is_the_command_of_the_loop() -> None:
    assert "python train.py --lr 1" in why_impossible("resume", {}, WATCHED)
    assert "\x1b" not in why_impossible("resume", {}, {**WATCHED, "command": "a\x1b[31m"})
    for action in ("edit", "fork", "undo"):
        assert "another program" in why_impossible(action, {}, WATCHED)
        assert "opened from files" in why_impossible(action, {}, OPENED)


def test_what_any_run_can_do_is_not_refused() -> None:
    for action in ("explore", "evaluate", "images", "report", "labels"):
        assert why_impossible(action, {}, OPENED) == ""
