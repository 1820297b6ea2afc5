"""The files of a Ray cluster that a sweep starts: removed at its end, or by the next sweep."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.waiting import until
from tui_latent.launch.sweep.ray_session import RaySession

SWEEP = """
from tui_latent.launch.sweep.ray_session import RaySession
session = RaySession()
print(session.path, flush=True)
input()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of temporary files of this process and of those that it starts."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _sweep() -> tuple[subprocess.Popen[str], Path]:
    """Start another sweep; return its process and its folder."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", SWEEP], stdin=pipe, stdout=pipe, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_sweep_removes_its_folder_and_what_a_killed_one_left(temporary: Path) -> None:
    living, there = _sweep()
    killed, left = _sweep()
    of_someone_else = temporary / "ray-abc"
    of_someone_else.mkdir()
    try:
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        assert left.is_dir()
        session = RaySession()
        assert not left.exists()
        assert there.is_dir() and of_someone_else.is_dir()
        session.close()
        assert set(temporary.iterdir()) == {there, of_someone_else}
    finally:
        living.communicate("\n")


def test_a_folder_is_kept_while_a_process_of_its_cluster_lives(temporary: Path) -> None:
    killed, left = _sweep()
    killed.kill()
    killed.wait()
    words = [sys.executable, "-S", "-c", "input()", f"--session-dir={left}/session"]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as of_ray:
        until(lambda: left.as_posix() in Path(f"/proc/{of_ray.pid}/cmdline").read_text())
        RaySession().close()
        assert left.is_dir()
        of_ray.kill()
    RaySession().close()
    assert not left.exists()
