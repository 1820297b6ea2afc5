"""Runs in a process of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.conftest import SMALL
from tests.waiting import until
from tui_latent.config.presets import load_preset
from tui_latent.launch.background import start_in_background
from tui_latent.launch.start import create_run
from tui_latent.runs.control import request
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunBusyError

STARTER = """
import sys
from pathlib import Path
from tui_latent.launch.background import start_in_background
print(start_in_background(Path(sys.argv[1])))
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    changes = SMALL | {"train.epochs": 100_000, "train.eval_every": 1000}
    preset = load_preset("digits-contrastive-2d", changes | {"stages": []})
    return create_run("digits", preset, tmp_path)


@pytest.mark.slow
def test_a_run_outlives_who_started_it_is_refused_to_others_and_stops_when_asked(run: Path) -> None:
    environment = {**os.environ, "OMP_DISPLAY_ENV": "verbose"}
    environment.pop("GOMP_SPINCOUNT", None)
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(run)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    pid = int(starter.communicate()[0])
    with pytest.raises(ProcessLookupError):
        os.killpg(starter.pid, signal.SIGHUP)  # nothing of the starter's session is left
    reader = RunReader(run)
    until(lambda: reader.refresh().status.step > 3)
    status = reader.refresh().status
    assert (status.state, status.pid) == ("running", pid)
    with pytest.raises(RunBusyError, match=f"process {pid} "):
        start_in_background(run)
    os.kill(pid, signal.SIGHUP)
    step = reader.refresh().status.step
    until(lambda: reader.refresh().status.step > step)
    os.kill(pid, signal.SIGTERM)
    until(lambda: reader.refresh().status.state == "stopped", 5.0)
    assert reader.refresh().status.checkpoint_step == reader.refresh().status.step
    assert "GOMP_SPINCOUNT = '300000'" not in (run / "train.log").read_text(), "OpenMP's own"


@pytest.mark.slow
def test_a_child_that_ended_is_no_live_run_and_what_it_printed_is_in_the_log(run: Path) -> None:
    request(run, state="stop")
    (run / "preset.toml").write_text('[data]\nsource = "nowhere"\n')
    pid = start_in_background(run)
    until(lambda: RunReader(run).refresh().status.state == "failed")
    until(lambda: not Path(f"/proc/{pid}").exists())  # no zombie either
    assert "nowhere" in (run / "train.log").read_text()
