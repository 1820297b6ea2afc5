"""Reports of runs from elsewhere: drawn whole, without a heading over nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.foreign_runs import foreign_run, forget_labels
from tests.reports.looks import Drawn, require_tidy
from tui_latent.reports import export as exporting
from tui_latent.reports import export_comparison, export_report, figure

LABELLED_ONLY = ("kNN accuracy", "kNN@20 confusion matrix", "Anomalies: ROC")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    figures = []
    draw = figure.draw_report

    def keep(*arguments: object) -> object:
        figures.append(draw(*arguments))  # type: ignore[arg-type]
        return figures[-1]

    monkeypatch.setattr(exporting, "draw_report", keep)
    shown = Drawn(monkeypatch)
    shown.figures = figures  # type: ignore[attr-defined]
    return shown


def report(run: Path, drawn: Drawn) -> tuple[str, dict[str, object]]:
    """Return all texts of a run's report, and its JSON."""
    drawn.texts.clear()
    drawn.images.clear()
    png = export_report(run, run.parent / f"{run.name}.png")
    require_tidy(drawn.figures[-1], drawn)  # type: ignore[attr-defined]
    return "\n".join(text for text, _ in drawn.texts), json.loads(
        png.with_suffix(".json").read_text()
    )


def test_a_run_without_labels_is_drawn_by_clusters(tmp_path: Path, drawn: Drawn) -> None:
    text, table = report(foreign_run(tmp_path, labels=False), drawn)
    assert "cluster 1" in text and "coloured by k-means cluster" in text
    assert not any(f"\n{title}\n" in text for title in LABELLED_ONLY)
    assert "silhouette" in text and "effective rank" in text
    assert "watched in its own loop" in text and "unknown" not in text
    assert "wrong classes" not in text and "image 0" in text
    assert table["unlabelled"] and table["colors"] == "cluster"
    assert table["confusion"] is None and table["knn"] == []


def test_an_opened_run_without_anything_else_is_its_map_and_figures(
    tmp_path: Path, drawn: Drawn
) -> None:
    run = foreign_run(tmp_path, origin="opened", labels=False, bank=False, thumbnails=False)
    text, table = report(run, drawn)
    assert "opened from files" in text and "Evaluation" in text
    for heading in ("\nLoss\n", "\nNeighbours\n", "\nAugmentations\n", "trained 0 s"):
        assert heading not in text
    assert "--images FOLDER" in text, "the foot says how to get images"
    assert table["about"]["latent_dim"] == 8  # type: ignore[index]


def test_the_confusion_of_an_opened_run_is_that_of_its_evaluation(
    tmp_path: Path, drawn: Drawn
) -> None:
    run = foreign_run(tmp_path, origin="opened", bank=False)
    text, table = report(run, drawn)
    assert "kNN@20 confusion matrix" in text and "kNN accuracy" not in text
    family: dict[str, dict[str, dict[str, object]]] = table["family"]  # type: ignore[assignment]
    assert table["confusion"]["images"] == family["evaluation"]["knn_held_out"]["confusion"]  # type: ignore[index]


def test_images_without_a_label_are_grey_and_in_the_legend(tmp_path: Path, drawn: Drawn) -> None:
    run = foreign_run(tmp_path)
    forget_labels(run)
    text, table = report(run, drawn)
    assert "no label (15)" in text and "cat" in text
    assert table["map"]["unlabelled"] == 15  # type: ignore[index]
    wrong = [
        neighbour
        for sample in table["neighbours"]  # type: ignore[attr-defined]
        for neighbour in sample["neighbours"]
        if neighbour["wrong"]
    ]
    assert all(neighbour["label"] for neighbour in wrong)


def test_runs_from_elsewhere_are_compared_on_a_page(tmp_path: Path) -> None:
    paths = [foreign_run(tmp_path, "one"), foreign_run(tmp_path, "two", labels=False)]
    png = export_comparison([*paths, foreign_run(tmp_path, "three", origin="opened")])
    table = json.loads(png.with_suffix(".json").read_text())
    assert png.stat().st_size > 10_000 and table["settings"] == {}
