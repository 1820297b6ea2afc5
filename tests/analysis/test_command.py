"""`tui-latent evaluate` as a person and as a program meet it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner, Result

from tests.analysis.conftest import MakeSpace
from tui_latent.analysis import evaluate
from tui_latent.analysis.evaluation_table import figure, table_lines
from tui_latent.cli.main import main
from tui_latent.runs.evaluations import newest_evaluation
from tui_latent.runs.status import readable_status, write_status


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["evaluate", *words])


def test_the_table_fits_80_columns_and_says_where_the_numbers_are(make_space: MakeSpace) -> None:
    path = make_space(names=("ant", "bee", "a class with quite a long name", "dog"))
    result = run(str(path))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[-1] == f"written to {path}/evaluations/step-000000040.json"
    assert all(len(line) <= 80 for line in lines[1:-1])
    found = newest_evaluation(path)
    assert found is not None
    share = found["knn_held_out"]["accuracy"]["5"]
    expected = f"k=5 {figure(share['value'])} ({figure(share['low'])}–{figure(share['high'])})"
    assert any(line.startswith("kNN held out") and expected in line for line in lines)
    bee = next(line for line in lines if line.startswith("bee ")).split()
    scores = found["knn_held_out"]["classes"][1]
    auc = found["anomaly"]["classes"][1]["auc"]
    assert bee[1:] == [
        *(figure(scores[s]) for s in ("precision", "recall", "f1")),
        "23",
        figure(auc),
    ]
    assert "linear probe\n" in result.stderr, "a pipe is told each part once, on stderr"


def test_json_is_the_last_line_and_the_only_one_on_stdout(make_space: MakeSpace) -> None:
    path = make_space()
    result = run(str(path), "--outliers", "class:bee", "--json")
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    assert json.loads(line) == newest_evaluation(path)
    assert json.loads(line)["outliers"][0]["outliers"] == "class bee"


def test_what_could_not_be_measured_has_its_reason_in_the_table(make_space: MakeSpace) -> None:
    one = torch.zeros(30, dtype=torch.int64)
    result = run(str(make_space(one, one[:9], ("only",))))
    assert result.exit_code == 0
    assert "linear probe  not measured: all training images are of one class" in result.stdout
    assert "kNN training, kNN held out, kNN weighted: all training images" in result.stdout
    assert "every vote is for it" in result.stdout


def test_outliers_that_were_asked_for_and_could_not_be_had_fail(make_space: MakeSpace) -> None:
    result = run(str(make_space()), "--outliers", "mnist")
    assert result.exit_code == 1
    assert "tui-latent: no ROC curve: " in result.stderr and "checkpoint" in result.stderr
    assert "kNN held out" in result.stdout


def test_wrong_words_are_wrong_usage(make_space: MakeSpace) -> None:
    path = make_space()
    wrong = run(str(path), "--outliers", "mnits")
    assert (wrong.exit_code, wrong.stdout) == (2, "") and "did you mean 'mnist'" in wrong.stderr
    assert run("no-such-run").exit_code == 2
    assert newest_evaluation(path) is None


def test_a_run_without_latents_fails(make_space: MakeSpace) -> None:
    path = make_space()
    (path / "latents" / "last.safetensors").unlink()
    result = run(str(path))
    assert result.exit_code == 1 and "no latents yet" in result.stderr


def test_ctrl_c_leaves_nothing_behind(
    make_space: MakeSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    path = make_space()
    monkeypatch.setattr(evaluate, "_measured", interrupted)
    result = run(str(path))
    assert result.exit_code == 130 and "nothing was written" in result.stderr
    assert newest_evaluation(path) is None


def test_a_collapse_is_a_line_of_the_table(make_space: MakeSpace) -> None:
    path = make_space(change=lambda latents: 0 * latents + 1)
    result = run(str(path))
    assert "collapse: mean standard deviation 0: all latents are one point" in result.stdout
    found = newest_evaluation(path)
    assert found is not None and any("collapse:" in line for line in table_lines(found))


def test_of_a_failed_run_the_table_says_first_that_it_failed(make_space: MakeSpace) -> None:
    path = make_space()
    status = replace(readable_status(path), state="failed", step=57, error="the loss became nan")
    write_status(path, status)
    result = run(str(path))
    assert result.stdout.splitlines()[0] == (
        "The run failed at step 57, and its results end there: the loss became nan"
    )
