"""`tui-latent open` as a shell runs it: what it prints, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tui_latent.runs.run_list import list_runs


def run_open(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tui_latent", "open", *words, "--runs", str(tmp_path / "runs")]
    return subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )


@pytest.mark.slow
def test_two_files_are_steps_of_a_run_and_told_in_words_and_json(tmp_path: Path) -> None:
    digits = load_digits()
    np.save(tmp_path / "before.npy", digits.data[:300])
    np.save(tmp_path / "after.npy", digits.data[:300, ::2])
    np.save(tmp_path / "labels.npy", digits.target[:300])
    files = "before.npy", "after.npy", "--labels", "labels.npy"
    told = run_open(tmp_path, *files, "--name", "words")
    assert told.returncode == 0, told.stderr
    assert told.stderr == ""
    assert "step 0: before.npy: 300 vectors of 64 numbers, kNN@20 0.9" in told.stdout
    assert "row 0  0  [0, 0, 5, 13, …]" in told.stdout
    assert "from before.npy to after.npy a vector keeps" in told.stdout
    assert told.stdout.rstrip().endswith(f"run {tmp_path / 'runs' / 'words'}")
    found = json.loads(run_open(tmp_path, *files, "--json").stdout)
    assert found["vectors"] == 300 and len(found["classes"]) == 10
    assert [step["file"] for step in found["runs"][0]["steps"]] == ["before.npy", "after.npy"]
    assert found["movers"]["neighbours"] == 20
    assert sorted(run.status.state for run in list_runs(tmp_path / "runs")) == ["finished"] * 2


@pytest.mark.slow
def test_two_files_are_runs_to_compare(tmp_path: Path) -> None:
    vectors = load_digits().data[:100]
    np.save(tmp_path / "a.npy", vectors)
    np.save(tmp_path / "b.npy", vectors[:, :8])
    told = run_open(tmp_path, "a.npy", "b.npy", "--as", "runs", "--name", "x")
    assert told.returncode == 0, told.stderr
    assert "compare them: tui-latent compare x-a x-b" in told.stdout
    assert f"x-b --runs {tmp_path / 'runs'}\n" in told.stdout
    assert {run.name for run in list_runs(tmp_path / "runs")} == {"x-a", "x-b"}


def test_what_is_kept_and_what_was_joined_by_place_is_reported(tmp_path: Path) -> None:
    rows = [f"r{row},{row}.5,{['x', 'y'][row % 2]}\n" for row in range(5)]
    (tmp_path / "a.csv").write_text("id,number,kind\n" + "".join(rows))
    np.save(tmp_path / "b.npy", np.arange(5.0).reshape(-1, 1))
    told = run_open(tmp_path, "a.csv", "b.npy")
    assert told.returncode == 0, told.stderr
    assert "a.csv: 5 vectors of 1 number\n" in told.stdout
    assert "column kind: the map can be coloured and filtered by it\n" in told.stdout
    assert "only a.csv has ids: rows are joined by position\n" in told.stdout


def test_rows_without_a_label_are_counted_once(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", z=np.eye(5), id=np.arange(5))
    (tmp_path / "l.csv").write_text("id,label\n0,x\n1,y\n")
    told = run_open(tmp_path, "a.npz", "--labels", "l.csv")
    assert "it has none for 3 rows: 2 classes (x, y)\n" in told.stdout


def test_what_cannot_be_opened_is_refused_in_a_sentence(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{}, None]), allow_pickle=True)
    for words, sentence in (
        (["objects.npy"], "objects.npy: holds Python objects"),
        (["gone.npy"], "gone.npy: cannot be read: No such file or directory"),
        (["a\x1b[31m.csv"], "cannot be read"),
    ):
        told = run_open(tmp_path, *words)
        assert told.returncode == 1
        assert told.stderr.startswith("tui-latent: ") and sentence in told.stderr
        assert "\x1b" not in told.stderr and "Traceback" not in told.stderr
    assert not (tmp_path / "runs").exists()
