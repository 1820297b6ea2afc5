"""The ten minutes on a GPU, tried on the CPU: parts that hang, crash, and lack packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from benchmarks.gpu_all import Part, parts_of, run_parts
from benchmarks.gpu_presets import rows
from tests.waiting import patience, until

REPOSITORY = Path(__file__).parents[2]
SAVING = """
import json, os, pathlib, subprocess, sys, time
row = dict(what="a", goal="–", measured="1", reached=None, numbers={})
def saved(*rows):
    path = pathlib.Path(os.environ["BENCHMARK_RESULTS"], NAME + ".json")
    path.write_text(json.dumps({"rows": list(rows)}))
"""
HANGS = """
saved(row)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
CRASHES = """
saved(row, row)
print("before the crash", flush=True)
import ctypes; ctypes.string_at(0)
"""


def part(name: str, weight: float, program: str) -> Part:
    code = SAVING.replace("NAME", repr(name)) + program
    return Part(name, weight, (sys.executable, "-c", code))


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_part_that_hangs_or_crashes_keeps_its_rows_and_takes_no_other_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = (
        part("hangs", 1, HANGS),
        part("crashes", 10, CRASHES),
        part("lacks", 10, "saved(row); import no_such_package"),
        part("skips", 10, "print('not installed: kornia', flush=True); sys.exit(77)"),
        part("fails", 10, "print('why', flush=True); sys.exit(3)"),
        part("works", 10, "saved(row, row, row)"),
    )
    seconds = 51 * patience(1.0)  # one share of 51 is enough to start and to save a row
    start = time.monotonic()
    outcomes = {outcome.name: outcome for outcome in run_parts(parts, seconds, tmp_path)}
    assert time.monotonic() - start < seconds
    states = {name: (outcome.state, len(outcome.rows)) for name, outcome in outcomes.items()}
    assert states == {
        "hangs": ("killed", 1),
        "crashes": ("failed", 2),
        "lacks": ("skipped", 1),
        "skips": ("skipped", 0),
        "fails": ("failed", 0),
        "works": ("done", 3),
    }
    assert outcomes["crashes"].words == "SIGSEGV: before the crash"
    assert outcomes["lacks"].words == "not installed: no_such_package"
    assert outcomes["skips"].words == "not installed: kornia"
    assert outcomes["fails"].words == "status 3: why"
    child = int((tmp_path / "hangs.log").read_text())
    until(lambda: gone(child))
    for name, (state, count) in states.items():
        kept = json.loads((tmp_path / f"{name}.json").read_text())
        assert (kept["state"], len(kept["rows"])) == (state, count)
    table = (tmp_path / "gpu_all.md").read_text()
    assert table.count("| a | – | 1 | – |") == 7
    assert "| hangs | killed | " in table
    assert "SIGSEGV" in capsys.readouterr().out


def test_time_that_a_part_leaves_is_for_those_after_it(tmp_path: Path) -> None:
    parts = (part("quick", 1, ""), part("next", 1, ""))
    first, second = run_parts(parts, 100, tmp_path)
    assert first.limit == pytest.approx(50, abs=1)
    assert second.limit > 80


def test_a_stop_from_outside_ends_the_part_too(tmp_path: Path) -> None:
    program = (
        "import signal, sys; from tests.benchmarks.test_gpu_all import *\n"
        "import benchmarks.gpu_all as g\n"
        "g.parts_of = lambda *_: (part('hangs', 1, HANGS),)\n"
        f"sys.argv = ['gpu_all', '--out', {str(tmp_path)!r}]\n"
        "g.main()"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=REPOSITORY)
    log = tmp_path / "hangs.log"
    until(lambda: log.exists() and log.read_text().strip())
    process.terminate()
    assert process.wait(patience()) != 0
    child = int(log.read_text())
    until(lambda: gone(child))


BARE = """
import importlib.abc, importlib.metadata, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("textual", "plotext", "umap", "lightly", "kornia"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
record = importlib.metadata.version
def version(package):
    if package in ("tui-latent", "textual", "plotext", "torch"):
        raise importlib.metadata.PackageNotFoundError(package)
    return record(package)
importlib.metadata.version = version
"""


def test_the_command_runs_where_little_more_than_torch_is_installed(tmp_path: Path) -> None:
    """As in an image for computing: no screen, no peers, the package itself only on the path."""
    (tmp_path / "sitecustomize.py").write_text(BARE)
    out = tmp_path / "out"
    words = ["--device", "cpu", "--tiny", "--minutes", "3", "--out", str(out)]
    only = ["--only", "versions,capture,neighbours"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu_all", *words, *only],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{REPOSITORY}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    kept = {path.stem: json.loads(path.read_text()) for path in out.glob("*.json")}
    states = {name: content["state"] for name, content in kept.items()}
    assert states == {
        "versions": "done",
        "capture": "skipped",
        "neighbours-cpu": "done",
    }, done.stdout
    assert kept["versions"]["versions"]["textual"] == "–"
    assert kept["versions"]["versions"]["torch"] != "–"
    assert len(kept["neighbours-cpu"]["rows"]) == 3
    assert "| capture | skipped |" in done.stdout


def test_a_preset_that_cannot_be_measured_is_reported_and_the_next_is_measured() -> None:
    names = ["no-such-preset", "cifar10-eigenmaps", "digits-contrastive-2d"]
    unknown, fitted, digits = rows(names, torch.device("cpu"), tiny=True)
    assert unknown.reached is False and "no-such-preset" in unknown.measured
    assert fitted.measured == "not run: it is fitted without steps"
    assert digits.measured.startswith("plain ms ") and digits.numbers["plain ms"]


@pytest.mark.parametrize("tiny", [False, True])
def test_every_part_is_a_command_that_is_there(tiny: bool) -> None:
    for one in parts_of("cuda", tiny):
        assert (REPOSITORY / one.command[2].replace(".", "/")).with_suffix(".py").exists()
    assert sum(one.weight for one in parts_of("cuda", tiny)) == 600
