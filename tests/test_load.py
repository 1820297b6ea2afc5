"""`load`: a run as numpy arrays, and its network as a torch module."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from tests.foreign_runs import CLASSES, STEPS, foreign_run
from tests.trained_runs import PRESETS
from tui_latent.config.presets import load_run_preset
from tui_latent.datasets.sources import load_dataset
from tui_latent.launch.start import create_run, train_run
from tui_latent.loading import load
from tui_latent.runs.evaluations import write_evaluation
from tui_latent.runs.schema import RunError

FIXTURES = Path(__file__).parent / "fixtures" / "runs_0_1"
Trained = Callable[[str], Path]


@pytest.mark.parametrize("name", ["autoencoder", "contrastive", "vicreg", "features"])
@pytest.mark.slow
def test_the_encoder_gives_the_latents_of_the_run(name: str, trained: Trained) -> None:
    run = load(trained(name))
    preset = load_run_preset(run.path)
    images = load_dataset(preset.data, preset.train.seed).val.images
    encoder = run.encoder()
    assert not encoder.training and encoder.step == run.latents.step
    with torch.no_grad():
        whole, floats = encoder(images), encoder(images.float() / 255)
    np.testing.assert_allclose(whole.numpy(), run.latents.queries, atol=1e-5)
    np.testing.assert_allclose(floats.numpy(), run.latents.queries, atol=1e-4)


@pytest.mark.slow
def test_the_encoder_needs_no_images(trained: Trained, no_digits: None) -> None:
    for name in ("contrastive", "features"):
        latents = load(trained(name)).encoder()(torch.zeros(2, 1, 8, 8, dtype=torch.uint8))
        assert latents.shape == (2, load(trained(name)).latents.queries.shape[1])


def test_the_encoder_of_an_old_run_takes_the_statistics_of_its_images() -> None:
    preset = load_run_preset(FIXTURES / "autoencoder")
    images = load_dataset(preset.data, preset.train.seed).val.images
    run = load(FIXTURES / "autoencoder")
    with torch.no_grad():
        np.testing.assert_allclose(run.encoder()(images).numpy(), run.latents.queries, atol=1e-4)


def test_without_images_an_old_run_says_what_is_missing(no_digits: None) -> None:
    with pytest.raises(RunError, match="mount it"):
        load(FIXTURES / "autoencoder").encoder()


@pytest.mark.slow
def test_gradients_reach_the_images(trained: Trained) -> None:
    images = torch.rand(4, 1, 8, 8, requires_grad=True)
    load(trained("contrastive")).encoder()(images).sum().backward()
    assert images.grad is not None and float(images.grad.abs().max()) > 0


@pytest.mark.slow
def test_a_fitted_method_has_an_encoder_too(tmp_path: Path) -> None:
    table = {
        "data": PRESETS["contrastive"]["data"],
        "method": {"name": "eigenmaps", "latent_dim": 2},
    }
    from tui_latent.config.presets import parse_preset

    path = create_run("eigenmaps", parse_preset(table, {}, where="test"), tmp_path, "eigenmaps")
    train_run(path)
    preset = load_run_preset(path)
    images = load_dataset(preset.data, preset.train.seed).val.images
    run = load(path)
    with torch.no_grad():
        np.testing.assert_allclose(run.encoder()(images).numpy(), run.latents.queries, atol=1e-5)


def test_curves_have_every_record(tmp_path: Path) -> None:
    run = load(foreign_run(tmp_path))
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    losses = [(line["step"], line["time"], line["train/loss"]) for line in lines if len(line) > 4]
    found = run.curves["train/loss"]
    assert list(zip(found.steps, found.times, found.values, strict=True)) == losses
    assert len(losses) == STEPS[-1]
    assert run.curves["val/knn_20"].steps.tolist() == list(STEPS)


def test_what_a_resumed_run_replaced_is_not_in_its_curves(tmp_path: Path) -> None:
    path = foreign_run(tmp_path)
    records = [{"step": 1, "loss": 5.0}, {"step": 2, "loss": 4.0}, {"step": 3, "loss": 9.0}]
    records += [{"step": 2, "loss": 3.0}, {"step": 2, "loss": float("nan")}]
    (path / "metrics.jsonl").write_text(
        "".join(json.dumps({"epoch": 0, "time": 0.5, **record}) + "\n" for record in records)
    )
    curve = load(path).curves["loss"]
    assert curve.steps.tolist() == [1, 2]
    np.testing.assert_array_equal(curve.values, [5.0, np.nan])


@pytest.mark.parametrize("bank", [True, False])
def test_latents_are_what_the_file_has(tmp_path: Path, bank: bool) -> None:
    path = foreign_run(tmp_path, bank=bank)
    stored = load_file(path / "latents" / "last.safetensors")
    latents = load(path).latents
    assert latents.step == STEPS[-1]
    np.testing.assert_array_equal(latents.queries, stored["query_latents"])
    np.testing.assert_array_equal(latents.query_labels, stored["query_labels"])
    if bank:
        assert latents.bank is not None and latents.bank_labels is not None
        np.testing.assert_array_equal(latents.bank, stored["bank_latents"])
        np.testing.assert_array_equal(latents.bank_labels, stored["bank_labels"])
    else:
        assert latents.bank is None and latents.bank_labels is None


def test_maps_labels_and_evaluations_are_there(tmp_path: Path) -> None:
    path = foreign_run(tmp_path)
    write_evaluation(path, 300, {"format": 1, "step": 300, "knn": {"20": 0.75}})
    run = load(path)
    assert (run.origin, run.class_names, run.map_steps) == ("watched", CLASSES, STEPS)
    assert run.map is not None and run.map.step == 300
    first = run.map_at(100)
    assert first.points.shape == (60, 2) and first.labels.tolist() == [0, 1, 2] * 20
    assert run.evaluations[300]["knn"] == {"20": 0.75}
    with pytest.raises(RunError, match="no map of step 101"):
        run.map_at(101)


def test_a_trained_run_has_its_preset_and_a_watched_one_its_config(tmp_path: Path) -> None:
    assert load(FIXTURES / "triplet").preset["method"]["name"] == "triplet"
    path = foreign_run(tmp_path)
    with (path / "preset.toml").open("a") as file:
        file.write("\n[config]\nlr = 0.1\n")
    run = load(path)
    assert run.config == {"lr": 0.1} and "method" not in run.preset


def test_nothing_is_read_that_is_not_asked_for(tmp_path: Path) -> None:
    path = foreign_run(tmp_path)
    shutil.rmtree(path / "latents")
    run = load(path)
    assert run.map is None and run.class_names == ()
    with pytest.raises(RunError, match="has no latents yet"):
        _ = run.latents
    (path / "latents").mkdir()
    (path / "latents" / "last.safetensors").write_bytes(b"torn")
    with pytest.raises(RunError, match="cannot be read"):
        _ = run.latents


@pytest.mark.parametrize("origin", ["watched", "opened"])
def test_a_run_from_elsewhere_has_no_encoder_and_says_so(tmp_path: Path, origin: str) -> None:
    path = foreign_run(tmp_path, origin=origin)  # type: ignore[arg-type]
    with pytest.raises(RunError, match=r"their-loop has no encoder: (the network belongs|it was)"):
        load(path).encoder()


def test_a_run_is_found_by_path_by_name_and_as_the_latest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = foreign_run(tmp_path / "elsewhere", "one-of-theirs")
    for name in (path, str(path)):
        assert load(name).path == path
    for name in ("one-of-theirs", "one-of", "latest"):
        assert load(name, runs=path.parent).path == path
    with pytest.raises(RunError, match="no such run"):
        load("one-of-theirs")
    monkeypatch.setenv("TUI_LATENT_RUNS", str(path.parent))
    assert load("one-of-theirs").path == path


def test_the_config_file_names_the_folder_of_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = foreign_run(tmp_path / "elsewhere", "one-of-theirs")
    config = tmp_path / "config.toml"
    config.write_text(f'runs = "{path.parent}"\n')
    monkeypatch.setenv("TUI_LATENT_CONFIG", os.fspath(config))
    monkeypatch.delenv("TUI_LATENT_RUNS")
    assert load("one-of-theirs").path == path
