"""The report of a sweep: a PNG, and tables that other programs read."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from tests.made_sweeps import DIM, RATE, SEED, made_sweep
from tui_latent.cli.main import main
from tui_latent.reports.sweep_export import best_maps
from tui_latent.reports.sweep_figure import draw_sweep
from tui_latent.sweeps.groups import grouped, verdict
from tui_latent.sweeps.reading import SweepReader

FIGURES = {
    (dim, rate, seed): 0.5 + 0.04 * dim - rate + 0.01 * seed * (dim - 2)
    for dim in (2, 3)
    for rate in (0.01, 0.1)
    for seed in (0, 1)
}


@pytest.mark.slow
def test_the_report_has_every_run_and_the_means(tmp_path: Path) -> None:
    made_sweep(tmp_path, FIGURES)
    words = ["sweep-report", "latest", "--runs", str(tmp_path), "-o", str(tmp_path / "out.png")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert Image.open(tmp_path / "out.png").width == 1600
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = {
        (int(row[DIM]), float(row[RATE]), int(row[SEED])): float(row["val/knn_20"]) for row in rows
    }
    assert found == pytest.approx(FIGURES, abs=1e-6)
    with (tmp_path / "out-settings.csv").open() as file:
        first, *others = csv.DictReader(file)
    assert (first[DIM], first[RATE], first["runs"]) == ("3", "0.01", "2")
    assert float(first["mean val/knn_20"]) == pytest.approx(0.615)
    assert first["minus the best, low"] == "" and float(others[-1]["minus the best, high"]) < 0


def words_of(sweep: Path) -> list[str]:
    """Return what stands on the page of a sweep."""
    found = SweepReader(sweep).refresh()
    groups = grouped(found, "val/knn_20")
    figure = draw_sweep(
        found, "val/knn_20", groups, verdict(groups, "val/knn_20"), best_maps(groups, "val/knn_20")
    )
    return [text.get_text() for text in figure.texts]


@pytest.mark.slow
def test_maps_of_several_settings_have_titles_that_differ(tmp_path: Path) -> None:
    figures = {
        (dim, rate, weight): 0.5 + 0.04 * dim - rate + weight / 10
        for dim in (2, 3)
        for rate in (0.001, 0.01)
        for weight in (0.25, 0.75)
    }
    words = words_of(made_sweep(tmp_path, figures, (DIM, RATE, "method.metric_weight")))
    for dim, rate, weight in figures:
        assert words.count(f"{dim} · {rate} · {weight}") == 1
    assert any("latent_dim · lr · metric_weight" in text for text in words)
    assert "seeds" not in words and "sd" not in words, "there is one seed"


@pytest.mark.slow
def test_a_sweep_without_a_result_says_so_once(tmp_path: Path) -> None:
    words = words_of(made_sweep(tmp_path, {(2,): None, (3,): None}, (DIM,), state="running"))
    assert len([text for text in words if "No run has finished" in text]) == 1
    assert not any("in the CSV" in text or "over seeds" in text for text in words)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sweep-report", "none"], "none: no such sweep"),
        (["sweep-report", "sweep-made", "--metric", "val/x"], "no run has recorded val/x"),
        (["report", "sweep-made"], "a sweep, not a run: name one of its runs, as sweep-made/"),
        (["control", "sweep-made", "pause"], "it can only be stopped"),
        (["control", "sweep-made", "stop"], "is finished: no process is working on it"),
    ],
    ids=["unknown", "metric", "report", "pause", "stop"],
)
def test_what_is_asked_of_the_wrong_thing_is_a_sentence(
    words: list[str], said: str, tmp_path: Path
) -> None:
    made_sweep(tmp_path, FIGURES)
    result = CliRunner().invoke(main, [*words, "--runs", str(tmp_path)])
    assert result.exit_code in (1, 2) and said in result.output


def test_a_sweep_is_one_line_of_the_list_and_never_the_latest_run(tmp_path: Path) -> None:
    made_sweep(tmp_path, FIGURES)
    listed = CliRunner().invoke(main, ["runs", "--runs", str(tmp_path)])
    assert listed.output.split()[0] == "finished" and "sweep-made sweep" in listed.output
    assert len(listed.output.splitlines()) == 1
    latest = CliRunner().invoke(main, ["explain", "latest", "--runs", str(tmp_path)])
    assert "no run in" in latest.output
