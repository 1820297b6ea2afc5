"""What a trained map of features gains over PCA and UMAP of the same features.

python -m experiments.feature_maps FOLDER --inputs hog
.peers/bin/python -m experiments.feature_maps FOLDER --inputs timm:NAME --weights FILE   with UMAP

FOLDER has images in a folder per class, and those that are held out in `test`. Every row maps the
same features to the plane without labels: those of the preset `folder-dinov2-map-2d`, standardised
by the training images. Quality is kNN accuracy (k = 20) of the held-out images with the training
images as the bank, and trustworthiness (k = 20) of the held-out images' map. PCA and UMAP are
fitted to the training images and place the held-out ones; UMAP has its default settings. The
seconds are those of fitting and placing, without computing the features; the first run of UMAP
after an installation compiles longer.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from benchmarks.record import Row, results_in, save
from tui_latent.analysis.run_data import RunData
from tui_latent.config.presets import load_preset
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.sources import load_dataset
from tui_latent.datasets.weight_choice import weights_of
from tui_latent.datasets.weight_files import read_weight_file
from tui_latent.launch.start import create_run, train_run
from tui_latent.metrics.knn import evaluate_knn

Floats = NDArray[np.float32]
Way = Callable[[], tuple[Floats, Floats, float]]
"""both splits in the plane, and the seconds that it took"""
PRESET = "folder-dinov2-map-2d"
K = 20


def ours(changes: dict[str, object]) -> tuple[Floats, Floats, float]:
    """Train the preset; return both splits in the plane, and the seconds of training."""
    with tempfile.TemporaryDirectory() as runs:
        path = create_run(PRESET, load_preset(PRESET, changes), Path(runs))
        start = time.perf_counter()
        status = train_run(path)
        if status.state != "finished":
            raise SystemExit(status.error)
        seconds = time.perf_counter() - start
        latents = RunData(path).latents()
        return latents.bank.numpy().copy(), latents.queries.numpy().copy(), seconds


def with_pca(train: Floats, val: Floats) -> tuple[Floats, Floats, float]:
    """Return both splits in the plane by PCA."""
    start = time.perf_counter()
    pca = PCA(2, random_state=0).fit(train)
    bank, queries = pca.transform(train), pca.transform(val)
    return bank, queries, time.perf_counter() - start


def with_umap(train: Floats, val: Floats) -> tuple[Floats, Floats, float]:
    """Return both splits in the plane by UMAP's defaults."""
    from umap import UMAP

    start = time.perf_counter()
    mapper = UMAP(n_components=2, random_state=0)
    bank, queries = mapper.fit_transform(train), mapper.transform(val)
    return bank, queries, time.perf_counter() - start


def measured(dataset: Dataset, bank: Floats, queries: Floats) -> dict[str, float]:
    """Return kNN accuracy and trustworthiness of a map, or kNN of the features themselves."""
    train, val = dataset.train, dataset.val
    found = evaluate_knn(
        torch.from_numpy(bank), train.labels, torch.from_numpy(queries), val.labels,
        len(val.class_names),
    )  # fmt: skip
    assert val.features is not None
    same = queries.shape[1] == val.features.shape[1]
    trust = 1.0 if same else trustworthiness(val.features.numpy(), queries, n_neighbors=K)
    return {"knn_20": found.accuracies[K], "trustworthiness": float(trust)}


def renamed(weights: Path, inputs: str) -> Path:
    """Write the tensors of a file under timm's names beside it; ValueError if shapes differ."""
    import timm

    names = timm.create_model(inputs.removeprefix("timm:")).state_dict()
    theirs = weights_of(read_weight_file(weights), names).values()
    pairs = dict(zip(names, theirs, strict=True))
    if any(value.shape != names[name].shape for name, value in pairs.items()):
        raise ValueError(f"{weights}: not the shapes of {inputs}")
    torch.save(pairs, path := weights.with_suffix(".timm.pth"))
    return path


def main() -> None:
    """Map one folder's features in every way, print the table and save it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--inputs", default="hog")
    parser.add_argument("--weights", default="")
    parser.add_argument(
        "--in-order",
        action="store_true",
        help="the file's tensors are in timm's order, under other names",
    )
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--name", default="feature-maps")
    asked = parser.parse_args()
    changes: dict[str, object] = {
        "data.path": str(Path(asked.folder).absolute()),
        "data.inputs": asked.inputs,
        "data.size": asked.size,
        "data.labels": "auto",  # to measure kNN; the method sees no label
        "train.device": "cpu",
    }
    if asked.weights:
        changes["data.weights"] = asked.weights
    if asked.in_order:
        changes["data.weights"] = str(renamed(Path(asked.weights), asked.inputs))
    dataset = load_dataset(load_preset(PRESET, changes).data, 0, print)
    assert dataset.train.features is not None and dataset.val.features is not None
    train, val = dataset.train.features.numpy(), dataset.val.features.numpy()
    ways: dict[str, Way] = {
        "the features themselves": lambda: (train, val, 0.0),
        "PCA": lambda: with_pca(train, val),
        "UMAP": lambda: with_umap(train, val),
        f"ours, {PRESET}": lambda: ours(changes),
    }
    if importlib.util.find_spec("umap") is None:
        del ways["UMAP"]
        print("UMAP is not installed here: see benchmarks/requirements.txt")
    save(
        asked.name,
        f"python -m experiments.feature_maps FOLDER --inputs {asked.inputs} --size {asked.size}"
        f"{' --weights FILE' * bool(asked.weights)}{' --in-order' * asked.in_order}",
        (_row(dataset, asked.inputs, way, mapped) for way, mapped in ways.items()),
        results_in(__file__),
    )


def _row(dataset: Dataset, inputs: str, way: str, mapped: Way) -> Row:
    bank, queries, seconds = mapped()
    numbers = measured(dataset, bank, queries) | {"seconds": seconds}
    text = f"kNN@{K} {numbers['knn_20']:.3f}, trustworthiness {numbers['trustworthiness']:.3f}"
    what = f"{inputs}, {len(dataset.train):,} images: {way}"
    return Row(what, "–", f"{text}, {seconds:.1f} s", None, {**numbers})


if __name__ == "__main__":
    main()
