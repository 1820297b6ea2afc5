"""What a loop logs, as a dashboard reads it."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import tui_latent
from tests.waiting import until
from tests.watching.conftest import Watch, logged, read
from tui_latent.runs.events import read_events
from tui_latent.runs.origin import obeyed
from tui_latent.runs.schema import RunError, RunSnapshot
from tui_latent.watching import recording


def values(run: RunSnapshot, metric: str) -> dict[int, float]:
    curve = run.curves[metric]
    return dict(zip(map(int, curve.steps), curve.means.tolist(), strict=True))


def test_numbers_of_every_kind_become_curves(watch: Watch) -> None:
    run = watch()
    in_place = torch.zeros(())
    for step in range(5):
        in_place += 1  # changed again before it is written
        run.log(
            step,
            epoch=step / 2,
            loss=torch.tensor(step * 1.5, requires_grad=True) * 1,
            half=torch.tensor(step, dtype=torch.bfloat16),
            one=np.float32(step),
            row=np.array([step]),
            whole=step,
            total=in_place,
            **{"val/loss": float(step)},
        )
    run.close()
    found = read(run.path)
    assert values(found, "train/loss") == {step: step * 1.5 for step in range(5)}
    for name in ("train/half", "train/one", "train/row", "train/whole", "val/loss"):
        assert values(found, name) == {step: float(step) for step in range(5)}
    assert values(found, "train/total") == {step: step + 1.0 for step in range(5)}
    assert found.status.state == "finished"
    assert (found.status.step, found.status.epoch) == (4, 2.0)
    assert found.origin == "watched"


def test_a_dashboard_sees_records_while_the_loop_goes_on(watch: Watch) -> None:
    run = watch(total_steps=10, config={"lr": 0.1, "model": Path("/a/b"), "none": None})
    run.log(3, loss=1.0)
    until(lambda: read(run.path).curves)
    found = read(run.path)
    assert found.status.state == "running"
    until(lambda: read(run.path).status.step == 3)
    assert found.status.total_steps == 10
    assert found.preset["config"] == {"lr": 0.1, "model": "/a/b"}


@pytest.mark.parametrize(
    "wrong",
    ["text", [1.0, 2.0], np.zeros(2), torch.zeros(2), None, object()],
    ids=["text", "list", "array", "tensor", "none", "object"],
)
def test_what_is_no_number_is_refused_at_once(watch: Watch, wrong: object) -> None:
    run = watch()
    with pytest.raises(TypeError, match="loss must be one number, not ") as caught:
        run.log(0, loss=wrong)
    assert "float()" not in str(caught.value)
    run.log(1, loss=1.0)
    run.close()
    assert values(read(run.path), "train/loss") == {1: 1.0}


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf")])
def test_what_is_no_epoch_is_refused_at_once(watch: Watch, wrong: float) -> None:
    run = watch()
    with pytest.raises(ValueError, match="epoch must be a number from 0"):
        run.log(1, epoch=wrong, loss=1.0)
    run.log(1, epoch=0.5, loss=1.0)
    run.close()
    assert read(run.path).status.epoch == 0.5


@pytest.mark.parametrize("wrong", [-1, 0.5, "3", None, 2**60])
def test_what_is_no_step_is_refused_at_once(watch: Watch, wrong: object) -> None:
    run = watch()
    with pytest.raises(ValueError, match="a step is a whole number from 0"):
        run.log(wrong, loss=1.0)  # type: ignore[arg-type]


def test_losses_that_are_not_finite_are_counted(watch: Watch) -> None:
    run = watch()
    for step, loss in enumerate([1.0, float("nan"), float("inf"), 2.0]):
        run.log(step, loss=loss)
    run.close()
    assert read(run.path).curves["train/loss"].non_finite == 2


def test_names_with_escapes_cannot_move_the_cursor(watch: Watch) -> None:
    run = watch(classes=["a\x1b[31m", "b\nc"], config={"\x1b[2J": "\x1b]0;x\x07"})
    run.log(0, **{"lo\x1b[31mss": 1.0, "time": 2.0, "step": 3.0, "late": 4.0})
    run.note("careful\x1b[2J")
    run.close()
    names = list(read(run.path).curves)
    assert names[1:] == ["train/time", "train/step", "train/late"]
    for text in (*names, logged(run.path), (run.path / "preset.toml").read_text()):
        assert "\x1b" not in text
    assert read(run.path).curves["train/step"].last == 3.0


def test_a_loop_that_goes_back_replaces_what_followed(watch: Watch) -> None:
    run = watch()
    for step in range(10):
        run.log(step, loss=float(step))
    for step in range(4, 7):
        run.log(step, loss=step + 100.0)
    run.close()
    expected = {**{step: float(step) for step in range(4)}, 4: 104.0, 5: 105.0, 6: 106.0}
    assert values(read(run.path), "train/loss") == expected
    (event,) = read_events(run.path)
    assert (event.kind, event.step) == ("resume", 4)
    assert "went back from step 9" in event.text


def test_a_later_process_continues_a_run(watch: Watch) -> None:
    first = watch(config={"lr": 0.1})
    for step in range(10):
        first.log(step, loss=float(step))
    first.close()
    seconds = read(first.path).status.seconds
    second = watch(if_taken="continue", obeys=("stop",))
    assert second.path == first.path
    second.log(5, loss=50.0)
    second.close()
    found = read(first.path)
    assert values(found, "train/loss") == {**{s: float(s) for s in range(5)}, 5: 50.0}
    assert found.curves["train/loss"].times[-1] >= seconds
    assert obeyed(found.preset, found.provenance) == {"stop"}
    assert found.preset["config"] == {"lr": 0.1}
    third = watch(if_taken="continue")
    assert not obeyed(read(third.path).preset, found.provenance)
    third.log(6, loss=60.0)
    third.close()
    assert values(read(first.path), "train/loss")[6] == 60.0


def test_the_oldest_records_are_left_out_when_the_disk_is_full(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = watch()
    run._recording.records._most = 100
    run.log(0, loss=0.0)
    until(lambda: read(run.path).curves)
    write, full = os.write, [True]

    def refusing(descriptor: int, data: bytes) -> int:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        if full[0] and name == "metrics.jsonl":
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", refusing)
    run.log(1, loss=1.0)
    until(lambda: read(run.path).status.error)
    assert "No space left on device" in (read(run.path).status.error or "")
    for step in range(2, 500):
        run.log(step, loss=float(step))
    until(lambda: read(run.path).status.dropped > 0)
    full[0] = False
    until(lambda: read(run.path).curves["train/loss"].last == 499.0)
    run.close()
    found = read(run.path)
    steps = list(values(found, "train/loss"))
    assert steps[:2] == [0, 1]  # the one in hand was kept
    assert steps[-1] == 499
    assert steps[2:] == list(range(steps[2], 500))
    assert found.status.dropped == 500 - len(steps)
    assert found.status.error is None
    assert f"{found.status.dropped:,} records were left out" in logged(run.path)


def test_a_disk_that_stays_full_holds_up_the_end_for_moments_and_what_is_lost_is_reported(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recording, "_FOR_ROOM", 0.1)
    run = watch()
    run.log(0, loss=0.0)
    until(lambda: read(run.path).curves)
    write = os.write

    def refusing(descriptor: int, data: bytes) -> int:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "metrics.jsonl":
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", refusing)
    for step in range(1, 4):
        run.log(step, loss=float(step))
    began = time.thread_time()
    run.close()
    assert time.thread_time() - began < 5
    assert "lost at the end: 3 records: the disk takes no records" in caplog.text
    assert read(run.path).status.dropped == 3
    assert read(run.path).status.state == "finished"


def test_a_folder_that_is_deleted_does_not_end_the_loop(
    watch: Watch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    run = watch()
    run.log(0, loss=0.0)
    until(lambda: read(run.path).curves)
    run.path.rename(tmp_path / "elsewhere")
    until(lambda: "deleted or moved" in caplog.text)
    assert "nothing more is recorded of it; the loop continues" in caplog.text
    assert "resume" not in caplog.text and "stopped" not in caplog.text
    run.log(1, loss=1.0)
    run.close()
    assert not run.path.exists()


def test_what_is_asked_reaches_the_loop(watch: Watch) -> None:
    from tui_latent.runs.control import request

    run = watch(obeys=("pause", "stop", "checkpoint", "lr"))
    assert not (run.asked.pause or run.asked.stop or run.asked.checkpoint)
    run.log(7, loss=1.0)
    request(run.path, checkpoint=True, lr_factor=0.5)
    until(lambda: run.asked.checkpoint)
    assert run.asked.lr_factor == 0.5
    run.checkpoint_saved(7)
    assert not run.asked.checkpoint
    until(lambda: read(run.path).status.checkpoint_step == 7)
    until(lambda: read(run.path).status.lr_factor == 0.5)
    rate = read_events(run.path)[-1]
    assert (rate.kind, rate.setting, rate.old, rate.new) == ("rate", "lr_factor", 1.0, 0.5)

    request(run.path, state="pause")
    until(lambda: run.asked.pause)
    import threading

    waiting = threading.Thread(target=run.wait_while_paused)
    waiting.start()
    until(lambda: read(run.path).status.state == "paused")
    request(run.path, state="run")
    waiting.join(60)
    assert not waiting.is_alive()
    until(lambda: read(run.path).status.state == "running")
    request(run.path, state="stop")
    until(lambda: run.asked.stop)
    run.close()
    assert read(run.path).status.state == "stopped"
    again = watch(if_taken="continue", obeys=("stop",))
    assert not again.asked.stop  # that was for the process before


def test_arguments_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    def wrong(name: str | None = None, **options: object) -> str:
        with pytest.raises(Exception) as caught:
            tui_latent.watch(name, runs=tmp_path, **options)  # type: ignore[arg-type]
        return str(caught.value)

    assert "obeys must be" in wrong(obeys=("jump",))
    assert "obeys must be" in wrong(obeys="stop")
    assert "classes must be a list" in wrong(classes="cat")
    assert "if_taken must be" in wrong(if_taken="overwrite")
    assert "cannot name a run" in wrong("../up")
    assert "cannot name a run" in wrong("a\x1b[31m")
    assert "uint8" in wrong(thumbnails=np.zeros((3, 8, 8)))
    assert "name must be a string" in wrong(3)  # type: ignore[arg-type]
    assert "classes must be a list" in wrong(classes=3)
    assert "obeys must be" in wrong(obeys=3)
    assert "vars(arguments)" in wrong(config=argparse.Namespace(lr=0.1))
    assert "total_steps must be a whole number" in wrong("mine", total_steps="many")
    assert "total_epochs must be a whole number" in wrong("mine", total_epochs=-1)
    assert not list(tmp_path.iterdir())


def test_a_name_that_something_else_has_is_not_offered_to_go_on_with(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("of someone's")
    (tmp_path / "folder").mkdir()
    for name in ("notes", "folder"):
        with pytest.raises(RunError, match="is not a run: choose another name"):
            tui_latent.watch(name, runs=tmp_path)


def test_a_device_may_be_torchs_own_word_for_it(watch: Watch) -> None:
    run, other = watch(device=torch.device("cpu")), watch("other", device=None)
    assert read(run.path).status.device == "cpu"
    assert read(other.path).status.device == ""


def test_evaluations_that_make_room_are_no_records(watch: Watch) -> None:
    run = watch()
    recording = run._recording
    recording._measuring.dropped = 1
    until(lambda: "1 evaluation was left out" in logged(run.path))
    recording._measuring.dropped = 3
    run.log(1, loss=1.0)
    until(lambda: read(run.path).status.skipped == 3)
    assert "2 evaluations" not in logged(run.path)  # not twice within a minute
    run.close()
    assert "2 evaluations were left out" in logged(run.path)
    assert "records" not in logged(run.path)
    assert read(run.path).status.dropped == 0
    again = watch(if_taken="continue")
    again.close()
    assert read(run.path).status.skipped == 3


def test_a_run_without_a_name_is_called_by_its_time_and_script(tmp_path: Path) -> None:
    with tui_latent.watch(runs=tmp_path) as run:
        run.log(0, loss=1.0)
    assert run.path is not None
    assert json.loads((run.path / "status.json").read_text())["state"] == "finished"


def test_a_slow_disk_holds_up_nothing(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading
    import time

    run = watch()
    run.log(0, loss=0.0)
    until(lambda: read(run.path).curves)
    write, go_on, waiting = os.write, threading.Event(), threading.Event()

    def slow(descriptor: int, data: bytes) -> int:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "metrics.jsonl":
            waiting.set()
            go_on.wait()
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", slow)
    run.log(1, loss=1.0)
    assert waiting.wait(60)
    before = time.thread_time()
    for step in range(2, 1000):
        run.log(step, loss=float(step))
        assert not run.asked.pause
    assert time.thread_time() - before < 5  # it came here at all, while the disk did nothing
    assert not go_on.is_set()
    go_on.set()
    run.close()
    assert len(read(run.path).curves["train/loss"].steps) == 1000
