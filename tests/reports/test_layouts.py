"""The panels of each method: what they show, why some are missing, how they look."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.text import Text
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from tests.reports.conftest import MakeRun
from tests.reports.looks import Drawn, require_tidy
from tests.reports.test_figure import CIFAR, ODD
from tests.trained_runs import stored
from tui_latent.analysis.decoding import Reconstructions
from tui_latent.analysis.sampling import ClassSamples
from tui_latent.config.methods import METHOD_SETTINGS
from tui_latent.reports.export import export_report
from tui_latent.reports.figure import draw_report
from tui_latent.reports.inputs import Cloud, Flat, Thumbnails, collect_findings
from tui_latent.reports.layouts import (
    PANELS,
    layout_rows,
    left_out,
    needed,
    rows_height,
    shown_rows,
)
from tui_latent.reports.map_frame import map_frame
from tui_latent.reports.numbers import report_numbers
from tui_latent.reports.panels.thumbnails import sheet
from tui_latent.reports.panels.voronoi import region_colors
from tui_latent.reports.samples import collect_samples
from tui_latent.reports.style import RC, class_paint
from tui_latent.runs.reader import RunReader

METHODS: dict[str, dict[str, Any]] = {
    "vicreg": {"name": "vicreg"},
    "triplet": {"name": "triplet"},
    "siamese": {"name": "siamese", "metric_weight": 0.5},
    "autoencoder": {"name": "autoencoder"},
    "contrastive": {"name": "contrastive"},
}


@pytest.fixture(autouse=True)
def quick_tsne(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put two coordinates in the place of t-SNE, which takes seconds."""
    monkeypatch.setattr("tui_latent.analysis.projections._tsne", lambda z, *_: z[:, :2])


@pytest.fixture
def autoencoder(trained: Callable[[str], Path], tmp_path: Path) -> Path:
    """A convolutional autoencoder of a few digits."""
    return shutil.copytree(trained("autoencoder"), tmp_path / "autoencoder")


def findings_of(run: Path) -> dict[str, Any]:
    snapshot = RunReader(run).refresh()
    method = str(snapshot.preset["method"]["name"])
    return collect_findings(run, snapshot, needed(layout_rows(method)), 0)


def drawn(run: Path, findings: dict[str, Any]) -> Figure:
    snapshot = RunReader(run).refresh()
    samples = collect_samples(run, len(snapshot.class_names), 0)
    with style.context(["default", RC]):
        numbers = report_numbers(snapshot, samples)
        figure = draw_report(numbers, snapshot.map, samples, findings)
        figure.canvas.draw()
    return figure


def texts_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def decoded(names: tuple[str, ...]) -> dict[str, Any]:
    """Return what a decoder would have made, all of it of the wrong class."""
    images = np.random.default_rng(0).integers(0, 255, (16, 9, 30, 1), dtype=np.uint8)
    shown = [
        ClassSamples(label, names, 12, np.zeros((128, 2), np.float32), images,
                     np.full(128, (label + 1) % len(names)), None, "no images")
        for label in range(min(len(names), 10))
    ]  # fmt: skip
    reconstructed = Reconstructions(images, images[::-1], np.linspace(0, 0.1, 16))
    return {"samples": shown, "reconstructions": reconstructed}


def test_the_panels_that_methods_list_exist() -> None:
    for method in METHOD_SETTINGS.values():
        assert {name for row in method.report for name in row} <= set(PANELS)
    assert layout_rows("of a later version") == layout_rows("")


@pytest.mark.parametrize(
    ("family", "kinds"),
    [
        ("vicreg", {"names": CIFAR, "dimensions": 9}),
        ("siamese", {"names": ODD, "shape": (1, 9, 30)}),
        ("triplet", {"names": tuple(f"pickup_truck_{i}" for i in range(30)), "dimensions": 3}),
    ],
)
def test_nothing_overlaps_or_leaves_the_page(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, family: str, kinds: dict[str, Any]
) -> None:
    run = make_run(method=METHODS[family], **kinds)
    findings = findings_of(run)
    if family == "siamese":
        findings |= decoded(ODD)
    shown = Drawn(monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = drawn(run, findings)
    require_tidy(figure, shown)


def test_a_run_that_has_just_begun_says_why_of_everything(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(method=METHODS["autoencoder"], evaluated=False)
    findings = findings_of(run)
    assert all(isinstance(found, str) for found in findings.values())
    shown = Drawn(monkeypatch)
    figure = drawn(run, findings)
    require_tidy(figure, shown)
    joined = " ".join(texts_of(figure))
    assert "it appears after the first evaluation" in joined
    assert "no latents yet" in joined


def test_what_a_method_or_a_latent_cannot_give_is_reported(make_run: MakeRun) -> None:
    findings = findings_of(make_run(method=METHODS["triplet"]))
    assert findings["cloud"] == findings["t-SNE"]
    assert findings["cloud"] == "the latents have two dimensions: the map shows them as they are"
    rows = layout_rows("triplet")
    kept = shown_rows(rows, findings)
    assert {panel.title for row in rows for panel in row.panels} - {
        panel.title for row in kept for panel in row.panels
    } == {"Point cloud", "t-SNE"}, "empty sections are dropped"
    assert rows_height(rows) - rows_height(kept) > 3
    assert left_out(rows, findings) == [f"t-SNE, Point cloud: {findings['cloud']}"]


def clear_map(count: int) -> Any:
    from tests.tui.made_runs import clusters

    return clusters(count, 3)


def test_the_evaluation_that_is_kept_is_not_made_again(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(CIFAR, dimensions=3)
    made = findings_of(run)["evaluation"]
    confusion = RunReader(run).refresh().confusion
    assert confusion is not None and made["knn_held_out"]["confusion"] == confusion.tolist()
    monkeypatch.setattr("tui_latent.reports.inputs.evaluate_run", lambda _: "made again")
    assert findings_of(run)["evaluation"] == made
    kept = next((run / "evaluations").iterdir())
    intact = kept.read_text()
    damaged = json.loads(intact)
    del damaged["knn_held_out"]["accuracy"]
    kept.write_text(json.dumps(damaged))
    assert findings_of(run)["evaluation"] == "made again"
    kept.write_text(intact)
    file = run / "latents" / "last.safetensors"
    file.write_bytes(file.read_bytes())  # other latents, for all that is known
    assert findings_of(run)["evaluation"] == "made again"


def test_regions_have_the_color_of_the_nearest_point() -> None:
    latent_map = clear_map(30)
    frame = map_frame(latent_map)
    regions = region_colors(latent_map, frame)
    size = len(regions)
    for row, column in np.random.default_rng(0).integers(0, size, (50, 2)):
        spot = np.array(frame.centre) - frame.half_width
        spot = spot + (np.array([column, row]) + 0.5) / size * 2 * frame.half_width
        nearest = np.linalg.norm(latent_map.points - spot, axis=1).argmin()
        paint = np.array(class_paint(int(latent_map.labels[nearest])))
        np.testing.assert_allclose(regions[row, column], 0.62 + 0.38 * paint)


def test_each_cell_shows_the_image_nearest_to_its_middle(make_run: MakeRun) -> None:
    run = make_run(("a", "b"))
    snapshot = RunReader(run).refresh()
    shown = collect_findings(run, snapshot, ["thumbnails"], 0)["thumbnails"]
    assert isinstance(shown, Thumbnails) and snapshot.map is not None
    frame = map_frame(snapshot.map)
    corner = np.array(frame.centre) - frame.half_width
    places = (snapshot.map.points - corner) / (2 * frame.half_width) * shown.cells
    cells = {(int(x), int(y)) for x, y in np.floor(places)}
    assert cells == set(zip(shown.columns.tolist(), shown.rows.tolist(), strict=True))
    for column, row, label in zip(shown.columns, shown.rows, shown.labels, strict=True):
        inside = np.flatnonzero((np.floor(places) == [column, row]).all(axis=1))
        off = np.abs(places[inside] - [column + 0.5, row + 0.5]) ** 2
        assert label == snapshot.map.labels[inside[off.sum(axis=1).argmin()]]
    paper = sheet(replace(shown, images=np.zeros((len(shown.images), 4, 8, 1), np.uint8)))
    side = len(paper) // shown.cells
    top = (shown.cells - 1 - shown.rows[0]) * side
    cell = paper[top : top + side, shown.columns[0] * side :][:, :side]
    assert tuple(cell[1, side // 2]) == pytest.approx(class_paint(int(shown.labels[0])))
    assert (cell[side // 2, side // 2] == 0).all() and (cell[5, side // 2] == 1).all()


def test_a_trained_autoencoder_shows_what_its_latents_say(
    autoencoder: Path, tmp_path: Path
) -> None:
    png = export_report(autoencoder, tmp_path / "report.png")
    family = json.loads(png.with_suffix(".json").read_text())["family"]
    latents = stored(autoencoder)
    bank, queries = latents["bank_latents"].numpy(), latents["query_latents"].numpy()
    errors = family["reconstructions"]["mean_squared_errors"]
    assert len(errors) == 16 and 0 < min(errors) < max(errors) < 1
    samples = family["samples"]
    assert [row["class"] for row in samples] == list("0123456789")
    assert all(0 <= row["latents_agree"] <= row["samples"] == 128 for row in samples)
    zeros = bank[latents["bank_labels"].numpy() == 0]
    distances = np.sort(np.linalg.norm(zeros - zeros.mean(axis=0), axis=1))
    extremes = family["extremes"][0]
    np.testing.assert_allclose(extremes["nearest"]["distances"], distances[:3], rtol=1e-5)
    np.testing.assert_allclose(extremes["farthest"]["distances"], distances[:-4:-1], rtol=1e-5)
    labels, bank_labels = latents["query_labels"].numpy(), latents["bank_labels"].numpy()
    others = bank[bank_labels != 3]
    all_distances = np.linalg.norm(queries[:, None] - others[None], axis=2)
    scores = np.sort(all_distances, axis=1)[:, :5].mean(axis=1)
    auc = family["evaluation"]["anomaly"]["classes"][3]["auc"]
    assert auc == pytest.approx(roc_auc_score(labels == 3, scores), abs=1e-4)
    assert "of the variance between classes" in family["LDA 3-D"]["faithful"]


def test_projections_are_of_the_latents_of_the_map(autoencoder: Path) -> None:
    snapshot = RunReader(autoencoder).refresh()
    found = collect_findings(autoencoder, snapshot, ["PCA", "cloud", "t-SNE"], 0)
    queries = stored(autoencoder)["query_latents"].numpy().astype(np.float64)
    expected = PCA(3, svd_solver="full").fit_transform(queries)
    flat, cloud = found["PCA"], found["cloud"]
    assert isinstance(flat, Flat) and isinstance(cloud, Cloud)
    np.testing.assert_allclose(np.abs(flat.map.points), np.abs(expected[:, :2]), atol=1e-3)
    np.testing.assert_allclose(np.abs(cloud.points), np.abs(expected), atol=1e-3)
    assert flat.map.labels is not None and "trustworthiness" in flat.faithful


def test_tsne_of_many_images_is_of_a_sample_and_says_so(
    autoencoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_latent.reports.inputs.TSNE_IMAGES", 50)
    snapshot = RunReader(autoencoder).refresh()
    flat = collect_findings(autoencoder, snapshot, ["t-SNE"], 0)["t-SNE"]
    assert isinstance(flat, Flat) and snapshot.map is not None
    total = len(snapshot.map.points)
    assert flat.faithful.startswith(f"50 of {total:,} held-out images")
    assert len(flat.map.points) == len(flat.map.labels) == 50
    queries = stored(autoencoder)["query_latents"].numpy()[flat.map.indices]
    np.testing.assert_allclose(flat.map.points, queries[:, :2], rtol=1e-5)


@pytest.fixture
def without_data(autoencoder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The trained run where its images are no more."""
    from tui_latent.sources.errors import DataError

    def load(*_: Any) -> Any:
        raise DataError("digits: no images in /nowhere")

    monkeypatch.setattr("tui_latent.datasets.sources.load_dataset", load)
    yield autoencoder


def test_a_run_without_its_images_still_shows_what_needs_none(without_data: Path) -> None:
    findings = findings_of(without_data)
    for name in ("reconstructions", "extremes"):
        assert findings[name] == "digits: no images in /nowhere"
    assert isinstance(findings["LDA 3-D"], Cloud) and isinstance(findings["LDA"], Flat)
    assert findings["evaluation"]["knn_held_out"] and findings["samples"][0].recognised is None


def test_two_images_of_one_class_show_what_there_is(
    trained: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shutil.copytree(trained("two-images"), tmp_path / "two")
    shown = Drawn(monkeypatch)
    figure = drawn(run, findings_of(run))
    require_tidy(figure, shown)
    joined = " ".join(texts_of(figure))
    assert "all training images are of one class: every vote is for it" in joined
    assert "there is only one class: it cannot be left out" in joined
