"""What five earlier systems found, trained again: our numbers next to theirs.

python -m experiments.findings                       on subsets, on a CPU
python -m experiments.findings vicreg --seed 1       one of them, another seed
python -m experiments.findings tsimcne --full        as published; needs a GPU
python -m experiments.tables                         writes the tables of docs/RESULTS.md
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import torch
from safetensors.torch import load_file

from benchmarks.program import PROGRAM
from benchmarks.record import Row, results_in, save
from experiments.class_samples import of_class_two
from tui_latent.datasets.paths import data_folder
from tui_latent.metrics.knn import evaluate_knn
from tui_latent.metrics.linear_probe import linear_probe

JPEGS = "cifar10-jpeg"
"""a folder of CIFAR-10 as image files in the data folder; without it, torchvision's is used"""
SMALL_TSIMCNE = Path("experiments/cifar10-tsimcne-subset.toml")
MNIST_SUBSET = ("data.per_class=600", "train.batch_size=256", "train.eval_every=11")
CIFAR_SUBSET = (
    "data.per_class=250",
    "method.network=small-conv",
    "method.width=16",
    "train.epochs=20",
    "train.batch_size=128",
    "train.optimizer=adamw",
    "train.lr=2e-3",
    "train.eval_every=20",
)


@dataclass(frozen=True)
class Run:
    """A preset and what is changed for a subset."""

    label: str
    preset: str
    subset: tuple[str, ...] = ()
    """settings for a subset"""
    subset_preset: str = ""
    """the preset used for a subset if settings are not enough"""
    earlier: str = ""
    """label of the run in whose space neighbours are searched"""


@dataclass(frozen=True)
class Trained:
    """A finished run and its cost."""

    path: Path
    command: str
    seconds: float
    metrics: dict[str, float]

    def latents(self) -> dict[str, torch.Tensor]:
        """Return bank and query latents with their labels."""
        return load_file(self.path / "latents" / "last.safetensors")

    def knn(self, k: int) -> float:
        """Return the held-out accuracy of k neighbours."""
        bank, labels, queries, truth = _sides(self.latents())
        return evaluate_knn(bank, labels, queries, truth, int(labels.max()) + 1, (k,)).accuracies[k]

    def probe(self) -> float:
        """Return the held-out accuracy of a linear classifier of the latents."""
        bank, labels, queries, truth = _sides(self.latents())
        return linear_probe(bank, labels, queries, truth)


@dataclass(frozen=True)
class Experiment:
    """Runs, and the rows made from them."""

    runs: tuple[Run, ...]
    rows: Callable[[dict[str, Trained]], list[Row]]


def _contrastive(done: dict[str, Trained]) -> list[Row]:
    base = done["contrastive"]
    score = base.knn(20)
    rows = []
    for label, what, theirs in (
        ("autoencoder", "contrastive against reconstruction", "contrastive much better"),
        ("harsh", "subtle against harsh augmentation", "subtle better"),
        ("no-norm", "L2 on the latents against none", "L2 helps"),
        ("gaussian", "a point against a Gaussian per image", "open question"),
    ):
        other = done[label]
        against = other.knn(20)
        measured = f"{score:.3f} against {against:.3f}"
        numbers = {"knn_20": score, f"knn_20_{label}": against, **_cost(base, other)}
        rows.append(Row(f"{what}: 2-D kNN@20", theirs, measured, score > against, numbers))
    return rows


def _vicreg(done: dict[str, Trained]) -> list[Row]:
    full = done["vicreg"].probe()
    rows = []
    best = max(run.probe() for run in done.values())
    for label, what, theirs in (
        ("vicreg", "VICReg, linear probe", "0.627 (30 epochs; 0.781 for EMP-SSL)"),
        ("no-variance", "without variance, linear probe", "0.147"),
        ("neighbours", "neighbours as views, linear probe", "0.501"),
    ):
        run = done[label]
        probe = run.probe()
        spread = run.metrics["latent/std_mean"]
        numbers = {"probe": probe, "std_mean": spread, "knn_20": run.knn(20)}
        reached = probe == best if label == "vicreg" else probe < full
        measured = f"{probe:.3f} (standard deviation of the latents {spread:.2g})"
        rows.append(Row(what, theirs, measured, reached, numbers | _cost(run)))
    return rows


def _samples(done: dict[str, Trained]) -> list[Row]:
    run = done["autoencoder-7d"]
    found = of_class_two(run.path)
    drawn, redrawn = found["drawn"][2], found["decoded_and_embedded"][2]
    return [
        Row(
            "class-2 samples of the 7-D autoencoder that LDA classifies as 2",
            "93 of 128",
            f"{drawn} of 128; {redrawn} of 128 after decoding and embedding",
            drawn >= 93,
            {**found, "val_mse": run.metrics["val/loss"], **_cost(run)},
        )
    ]


def _tsimcne(done: dict[str, Trained]) -> list[Row]:
    run = done["t-SimCNE"]
    score = run.knn(15)
    numbers = {"knn_15": score, "knn_5": run.knn(5), **_cost(run)}
    theirs = "0.888 (trained on the test images too); t-SNE of the pixels 0.261 (k = 5)"
    measured = f"{score:.3f} ({run.knn(5):.3f} at k = 5)"
    return [Row("2-D CIFAR-10, kNN@15", theirs, measured, score >= 0.88, numbers)]


def _mnist(done: dict[str, Trained]) -> list[Row]:
    rows = []
    for label, run in done.items():
        scores = {k: run.knn(k) for k in (1, 5, 20)}
        numbers = {f"knn_{k}": score for k, score in scores.items()} | _cost(run)
        theirs = (
            "t-SNE 0.959 / 0.964 / 0.964, UMAP 0.930 / 0.955 / 0.956, "
            "parametric UMAP 0.961 at k = 5"
        )
        measured = " / ".join(f"{score:.4f}" for score in scores.values())
        what = f"2-D MNIST, {label}, kNN at k = 1 / 5 / 20; goal 0.985"
        rows.append(Row(what, theirs, measured, scores[20] >= 0.985, numbers))
    return rows


EXPERIMENTS = {
    "contrastive": Experiment(
        (
            Run("contrastive", "mnist-contrastive-2d", MNIST_SUBSET),
            Run("autoencoder", "mnist-autoencoder-2d", MNIST_SUBSET),
            Run("harsh", "mnist-contrastive-2d-harsh", MNIST_SUBSET),
            Run("no-norm", "mnist-contrastive-2d-no-norm", MNIST_SUBSET),
            Run("gaussian", "mnist-contrastive-2d-gaussian", MNIST_SUBSET),
        ),
        _contrastive,
    ),
    "vicreg": Experiment(
        (
            Run("vicreg", "cifar10-vicreg", CIFAR_SUBSET),
            Run("no-variance", "cifar10-vicreg-no-variance", CIFAR_SUBSET),
            Run("neighbours", "cifar10-vicreg-neighbours", CIFAR_SUBSET, earlier="vicreg"),
        ),
        _vicreg,
    ),
    "samples": Experiment(
        (
            Run(
                "autoencoder-7d",
                "mnist-conv-autoencoder-7d",
                ("data.per_class=300", "train.batch_size=64", "train.eval_every=25"),
            ),
        ),
        _samples,
    ),
    "tsimcne": Experiment(
        (Run("t-SimCNE", "cifar10-tsimcne-2d", subset_preset=str(SMALL_TSIMCNE)),), _tsimcne
    ),
    "mnist": Experiment((Run("long", "mnist-contrastive-2d-long"),), _mnist),
}
SUBSETS = ("contrastive", "vicreg", "samples", "tsimcne")


def preset_of(run: Run, full: bool) -> str:
    """Return the preset that is trained."""
    return run.preset if full or not run.subset_preset else run.subset_preset


def settings(run: Run, full: bool) -> list[str]:
    """Return the changes of `--set`, with paths as in a shell."""
    changes = [] if full else list(run.subset)
    if run.preset.startswith("cifar10") and (data_folder() / JPEGS).is_dir():
        changes += ["data.source=folder", "data.size=32", f"data.path=$TUI_LATENT_DATA/{JPEGS}"]
    if run.earlier:
        changes.append(f"method.neighbours_run={run.earlier}")
    return changes


def train(run: Run, full: bool, seed: int, runs: Path) -> Trained:
    """Train a run without a screen, and keep the command as in a shell."""
    words = ["train", preset_of(run, full), "--name", run.label, "--seed", str(seed)]
    for change in settings(run, full):
        words += ["--set", change]
    given = [word.replace("$TUI_LATENT_DATA", str(data_folder())) for word in words]
    print("tui-latent", *words, file=sys.stderr, flush=True)
    done = subprocess.run(
        [*PROGRAM, *given, "--runs", str(runs), "--json"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    command = " ".join(["tui-latent", *words])
    return Trained(Path(said["path"]), command, said["seconds"], said["metrics"])


def measure(name: str, full: bool, seed: int) -> list[Row]:
    """Train an experiment's runs one after the other; return its rows."""
    experiment = EXPERIMENTS[name]
    with tempfile.TemporaryDirectory() as runs:
        done = {run.label: train(run, full, seed, Path(runs)) for run in experiment.runs}
        rows = experiment.rows(done)
    return [replace(row, numbers=row.numbers | {"seed": seed}) for row in rows]


def _sides(latents: dict[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
    names = ("bank_latents", "bank_labels", "query_latents", "query_labels")
    return tuple(latents[name] for name in names)


def _cost(*runs: Trained) -> dict[str, object]:
    device = json.loads((runs[0].path / "status.json").read_text())["device"]
    return {
        "device": device,
        "seconds": [run.seconds for run in runs],
        "commands": [run.command for run in runs],
    }


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(EXPERIMENTS)))
@click.option("--full", is_flag=True, help="Train the unchanged presets instead of subsets.")
@click.option("--seed", default=0, show_default=True)
def main(names: tuple[str, ...], full: bool, seed: int) -> None:
    """Measure the named experiments, or those that have a subset."""
    for name in names or SUBSETS:
        result = f"findings-{name}" + ("-full" if full else "") + (f"-seed-{seed}" if seed else "")
        options = (" --full" if full else "") + (f" --seed {seed}" if seed else "")
        command = f"python -m experiments.findings {name}{options}"
        save(result, command, measure(name, full, seed), results_in(__file__))


if __name__ == "__main__":
    main()
