"""Training on images without classes: what is measured, what is not, and that nothing pretends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from tests.training.conftest import MakeRun
from tui_latent.config.settings import Preset
from tui_latent.datasets.pairing import make_pairing
from tui_latent.datasets.sources import load_dataset
from tui_latent.launch.start import create_run, train_run
from tui_latent.methods import METHODS
from tui_latent.metrics.sample_order import drawn_order
from tui_latent.runs.reader import RunReader
from tui_latent.training.checkpoint import load_checkpoint
from tui_latent.training.evaluator import VALIDATION_SEED, Evaluator

RETRIEVAL = ("val/view_retrieval_1", "val/view_retrieval_5")


NETWORK = {"latent_dim": 2, "width": 2, "hidden_dim": 8}
METHOD_TABLES: dict[str, dict[str, Any]] = {
    "contrastive": NETWORK,
    "vicreg": NETWORK | {"latent_dim": 4},
    "autoencoder": NETWORK,
    "eigenmaps": {"latent_dim": 2},
}


@pytest.mark.parametrize("method", METHOD_TABLES)
def test_methods_that_see_no_label_train_without_any(tmp_path: Path, method: str) -> None:
    fitted = method == "eigenmaps"
    table: dict[str, Any] = {
        "data": {"source": "digits", "per_class": 200, "labels": "none"},
        "augment": {} if fitted else {"rotate": 10},
        "method": {"name": method} | METHOD_TABLES[method],
        "train": {} if fitted else {"epochs": 2, "batch_size": 50, "device": "cpu"},
    }
    path = create_run(method, Preset.model_validate(table), tmp_path)
    status = train_run(path)
    assert status.state == "finished", status.error
    snapshot = RunReader(path).refresh()
    assert snapshot.class_names == () and snapshot.confusion is None
    assert snapshot.map is not None and set(snapshot.map.labels.tolist()) == {-1}
    tensors = load_file(path / "latents" / "last.safetensors")
    assert set(tensors["bank_labels"].tolist()) == {-1} == set(tensors["query_labels"].tolist())
    assert not any("knn" in name for name in (*snapshot.curves, *snapshot.missing))
    assert status.knn_20 is None and status.best_knn_20 is None
    assert sum("no image has a class" in line for line in snapshot.log) == 1
    assert not any("knn" in line for line in snapshot.log)
    assert "latent/effective_rank" in snapshot.curves
    assert [name in snapshot.curves for name in RETRIEVAL] == [not fitted] * 2


@pytest.mark.parametrize("method", ["contrastive", "vicreg"])
def test_view_retrieval_is_that_of_scikit_learn(method: str) -> None:
    table: dict[str, Any] = {
        "data": {"source": "digits", "labels": "none"},
        "augment": {"rotate": 25, "translate": 0.15, "noise": 0.1},
        "method": {"name": method, "latent_dim": 3, "width": 4, "hidden_dim": 16},
        "train": {"batch_size": 64},
    }
    preset = Preset.model_validate(table)
    dataset = load_dataset(preset.data, 0)
    torch.manual_seed(0)
    net = METHODS[method](preset.method, dataset.input_shape).eval()
    order = drawn_order(dataset.val.images)
    pairing = make_pairing("views", dataset.val, dataset, preset.augment, order=order)
    found = Evaluator(dataset, pairing, 64).evaluate(
        net, lambda: torch.autocast("cpu", enabled=False)
    )
    views = torch.empty_like(found.queries)
    generator = torch.Generator()
    with torch.no_grad():
        for number, rows in enumerate(order.tensor_split(round(len(order) / 64))):
            generator.manual_seed(VALIDATION_SEED + number)
            views[rows] = net.embed(pairing.batch(rows, generator).x).chunk(2)[0]
    search = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(found.queries.double().numpy())
    nearest = search.kneighbors(views.double().numpy(), return_distance=False)
    own = np.arange(len(views))[:, None]
    for k in (1, 5):
        share = (nearest[:, :k] == own).any(1).mean()
        assert found.metrics[f"val/view_retrieval_{k}"] == pytest.approx(share, abs=2 / len(views))
    assert 0 < found.metrics[RETRIEVAL[0]] < found.metrics[RETRIEVAL[1]] < 1


def test_the_shares_mean_nothing_without_augmentation_or_with_few_images(
    make_run: MakeRun,
) -> None:
    plain = Preset.model_validate(
        {
            "data": {"source": "digits", "per_class": 40},
            "method": {"name": "contrastive", "latent_dim": 2, "width": 2, "hidden_dim": 8},
        }
    )
    dataset = load_dataset(plain.data, 0)
    net = METHODS["contrastive"](plain.method, dataset.input_shape)
    pairing = make_pairing("views", dataset.val, dataset, plain.augment)
    found = Evaluator(dataset, pairing).evaluate(net, lambda: torch.autocast("cpu", enabled=False))
    assert not set(RETRIEVAL) & set(found.metrics)
    assert all("not augmented" in found.missing[name] for name in RETRIEVAL)
    path = make_run(data__labels="none", data__per_class=200, data__val_fraction=0.002)
    train_run(path)
    snapshot = RunReader(path).refresh()
    assert snapshot.newest(RETRIEVAL[0]) is not None
    assert snapshot.missing[RETRIEVAL[1]].startswith("there are ")


def test_labels_that_are_there_change_no_weight_of_a_run_that_uses_none(tmp_path: Path) -> None:
    digits = load_digits()
    x = (digits.images[:300] * 15).astype(np.uint8)
    y = digits.target[:300]
    runs = []
    for name, labels in (
        ("auto", y),
        ("none", y),
        ("some", np.where(y < 5, y, -1)),
        ("no y", None),
    ):
        file = tmp_path / f"{name}.npz"
        arrays: dict[str, Any] = {"x_train": x[:240], "x_test": x[240:]}
        if labels is not None:
            arrays |= {"y_train": labels[:240], "y_test": labels[240:]}
        np.savez(file, **arrays)
        table: dict[str, Any] = {
            "data": {"source": "arrays", "path": str(file)},
            "augment": {"rotate": 10},
            "method": {"name": "contrastive", "latent_dim": 2, "width": 2, "hidden_dim": 8},
            "train": {"epochs": 2, "batch_size": 60, "device": "cpu", "patience": 1000},
        }
        if name == "none":
            table["data"]["labels"] = "none"
        path = create_run(name.replace(" ", "-"), Preset.model_validate(table), tmp_path / "runs")
        assert train_run(path).state == "finished"
        runs.append(path)
    first, *others = (load_checkpoint(path / "checkpoints", "cpu") for path in runs)
    assert first is not None
    for other in others:
        assert other is not None
        for name, value in first["method"].items():
            assert torch.equal(value, other["method"][name]), name
    labelled, _, some, none = (RunReader(path).refresh() for path in runs)
    assert "val/knn_5" in labelled.curves and "val/knn_5" not in none.curves
    assert some.class_names == ("0", "1", "2", "3", "4") and some.newest("val/knn_5") is not None
    assert some.newest("val/loss") == pytest.approx(labelled.newest("val/loss"))


def test_a_vote_of_few_labels_says_why_it_means_nothing(tmp_path: Path) -> None:
    x = (load_digits().images[:100] * 15).astype(np.uint8)
    y = np.where(np.arange(100) < 12, np.arange(100) % 2, -1)
    np.savez(tmp_path / "few.npz", x_train=x, y_train=y, x_test=x[:40], y_test=y[:40])
    table: dict[str, Any] = {
        "data": {"source": "arrays", "path": str(tmp_path / "few.npz")},
        "method": {"name": "autoencoder", "latent_dim": 2, "width": 2, "hidden_dim": 8},
        "train": {"epochs": 1, "batch_size": 50, "device": "cpu"},
    }
    path = create_run("few", Preset.model_validate(table), tmp_path / "runs")
    assert train_run(path).state == "finished"
    snapshot = RunReader(path).refresh()
    assert snapshot.newest("val/knn_5") is not None
    assert snapshot.missing["val/knn_20"] == (
        "there are 12 training images to choose the 20 nearest from, because 88 of 100 training "
        "images and 28 of 40 held-out images have no class"
    )
    records = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    assert "val/knn_20" not in records[-1]
