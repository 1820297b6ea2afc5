"""Who may train a run, requests made while it starts, and what a refusal leaves unchanged."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.conftest import SMALL
from tests.waiting import patience, until
from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import load_preset
from tui_latent.launch.background import start_in_background
from tui_latent.launch.start import check_preset, create_run, train_run
from tui_latent.runs.control import read_request, request
from tui_latent.runs.queue import add_to_queue, queued_runs
from tui_latent.runs.run_list import delete_run
from tui_latent.runs.schema import RunBusyError
from tui_latent.runs.status import read_status
from tui_latent.runs.writer import RunWriter

HOLD = """
import sys, time
from pathlib import Path
from tui_latent.runs.writer import RunWriter
writer = RunWriter.reopen(Path(sys.argv[1]))
writer.lock()
writer.status(state="paused")
print("ready", flush=True)
time.sleep(600)
"""


def make(runs: Path, name: str, epochs: int = 3) -> Path:
    preset = load_preset("digits-contrastive-2d", SMALL | {"stages": [], "train.epochs": epochs})
    return create_run("digits-contrastive-2d", preset, runs, name)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_queued_run_that_is_started_by_hand_leaves_the_queue(tmp_path: Path) -> None:
    paths = [make(tmp_path, name, epochs=1) for name in ("mine", "next")]
    for path in paths:
        add_to_queue(tmp_path, path.name)
    assert train_run(paths[0]).state == "finished"
    assert queued_runs(tmp_path) == ["next"]


def test_a_refusal_changes_nothing_even_before_the_trainer_has_reported_itself(
    tmp_path: Path,
) -> None:
    """Between its lock and its first status a trainer is known by the lock alone."""
    path = make(tmp_path, "mine")
    writer = RunWriter.reopen(path)
    writer.status(state="stopped")
    request(path, state="pause")
    assert writer._lock.take()
    (path / "control.lock").touch()
    before = contents(path)
    for refused in (train_run, delete_run):
        with pytest.raises(RunBusyError):
            refused(path)
        assert contents(path) == before
    assert read_request(path).state == "pause"
    writer.close()


def test_a_paused_run_stays_paused_whoever_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path, "mine")
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    asked = request(path, state="pause")
    for refused in (train_run, start_in_background, delete_run):
        with pytest.raises(RunBusyError):
            refused(path)
    assert read_request(path) == asked
    process.kill()
    process.communicate()


def test_what_was_asked_of_an_earlier_life_no_longer_holds(tmp_path: Path) -> None:
    path = make(tmp_path, "mine")
    request(path, state="stop")
    assert train_run(path).state == "stopped"
    request(path, checkpoint=True)
    assert train_run(path).state == "finished"


def test_what_is_asked_while_a_run_is_taken_up_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path, "mine", epochs=100_000)
    request(path, state="stop")
    assert train_run(path).state == "stopped"
    lock = RunWriter.lock

    def asked_meanwhile(writer: RunWriter) -> object:
        request(path, state="stop")
        request(path, lr_factor=0.5)
        return lock(writer)

    monkeypatch.setattr(RunWriter, "lock", asked_meanwhile)
    assert train_run(path).state == "stopped"
    assert read_request(path).lr_factor == 0.5


def test_a_learning_rate_asked_meanwhile_does_not_bring_an_old_stop_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path, "mine")
    request(path, state="stop")
    assert train_run(path).state == "stopped"
    lock = RunWriter.lock

    def asked_meanwhile(writer: RunWriter) -> object:
        request(path, lr_factor=0.5)
        return lock(writer)

    monkeypatch.setattr(RunWriter, "lock", asked_meanwhile)
    assert train_run(path).state == "finished"


def test_a_checkpoint_asked_while_a_run_starts_is_written(tmp_path: Path) -> None:
    path = make(tmp_path, "mine", epochs=1)
    request(path, checkpoint=True)
    assert train_run(path).state == "finished"
    saved = re.findall(r"checkpoint at step (\d+)", (path / "train.log").read_text())
    assert len(saved) == 2 and int(saved[0]) < int(saved[1]) == 4, "its only epoch has 4 steps"


@pytest.mark.parametrize("away", ["deleted", "moved"])
def test_a_training_whose_folder_is_made_anew_stops_and_says_so_outside_it(
    tmp_path: Path, away: str
) -> None:
    path = make(tmp_path, "mine", epochs=100_000)
    program = "import sys; from pathlib import Path; from tui_latent.cli.main import main; "
    program += f"main(['resume', {str(path)!r}])"
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: read_status(path).step > 0)
    aside = tmp_path / "aside"
    path.rename(aside)
    if away == "deleted":
        shutil.rmtree(aside, ignore_errors=True)
    again = make(tmp_path, "mine")
    before = contents(again)
    _, errors = process.communicate(timeout=patience())
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert f"tui-latent: {path}: this folder was " in errors
    assert contents(again) == before
    assert train_run(again).state == "finished"


def test_a_folder_that_is_not_there_is_reported_beside_its_setting(tmp_path: Path) -> None:
    missing = tmp_path / "photos"
    preset = load_preset("folder-contrastive-2d", {"data.path": str(missing)})
    with pytest.raises(PresetError) as caught:
        check_preset(preset, tmp_path, "mine")
    assert str(caught.value) == f"mine: data.path: no folder {missing}"
