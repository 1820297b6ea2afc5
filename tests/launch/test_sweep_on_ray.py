"""A sweep on a real Ray cluster of two nodes, one of which is killed in the middle."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.launch.test_sweep import runs_in, tiny
from tests.waiting import until
from tui_latent.runs.reader import RunReader
from tui_latent.runs.status import readable_status

NO_RAY = "Ray is not installed: pip install 'tui-latent[ray]'"
RUNS = 2
FEW = 300
"""epochs of a run that is not to end before its node is killed"""


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A cluster with a head that trains one run at a time; its nodes are processes of their own."""
    pytest.importorskip("ray", reason=NO_RAY)
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        yield made
    finally:
        made.shutdown()


def _sweep(folder: Path, address: str, *words: str) -> subprocess.Popen[str]:
    seeds = ",".join(map(str, range(RUNS)))
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tui_latent", "sweep", tiny(folder)),
            *("--grid", f"train.seed={seeds}", "--engine", "ray", "--address", address),
            *("--runs", str(folder / "runs"), "--json", *words),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _saved(folder: Path) -> list[Path]:
    """Return the runs that have a checkpoint."""
    return [run for run in runs_in(folder / "runs") if readable_status(run).checkpoint_step]


def _children(node: Any) -> list[int]:
    """Return the ids of a node's processes."""
    (raylet,) = (each.process.pid for each in node.all_processes["raylet"])
    return [child.pid for child in psutil.Process(raylet).children(recursive=True)]


@pytest.mark.slow
def test_the_runs_of_a_killed_node_go_on_elsewhere_from_their_checkpoints(
    cluster: Any, tmp_path: Path
) -> None:
    node = cluster.add_node(num_cpus=1)
    changes = [f"train.epochs={FEW}", "train.checkpoint_seconds=0.5", "train.eval_every=1000"]
    words = [word for change in changes for word in ("--set", change)]
    sweep = _sweep(tmp_path, cluster.address, *words)
    try:
        until(lambda: len(_saved(tmp_path)) == RUNS, 120)
        there = set(_children(node))
        (lost,) = (run for run in _saved(tmp_path) if readable_status(run).pid in there)
        before = readable_status(lost)
        cluster.remove_node(node, allow_graceful=False)
        printed, _ = sweep.communicate(timeout=1200)
    finally:
        sweep.send_signal(signal.SIGKILL)
        sweep.wait()
    assert sweep.returncode == 0, printed
    told = json.loads(printed.splitlines()[-1])
    assert [row["state"] for row in told["runs"]] == ["finished"] * RUNS
    after = RunReader(lost).refresh()
    assert after.status.pid != before.pid
    assert before.checkpoint_step is not None and after.status.step > before.checkpoint_step
    resumed = [event.step for event in after.events if event.kind == "resume"]
    assert resumed and resumed[0] >= before.checkpoint_step, "it went on from its checkpoint"
    steps = after.curves["train/loss"].steps
    assert (steps[1:] > steps[:-1]).all()
