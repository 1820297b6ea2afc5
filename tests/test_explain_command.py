"""`tui-latent explain`: what can be said of a run, for eyes and for a screen reader."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.tui.made_runs import PRESET, clusters, new_run, running, write_records
from tui_latent.cli.main import main


def made(runs: Path, promised: float = 0.99) -> Path:
    writer = new_run(runs, preset={**PRESET, "expect": {"val/knn_20": promised}})
    writer.lock()
    write_records(writer)
    confusion = np.diag(np.full(10, 200))
    confusion[8, 8], confusion[8, 1] = 170, 30
    writer.latent_map(clusters(2000, 10, spread=0.2), confusion)
    running(writer, state="finished", step=2400)
    writer.close()
    return writer.path


def test_it_says_everything_in_sentences(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["explain", str(made(tmp_path))])
    assert done.exit_code == 0, done.output
    assert "Warning: Below the promise: kNN@20 0.940, the preset promises 0.990." in done.output
    assert "Warning: 8 is taken for 1 in 15 % of its images." in done.output
    assert "30 of 200 held-out images of 8" in done.output
    assert "press Enter on the dashboard and choose it there, for these images" in done.output
    assert "0, 1, 2, 3, 4, 5, 6, 7, 8 and 9 lie apart from all other classes." in done.output
    marks = set("✗✓·●→…") & set(done.output)
    assert not marks, "a screen reader would spell them"


def test_what_is_good_is_called_so_once(tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["explain", str(made(tmp_path, 0.5))]).output
    assert "\nGood: kNN@20 0.940, the preset promises 0.500.\n  Evidence" in said


def test_it_names_the_keys_that_someone_has_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    monkeypatch.setenv("TUI_LATENT_CONFIG", str(config))
    path = str(made(tmp_path))
    config.write_text('[keys]\n"verdict.open" = "B"\n')
    remapped = CliRunner().invoke(main, ["explain", path]).output
    assert "press B on the dashboard and choose it" in remapped
    config.write_text('[keys]\n"verdict.opn" = "B"\n')
    assert (
        "press Enter on the dashboard and choose it"
        in CliRunner().invoke(main, ["explain", path]).output
    )


def test_json_has_the_findings_and_the_map(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["explain", str(made(tmp_path)), "--json"])
    found = json.loads(done.output)
    assert found["severity"] == "warning" and found["verdict"].startswith("Below the promise")
    kinds = {finding["kind"]: finding for finding in found["findings"]}
    assert kinds["confusion"]["door"]["truth"] == 8 and kinds["confusion"]["door"]["called"] == 1
    assert found["map"][0].startswith("The map of step 720 shows 2,000 held-out images")


def test_a_run_that_has_not_begun_has_nothing_to_say(tmp_path: Path) -> None:
    path = new_run(tmp_path).path
    done = CliRunner().invoke(main, ["explain", str(path)])
    assert done.exit_code == 0
    assert "Nothing stands out." in done.output and "There is no map yet." in done.output


def test_what_is_no_run_is_a_sentence(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["explain", "nowhere", "--runs", str(tmp_path)])
    assert done.exit_code == 2 and "nowhere" in done.output


def test_opened_files_have_no_step_of_their_own(tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", np.random.default_rng(0).normal(size=(40, 3)))
    opened = CliRunner().invoke(
        main, ["--runs", str(tmp_path), "open", str(tmp_path / "vectors.npy"), "--json"]
    )
    name = json.loads(opened.output)["runs"][0]["name"]
    done = CliRunner().invoke(main, ["--runs", str(tmp_path), "explain", name])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0].endswith(": opened from files.")
    assert "The map shows 40 vectors, none of which has a label." in done.output
    assert "step 0" not in done.output
