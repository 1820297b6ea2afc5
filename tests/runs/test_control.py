from __future__ import annotations

import fcntl
import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runs.test_writer import no_locks
from tui_latent.runs.control import read_request, request
from tui_latent.runs.schema import Request, RunError


def test_nothing_is_asked_of_a_new_run(tmp_path: Path) -> None:
    assert read_request(tmp_path) == Request()


def test_requests_add_up(tmp_path: Path) -> None:
    request(tmp_path, checkpoint=True)
    request(tmp_path, state="pause")
    request(tmp_path, lr_factor=0.5)
    last = request(tmp_path, checkpoint=True)
    assert last == read_request(tmp_path)
    assert last == Request(serial=4, state="pause", checkpoints=2, lr_factor=0.5)
    assert request(tmp_path, state="run").checkpoints == 2


@pytest.mark.parametrize("locks", [True, False])
def test_requesters_at_the_same_time_do_not_lose_one_another(
    tmp_path: Path, locks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not locks:
        monkeypatch.setattr(fcntl, "flock", no_locks)

    def ask() -> None:
        for _ in range(20):
            request(tmp_path, checkpoint=True)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = read_request(tmp_path)
    if locks:
        assert (seen.checkpoints, seen.serial) == (80, 80)
    else:  # then some may be lost, and what is there is whole
        assert 1 <= seen.checkpoints == seen.serial <= 80


def test_every_request_is_seen_at_once_and_an_old_one_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for count in range(1, 60):  # faster than the clock of a file system ticks
        request(tmp_path, state="pause" if count % 2 else "run")
        assert read_request(tmp_path).serial == count
    os.utime(tmp_path / "control.json", (1e9, 1e9))
    seen = read_request(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("tui_latent.runs.control.read_small", lambda _: pytest.fail("read again"))
        assert read_request(tmp_path) is seen
    request(tmp_path, state="stop")
    assert read_request(tmp_path).state == "stop"


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_a_learning_rate_that_cannot_be_is_refused(tmp_path: Path, factor: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        request(tmp_path, lr_factor=factor)
    assert read_request(tmp_path) == Request()


@pytest.mark.slow
@given(
    st.one_of(
        st.binary(max_size=30),
        st.dictionaries(
            st.sampled_from(["serial", "state", "checkpoints", "lr_factor"]),
            st.one_of(st.integers(), st.floats(), st.text(max_size=3), st.none(), st.just([])),
        ).map(lambda table: json.dumps(table).encode()),
    )
)
def test_whatever_the_file_holds_is_a_request_or_none(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("control")
    (folder / "control.json").write_bytes(content)
    seen = read_request(folder)
    assert seen.state in ("run", "pause", "stop")
    assert seen.lr_factor > 0
    assert request(folder, state="stop").state == "stop"


def test_asking_where_nothing_can_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot write a request"):
        request(tmp_path / "absent", state="stop")


def test_settings_of_several_requests_are_all_kept_and_the_newest_value_wins(
    tmp_path: Path,
) -> None:
    request(tmp_path, settings={"train.lr": 0.5, "augment.noise": 0.25})
    request(tmp_path, settings={"train.lr": 0.125})
    asked = read_request(tmp_path).settings
    assert {key: (each.value, each.serial) for key, each in asked.items()} == {
        "train.lr": (0.125, 2),
        "augment.noise": (0.25, 1),
    }
    request(tmp_path, settings={"train.lr": 0.125})  # asked for already
    assert read_request(tmp_path).settings["train.lr"].serial == 2


def test_a_request_to_go_back_includes_the_value(tmp_path: Path) -> None:
    request(tmp_path, settings={"train.lr": 0.5})
    asked = request(tmp_path, back=(40, "train.lr", 0.25))
    assert asked.back is not None and (asked.back.step, asked.back.serial) == (40, 2)
    assert asked.settings["train.lr"].value == 0.25
    factor = request(tmp_path, lr_factor=4.0)
    factor = request(tmp_path, back=(30, "lr_factor", 2.0))
    assert (factor.lr_factor, factor.lr_serial) == (2.0, factor.serial)


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": {"train.lr": 0.5}},
        {"settings": {"train.lr": {"value": [], "who": "", "serial": 1}}},
        {"settings": {"train.lr": {"value": 1, "who": "", "serial": -1}}},
        {"settings": {"train.lr": {"value": 1, "who": "", "serial": 1, "more": 2}}},
        {"settings": []},
        {"back": {"step": "4", "setting": "a", "value": 1, "who": "", "serial": 1}},
        {"back": 4},
        {"lr_who": 3},
    ],
)
def test_malformed_requests_are_ignored(tmp_path: Path, changes: dict[str, object]) -> None:
    request(tmp_path, state="pause")
    file = tmp_path / "control.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    assert read_request(tmp_path) == Request()


def test_a_request_from_before_live_settings_is_read(tmp_path: Path) -> None:
    old = {"serial": 3, "state": "pause", "checkpoints": 1, "lr_factor": 0.5}
    (tmp_path / "control.json").write_text(json.dumps(old))
    seen = read_request(tmp_path)
    assert (seen.state, seen.lr_factor, seen.lr_serial, seen.settings) == ("pause", 0.5, 0, {})
