"""What a run was trained on and what it learnt, of runs that were really trained."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.foreign_runs import foreign_run
from tui_latent.analysis import InspectionError, RunData
from tui_latent.analysis.evaluate import evaluate_run
from tui_latent.analysis.outlier_ranking import AnomalyRanking
from tui_latent.analysis.run_latents import read_latents
from tui_latent.config.presets import parse_preset
from tui_latent.launch.start import create_run, train_run
from tui_latent.runs.latents_file import LATENTS_FILE
from tui_latent.sources.errors import DataError

SMALL = {
    "precision": "float32",
    "epochs": 1,
    "batch_size": 128,
    "eval_every": 1,
    "checkpoint_every": 1,
}
METHODS: dict[str, dict[str, Any]] = {
    "staged": {
        "data": {"source": "digits"},
        "method": {"name": "contrastive", "latent_dim": 2, "width": 8},
        "train": SMALL,
        "stages": [
            {"latent_dim": 16, "epochs": 1, "lr": 1e-3},
            {"latent_dim": 2, "epochs": 1, "lr": 1e-3},
        ],
    },
    "features": {
        "data": {"source": "digits", "inputs": "hog"},
        "method": {"name": "siamese", "latent_dim": 3},
        "train": SMALL,
    },
    "fitted": {
        "data": {"source": "digits"},
        "method": {"name": "eigenmaps", "latent_dim": 2},
    },
}


@pytest.fixture(scope="module", params=METHODS)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    preset = parse_preset(METHODS[request.param], {}, where="test")
    runs = tmp_path_factory.mktemp("runs")
    path = create_run(request.param, preset, runs, request.param)
    assert train_run(path).state == "finished"
    return path


def test_the_model_makes_the_latents_that_training_wrote(trained: Path) -> None:
    source = RunData(trained)
    stored = load_file(trained / "latents" / "last.safetensors")
    dataset, model = source.inputs(), source.model()
    rows = torch.arange(50)
    with torch.inference_mode():
        latents = model.method.embed(dataset.inputs(dataset.val, rows))
    torch.testing.assert_close(latents, stored["query_latents"][:50], rtol=1e-3, atol=1e-4)
    assert source.matching_latents().bank.equal(stored["bank_latents"])
    assert source.model() is model, "weights that have not changed are read once"


def test_latents_and_model_need_no_images(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise DataError("the disk with the images is not mounted at /data")

    monkeypatch.setattr("tui_latent.datasets.sources.load_dataset", gone)
    source = RunData(trained)
    assert len(source.latents().bank) and source.model().step
    with pytest.raises(InspectionError, match="not mounted at /data"):
        source.dataset()


@pytest.mark.slow
def test_weights_of_another_network_are_refused_by_name(tmp_path: Path) -> None:
    preset = parse_preset(METHODS["features"], {}, where="test")
    path = create_run("features", preset, tmp_path, "changed")
    train_run(path)
    table = (path / "preset.toml").read_text()
    (path / "preset.toml").write_text(table.replace("latent_dim = 3", "latent_dim = 5"))
    with pytest.raises(InspectionError, match="do not fit the network of changed"):
        RunData(path).model()


def test_damaged_checkpoints_are_named(trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    shutil.copytree(trained, path)
    for file in (path / "checkpoints").glob("*.pt"):
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(InspectionError, match="damaged"):
        RunData(path).model()


def test_a_run_without_a_checkpoint_says_how_to_get_one(trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "young"
    shutil.copytree(trained, path, ignore=shutil.ignore_patterns("checkpoints"))
    with pytest.raises(InspectionError, match="no checkpoint yet"):
        RunData(path).model()


def test_large_latents_are_mapped_and_small_ones_read_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bank in (True, False):
        run = foreign_run(tmp_path, f"theirs-{bank}", bank=bank)
        stored = load_file(run / "latents" / "last.safetensors")
        for limit in (1, 1 << 40):
            monkeypatch.setattr("tui_latent.analysis.run_latents.MAPPED_FROM", limit)
            latents = read_latents(run / LATENTS_FILE, (0, 1000, 0))
            assert latents.queries.equal(stored["query_latents"])
            assert latents.query_labels.equal(stored["query_labels"])
            assert latents.bank_is_queries is not bank
            assert latents.bank.equal(stored["bank_latents" if bank else "query_latents"])
            assert latents.step == 300


def test_of_a_bank_that_takes_minutes_a_sample_is_searched_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = foreign_run(tmp_path, images=90)
    monkeypatch.setattr("tui_latent.metrics.search_work.MOST_WORK", 1)
    monkeypatch.setattr("tui_latent.analysis.run_latents.SAMPLE", 30)
    latents = RunData(run).latents()
    bank, labels = latents.bank_for_all
    rows = torch.cdist(bank, latents.bank).argmin(1)
    assert len(set(rows.tolist())) == 30
    assert bank.equal(latents.bank[rows]) and labels.equal(latents.bank_labels[rows])
    alone = RunData(foreign_run(tmp_path, "alone", images=90, bank=False)).latents()
    assert len(alone.bank_for_all[0]) == 90


def test_the_evaluation_of_such_a_bank_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = foreign_run(tmp_path, images=90)
    monkeypatch.setattr("tui_latent.metrics.search_work.MOST_WORK", 1)
    monkeypatch.setattr("tui_latent.analysis.run_latents.SAMPLE", 60)
    found = evaluate_run(run)
    assert found["notes"][0].startswith("of the 90 training latents a sample of 60 is used")
    assert found["knn_held_out"] is not None
    assert "60 training latents, a sample" in AnomalyRanking(RunData(run)).most_anomalous(3).among
