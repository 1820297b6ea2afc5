"""Every preset that comes with tui-latent trains, on tiny images in the place of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision

from tui_latent.config.methods.vicreg import VicregSettings
from tui_latent.config.preset_files import PresetError, preset_names
from tui_latent.config.presets import load_preset, load_run_preset
from tui_latent.config.settings import Preset
from tui_latent.launch.start import create_run, train_run
from tui_latent.runs.reader import RunReader

BATCH = 10


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four classes of grey and of colour images, 32 to train on and 16 held out."""
    folder = tmp_path_factory.mktemp("arrays")
    random = np.random.default_rng(0)
    for name, shape in (("grey", (28, 28)), ("colour", (32, 32, 3))):
        images = random.integers(0, 256, (48, *shape), dtype=np.uint8)
        labels = np.arange(48) % 4
        np.savez(
            folder / f"{name}.npz",
            x_train=images[:32],
            y_train=labels[:32],
            x_test=images[32:],
            y_test=labels[32:],
        )
    return folder


def tiny(name: str, arrays: Path, **changes: Any) -> Preset:
    """Return a preset with its own method on tiny data, a tiny network and few steps."""
    preset = load_preset(name)
    table = preset.model_dump(mode="json")
    colour = preset.data.source in ("cifar10", "folder", "manifest")
    if preset.data.source != "digits":
        source = {"source": "arrays", "path": str(arrays / f"{'colour' if colour else 'grey'}.npz")}
        table["data"] |= source | {"size": 0, "labels": "auto"}
    else:
        table["data"]["per_class"] = 8
    table["train"] |= {"epochs": 2, "batch_size": BATCH, "device": "cpu", "log_every": 1}
    table["train"] |= {"eval_every": 1, "checkpoint_every": 1}
    for stage in table["stages"]:
        stage["epochs"] = 1
    for key, value in {"width": 2, "hidden_dim": 8, "head_dim": 8, "neighbours": 3}.items():
        if table["method"].get(key):
            table["method"][key] = value
    if "projector" in table["method"]:
        table["method"]["projector"] = [8, 8]
    for key, value in changes.items():
        section, _, field = key.partition("__")
        table[section][field] = value
    return Preset.model_validate(table)


def trained(name: str, preset: Preset, runs: Path) -> RunReader:
    path = create_run(name, preset, runs)
    status = train_run(path)
    assert status.state == "finished", status.error
    return RunReader(path)


NEED_MORE = ("cifar10-vicreg-neighbours", "cifar10-resnet50-triplet-ae", "folder-dinov2-map-2d")
"""presets that need an earlier run, or weights"""
PLAIN = [name for name in preset_names() if name not in NEED_MORE]


@pytest.mark.parametrize("name", PLAIN)
def test_it_trains_and_its_terms_are_curves(name: str, arrays: Path, tmp_path: Path) -> None:
    preset = tiny(name, arrays)
    snapshot = trained(name, preset, tmp_path).refresh()
    drawn = {metric.removeprefix("train/") for metric in snapshot.curves}
    assert drawn >= preset.method.term_weights(1).keys()
    if preset.method.name == "siamese":
        assert drawn & {"pairwise", "triplet"}
    if getattr(preset.method, "variational", False) or getattr(preset.method, "gaussian", False):
        assert "kl" in drawn
    assert {"val/knn_1", "val/knn_5", "val/knn_20"} <= set(snapshot.curves)
    assert snapshot.map is not None and np.isfinite(snapshot.map.points).all()


def test_neighbours_need_their_earlier_run_and_then_train(arrays: Path, tmp_path: Path) -> None:
    name = "cifar10-vicreg-neighbours"
    with pytest.raises(PresetError, match="neighbours_run"):
        create_run(name, tiny(name, arrays), tmp_path)
    with pytest.raises(PresetError, match="no such run"):
        create_run(name, tiny(name, arrays, method__neighbours_run="nobody"), tmp_path)
    earlier = trained("cifar10-vicreg", tiny("cifar10-vicreg", arrays), tmp_path)
    preset = tiny(name, arrays, method__neighbours_run=earlier.refresh().name)
    assert "train/invariance" in trained(name, preset, tmp_path).refresh().curves


def test_a_run_keeps_which_run_its_neighbours_came_from(
    arrays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = trained("cifar10-vicreg", tiny("cifar10-vicreg", arrays), tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    name = "cifar10-vicreg-neighbours"
    made = create_run(name, tiny(name, arrays, method__neighbours_run="latest"), Path("runs"))
    trained("digits-triplet-2d", tiny("digits-triplet-2d", arrays), tmp_path / "runs")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    method = load_run_preset(tmp_path / made).method
    assert isinstance(method, VicregSettings)
    assert method.neighbours_run == str(earlier.path.absolute())
    (tmp_path / "runs").rename(tmp_path / "moved")
    status = train_run(tmp_path / "moved" / made.name)
    assert status.state == "finished", status.error


@pytest.mark.slow
def test_pretrained_features_train_from_a_local_file(
    arrays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_LATENT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TUI_LATENT_OFFLINE", "1")
    name = "cifar10-resnet50-triplet-ae"
    weights = tmp_path / "resnet18.pth"
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), weights)
    changes = {"data__inputs": "resnet18", "data__per_class": 3}
    preset = tiny(name, arrays, data__weights=str(weights), **changes)
    curves = trained(name, preset, tmp_path / "runs").refresh().curves
    assert {"train/triplet", "train/reconstruction"} <= set(curves)


@pytest.mark.slow
def test_a_map_of_features_trains_from_a_local_file(
    arrays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timm = pytest.importorskip("timm", reason="timm is not installed")
    monkeypatch.setenv("TUI_LATENT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    name, weights = "folder-dinov2-map-2d", tmp_path / "vit.pth"
    torch.save(timm.create_model("test_vit").state_dict(), weights)
    changes = {"data__inputs": "timm:test_vit@32", "data__per_class": 3, "data__size": 32}
    preset = tiny(name, arrays, data__weights=str(weights), **changes)
    curves = trained(name, preset, tmp_path / "runs").refresh().curves
    assert {"train/info_nce", "val/view_retrieval_1"} <= set(curves)


def test_features_without_weights_are_refused_with_what_to_do(
    arrays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_LATENT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TUI_LATENT_OFFLINE", "1")
    preset = tiny("cifar10-resnet50-triplet-ae", arrays)
    with pytest.raises(PresetError, match=r"data\.weights"):
        create_run("resnet", preset, tmp_path / "runs")
