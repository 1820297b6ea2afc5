"""What an evaluation measures: of every image once, whatever their order, or nothing and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tui_latent.cli.comparison_table import comparison_text
from tui_latent.cli.sweep_table import run_table
from tui_latent.comparison import compare
from tui_latent.config.presets import load_preset
from tui_latent.config.settings import AugmentSettings, Preset
from tui_latent.datasets.image_set import Dataset, ImageSet
from tui_latent.datasets.pairing import make_pairing
from tui_latent.datasets.sources import load_dataset
from tui_latent.launch.progress import describe
from tui_latent.launch.run_result import result_of
from tui_latent.launch.start import create_run, train_run
from tui_latent.launch.sweep.conduct import TrialResult
from tui_latent.methods import METHODS
from tui_latent.methods.method import Method
from tui_latent.metrics.sample_order import drawn_order
from tui_latent.reports import export_report
from tui_latent.reports.numbers import report_numbers
from tui_latent.reports.samples import Samples
from tui_latent.runs.reader import RunReader
from tui_latent.runs.sweep_folder import SweepRun
from tui_latent.training.evaluator import VALIDATION_SEED, Evaluation, Evaluator

PRESETS: dict[str, str] = {
    "contrastive": "digits-contrastive-2d",
    "vicreg": "digits-vicreg",
    "triplet": "digits-triplet-2d",
    "pairs": "digits-siamese-vae-2d",
    "autoencoder": "digits-conv-autoencoder",
}


def small(name: str) -> Preset:
    changes: dict[str, object] = {"method.width": 4, "method.hidden_dim": 16}
    if name == "pairs":
        changes["method.pairing"] = "pairs"
    return load_preset(PRESETS[name], changes)


def reordered(images: ImageSet, rows: Tensor) -> ImageSet:
    return replace(
        images, images=images.images[rows], labels=images.labels[rows], targets=images.targets[rows]
    )


def no_autocast() -> torch.autocast:
    return torch.autocast("cpu", enabled=False)


def made(preset: Preset) -> tuple[Dataset, Method]:
    dataset = load_dataset(preset.data, 0, lambda _: None, torch.device("cpu"))
    torch.manual_seed(0)
    return dataset, METHODS[preset.method.name](preset.method, dataset.input_shape)


def evaluated(
    dataset: Dataset, method: Method, augment: AugmentSettings, batch_size: int = 64
) -> Evaluation:
    order = drawn_order(dataset.val.images, dataset.val.labels)
    kind = method.pairing
    held_out = None
    if kind != "none":
        held_out = make_pairing(kind, dataset.val, dataset, augment, order=order)
    return Evaluator(dataset, held_out, batch_size, lambda: None).evaluate(method, no_autocast)


@pytest.mark.parametrize("name", PRESETS)
def test_the_order_of_the_held_out_images_changes_no_figure(name: str) -> None:
    preset = small(name)
    dataset, method = made(preset)
    found = evaluated(dataset, method, preset.augment)
    by_class = dataset.val.labels.argsort(stable=True)
    backwards = torch.arange(len(dataset.val)).flip(0)
    for rows in (by_class, backwards):
        other = replace(dataset, val=reordered(dataset.val, rows))
        again = evaluated(other, method, preset.augment)
        assert again.metrics.keys() == found.metrics.keys()
        for metric, value in found.metrics.items():
            assert again.metrics[metric] == pytest.approx(value, rel=1e-4, abs=1e-5), metric
        assert found.confusion is not None and again.confusion is not None
        assert again.confusion.equal(found.confusion)


@pytest.mark.parametrize(
    ("batch_size", "sizes"),
    [(64, {59, 60}), (400, {359}), (2, {2, 3}), (50, {51, 52}), (359, {359}), (300, {359})],
)
def test_every_image_is_in_exactly_one_batch_of_nearly_one_size(
    batch_size: int, sizes: set[int]
) -> None:
    preset = small("contrastive")
    dataset, _ = made(preset)
    pairing = make_pairing("views", dataset.val, dataset, preset.augment)
    batches = Evaluator(dataset, pairing, batch_size, lambda: None)._drawn_batches()
    assert {len(rows) for rows in batches} == sizes
    assert torch.cat(batches).sort().values.tolist() == list(range(359))


class _Fixed(Method):
    """Its loss is the mean grey value: what counts each image once is the mean over all."""

    terms = ("grey",)
    pairing = "alone"

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)

    def weights(self) -> dict[str, float]:
        return {"grey": 1.0}

    def losses(self, batch: Any) -> dict[str, Tensor]:
        return {"grey": batch.target.mean()}

    def embed(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, 10:14]


def test_the_loss_is_the_mean_over_all_images_the_remainder_too() -> None:
    dataset, _ = made(small("contrastive"))
    pairing = make_pairing("alone", dataset.val, dataset, AugmentSettings())
    still = Evaluator(dataset, pairing, 50, lambda: None).evaluate(_Fixed(), no_autocast)
    mean = dataset.val.images.double().mean().item() / 255
    assert still.metrics["val/loss"] == pytest.approx(mean, rel=1e-6)


def test_alignment_is_that_of_all_images_not_of_the_first_batch() -> None:
    preset = small("contrastive")
    dataset, method = made(preset)
    pairing = make_pairing("views", dataset.val, dataset, preset.augment)
    evaluator = Evaluator(dataset, pairing, 50, lambda: None)
    found = evaluator.evaluate(method, no_autocast).metrics["latent/alignment"]
    method.eval()
    generator = torch.Generator()
    apart = []
    with torch.no_grad():
        for number, rows in enumerate(evaluator._drawn_batches()):
            generator.manual_seed(VALIDATION_SEED + number)
            one, other = method.embed(pairing.batch(rows, generator).x).double().chunk(2)
            for u, v in zip(one, other, strict=True):
                apart.append(float(((u / u.norm() - v / v.norm()) ** 2).sum()))
    assert len(apart) == 359
    assert found == pytest.approx(np.mean(apart), rel=1e-4)


def few(dataset: Dataset, train: list[int], val: list[int]) -> Dataset:
    rows, asked = torch.tensor(train), torch.tensor(val)
    return replace(dataset, train=reordered(dataset.train, rows), val=reordered(dataset.val, asked))


def test_fewer_training_images_than_neighbours_leave_those_out_with_the_reason() -> None:
    preset = small("contrastive")
    dataset, method = made(preset)
    found = evaluated(few(dataset, list(range(16)), list(range(40))), method, preset.augment)
    assert {"val/knn_1", "val/knn_5"} <= found.metrics.keys()
    assert found.missing == {
        "val/knn_20": "there are 16 training images to choose the 20 nearest from"
    }
    assert found.confusion is None


def test_one_held_out_image_has_no_figure_and_no_collapse() -> None:
    preset = small("contrastive")
    dataset, method = made(preset)
    found = evaluated(few(dataset, list(range(100)), [3]), method, preset.augment)
    assert found.metrics == {}
    wanted = {"val/loss", "val/info_nce", "val/knn_20", "latent/alignment", "latent/collapsed"}
    assert wanted <= found.missing.keys()
    assert all("one held-out image" in why for why in found.missing.values())


def test_latents_that_are_not_finite_end_no_evaluation() -> None:
    preset = small("contrastive")
    dataset, method = made(preset)
    with torch.no_grad():
        for parameter in method.parameters():
            parameter.fill_(torch.nan)
    found = evaluated(dataset, method, preset.augment)
    assert found.metrics == {}
    assert "val/loss" in found.missing and "val/knn_20" in found.missing
    assert all("not finite: training has diverged" in why for why in found.missing.values())


def test_a_run_with_few_training_images_says_once_why_a_figure_is_missing(tmp_path: Any) -> None:
    path = _run_of_few(tmp_path)
    snapshot = RunReader(path).refresh()
    assert "val/knn_20" not in snapshot.curves, "neither a number nor a curve of zeros"
    assert snapshot.newest("val/knn_20") is None and snapshot.status.best_knn_20 is None
    why = "there are 16 training images to choose the 20 nearest from"
    assert snapshot.missing["val/knn_20"] == why
    assert sum(why in line for line in snapshot.log) == 1
    assert snapshot.confusion is None
    result = result_of(snapshot)
    assert result["missing"] == {"val/knn_20": why} and "val/knn_20" not in result["metrics"]
    assert "kNN@20 –" in describe(snapshot)
    run = SweepRun("seed_1", {"train.seed": 1})
    head, row, reason = run_table([TrialResult(run, result)])
    assert row.split()[head.split().index("kNN@20")] == "–"
    assert reason == f"–  kNN@20: {why}"
    text = comparison_text(compare([snapshot, snapshot]))
    assert text.count(why) == 2, "once for each run"
    assert next(x for x in text.splitlines() if x.startswith("val/knn_20")).count("–") == 2
    numbers = report_numbers(snapshot, Samples("none", "none"))
    assert numbers.missing == {"val/knn_20": why} and "val/knn_20" not in numbers.metrics
    assert export_report(path).is_file()


def _run_of_few(tmp_path: Any) -> Any:
    random = np.random.default_rng(0)
    labels = np.arange(56) % 4
    images = (random.integers(0, 60, (56, 8, 8)) + 40 * labels[:, None, None]).astype(np.uint8)
    train, test = slice(0, 16), slice(16, None)
    np.savez(
        tmp_path / "few.npz",
        x_train=images[train],
        y_train=labels[train],
        x_test=images[test],
        y_test=labels[test],
    )
    changes: dict[str, object] = {
        "data.source": "arrays",
        "data.path": str(tmp_path / "few.npz"),
        "train.batch_size": 8,
        "train.epochs": 3,
        "train.eval_every": 1,
        "method.hidden_dim": 16,
    }
    preset = load_preset("digits-contrastive-2d", {"stages": [], **changes})
    path = create_run("few", preset, tmp_path / "runs")
    assert train_run(path).state == "finished"
    return path


@pytest.mark.parametrize("scale", [1.0, 1e-6])
def test_a_collapsed_projection_is_a_collapse_even_if_the_latents_vary(scale: float) -> None:
    """What the loss sees has become a point: the representation learns nothing more."""
    preset = small("vicreg")
    dataset, net = made(preset)
    with torch.no_grad():
        list(net.get_submodule("projector").parameters())[-1].mul_(scale)
    found = Evaluator(dataset, None, 64).evaluate(net, no_autocast).metrics
    projection = net.eval().projected(net.embed(dataset.inputs(dataset.val, torch.arange(359))))
    assert projection is not None
    expected = projection.double().std(0, correction=0).mean().item()
    assert found["latent/projection_std"] == pytest.approx(expected, rel=1e-4)
    assert found["latent/std_mean"] > 1e-3
    assert found["latent/collapsed"] == float(scale < 1)
