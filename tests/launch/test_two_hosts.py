"""Two hosts train one run, started by torchrun on each; the link between them is cut."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launch.hosts import Hosts, refusal, two_hosts
from tests.waiting import patience, until
from tui_latent.runs.control import request
from tui_latent.runs.reader import RunReader

CUT = 20.0
"""seconds without a link"""
SMALL = ("data.per_class=20", "train.batch_size=50", "train.device=cpu", "method.width=4")
LAUNCH = "--nnodes 2 --nproc-per-node 1 --max-restarts 3 --rdzv-backend c10d --rdzv-id digits"


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    """Two hosts with a link."""
    if reason := refusal():
        pytest.skip(f"two hosts need network namespaces: {reason}")
    try:
        with two_hosts(tmp_path) as made:
            yield made
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode().strip()
        pytest.skip(f"two hosts need network namespaces, which this machine does not allow: {said}")


def _train(hosts: Hosts, folder: Path) -> list[subprocess.Popen[bytes]]:
    """Start one run on both hosts."""
    changes = [*SMALL, "train.epochs=100000", "train.eval_every=100000"]
    words = [sys.executable, "-m", "torch.distributed.run", *LAUNCH.split()]
    words += ["--rdzv-endpoint", f"{hosts.names[0]}:29500", "-m", "tui_latent", "train"]
    words += ["digits-conv-autoencoder", "--runs", str(folder / "runs")]
    words += [word for change in changes for word in ("--set", change)]
    logs = [(folder / f"{name}.log").open("wb") for name in hosts.names]
    return [
        subprocess.Popen(hosts.command(host, words), stdout=log, stderr=log)
        for host, log in enumerate(logs)
    ]


@pytest.mark.slow
def test_a_run_on_two_hosts_goes_on_after_its_link_was_cut(hosts: Hosts, tmp_path: Path) -> None:
    launched = _train(hosts, tmp_path)
    found = (tmp_path / "runs").glob
    try:
        until(lambda: any(found("*/status.json")) or launched[0].poll() is not None, 60)
        assert launched[0].poll() is None, (tmp_path / "host-a.log").read_text()[-3000:]
        (run,) = (tmp_path / "runs").iterdir()
        reader = RunReader(run)
        until(lambda: reader.refresh().status.step > 5, 60)
        assert "2 processes" in reader.refresh().status.device
        hosts.link("down")
        end = time.monotonic() + CUT
        until(lambda: time.monotonic() > end - CUT / 2)
        stood = reader.refresh().status.step
        until(lambda: time.monotonic() > end)
        during = reader.refresh().status
        assert (during.state, during.step) == ("running", stood)
        hosts.link("up")
        until(lambda: reader.refresh().status.step > stood + 5, 60)
        assert not [event for event in reader.refresh().events if "had ended" in event.text]
        request(run, state="stop")
        assert [each.wait(patience(60)) for each in launched] == [0, 0]
        status = reader.refresh().status
        assert (status.state, status.checkpoint_step) == ("stopped", status.step)
    finally:
        for process in launched:
            process.terminate()  # a launcher that is killed leaves the process that it started
        for process in launched:
            process.wait(patience(60))
