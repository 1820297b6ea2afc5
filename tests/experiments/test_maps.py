"""What is tried for better maps: which images choose, and that the test is measured once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from experiments import maps
from experiments.map_tables import section
from experiments.map_trials import TASKS, Task, Trial
from tui_latent.config.presets import load_preset
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.sources import load_dataset
from tui_latent.training.loop import TrainingLoop

SHORT = {
    "stages.*.epochs": 1,
    "method.width": 1,
    "method.hidden_dim": 8,
    "method.head_dim": 8,
}


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset(load_preset("digits-contrastive-2d").data, seed=0)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    trials = {"one": Trial("short", SHORT), "two": Trial("short, averaged", SHORT, 0.5)}
    monkeypatch.setattr(maps, "results_in", lambda module: tmp_path)
    monkeypatch.setattr(maps, "TASKS", {"tiny": Task("digits-contrastive-2d", 0.2, "", trials)})
    monkeypatch.setattr(maps, "machine", dict)
    return tmp_path / "maps-tiny.json"


def ran(*words: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["maps", "tiny", *words])
    return maps.main()


def images_of(dataset: Dataset) -> tuple[set[bytes], set[bytes]]:
    splits = (dataset.train.images, dataset.val.images)
    return tuple({image.numpy().tobytes() for image in images} for images in splits)  # type: ignore[return-value]


def test_validation_images_are_training_images_and_take_no_part(digits: Dataset) -> None:
    train, test = images_of(digits)
    seen = [images_of(maps.with_validation(digits, 0.2, seed)) for seed in (0, 1)]
    for fitted, validation in seen:
        assert fitted | validation == train
        assert not fitted & validation and not validation & (test - train)
        assert len(validation) == pytest.approx(0.2 * len(train), abs=1)
    assert seen[0] != seen[1]


def test_validation_images_are_drawn_without_labels(digits: Dataset) -> None:
    shuffled = torch.from_numpy(np.random.default_rng(0).permutation(digits.train.labels.numpy()))
    labels = {"labels": shuffled, "targets": shuffled}
    other = Dataset(
        **(vars(digits) | {"train": type(digits.train)(**(vars(digits.train) | labels))})
    )
    drawn = [maps.with_validation(data, 0.2, 0) for data in (digits, other)]
    assert torch.equal(drawn[0].val.images, drawn[1].val.images)


@pytest.mark.slow
def test_averaged_weights_are_those_of_a_plain_loop(digits: Dataset) -> None:
    """Over the last stage, batch norm's statistics included."""
    preset = load_preset("digits-contrastive-2d", {**SHORT, "train.batch_size": 512})
    method, _, _ = maps.trained(preset, digits, 0.5)
    loop = TrainingLoop(preset, digits, torch.device("cpu"))
    mean: dict[str, torch.Tensor] = {}
    while loop.done < loop.total_steps:
        loop.step()
        if loop.stage is loop.stages[-1]:
            now = {name: value.double() for name, value in loop.method.state_dict().items()}
            mean = {n: 0.5 * mean[n] + 0.5 * v for n, v in now.items()} if mean else now
    for name, value in method.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value.double(), mean[name], rtol=1e-5, atol=1e-6)


def test_what_was_measured_is_not_trained_again(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran("--trial", "one", "--seeds", "1", monkeypatch=monkeypatch) == 0
    assert ran("--seeds", "1", "--minutes", "0", monkeypatch=monkeypatch) == 0
    assert ran("--seeds", "1", monkeypatch=monkeypatch) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["val one, seed 0", "val two, seed 0"]
    found = json.loads(results.read_text())["val"]
    assert all(0 <= found[name]["0"]["knn"] <= 1 for name in ("one", "two"))


def test_the_test_images_are_measured_for_one_trial_alone(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran("--test", "one", "--seeds", "1", monkeypatch=monkeypatch) == 0
    with pytest.raises(SystemExit):
        ran("--test", "two", "--seeds", "1", monkeypatch=monkeypatch)
    assert "were measured for 'one' already" in capsys.readouterr().err
    assert list(json.loads(results.read_text())["test"]) == ["one"]


def test_baselines_are_measured_on_the_same_images_without_training(
    results: Path, monkeypatch: pytest.MonkeyPatch, digits: Dataset
) -> None:
    assert ran("--baselines", "--seeds", "1", monkeypatch=monkeypatch) == 0
    found = json.loads(results.read_text())
    for split, data in (("val", maps.with_validation(digits, 0.2, 0)), ("test", digits)):
        vote = KNeighborsClassifier(20).fit(data.train.images.flatten(1), data.train.labels)
        expected = vote.score(data.val.images.flatten(1), data.val.labels)
        assert found[split]["pixels"]["0"]["knn"] == pytest.approx(expected)
        assert found[split]["untrained network"]["0"]["knn"] < expected
    assert ran("--test", "one", "--seeds", "1", monkeypatch=monkeypatch) == 0


@pytest.mark.parametrize("name", list(TASKS))
def test_every_trial_is_a_preset_that_ends_in_the_plane(name: str) -> None:
    task = TASKS[name]
    for trial in task.trials.values():
        preset = maps.preset_of(task, trial, seed=3)
        assert preset.train.seed == 3
        assert preset.training_stages()[-1].latent_dim == 2
        assert not preset.method.supervised


def test_the_table_has_means_over_seeds_and_the_commands_that_are_left(tmp_path: Path) -> None:
    seeds = {"0": {"knn": 0.9, "cpu_seconds": 10}, "1": {"knn": 0.8, "cpu_seconds": 20}}
    clock = {"seconds": 6.5, "threads": 2}
    found = {
        "date": "2026-01-01",
        "threads": 1,
        "hardware": {"cpu": "a processor", "cores": 2},
        "versions": {"torch": "2"},
        "val": {
            "pixels": {"0": {"knn": 0.6, "cpu_seconds": 0}, "1": {"knn": 0.8, "cpu_seconds": 0}},
            "narrow": seeds,
            "before": {s: {"knn": 0.8, "cpu_seconds": 20} for s in ("0", "1")},
        },
        "test": {
            "pixels": {"0": {"knn": 0.97, "cpu_seconds": 0}},
            "narrow": {"0": {"knn": 0.95, "cpu_seconds": 12}},
            "narrow-small-batch-faster": {
                s: {"knn": 0.9, "cpu_seconds": 12} | clock for s in ("0", "1")
            },
        },
        "earlier": {"before": {"0": {"knn": 0.9, "cpu_seconds": 12, "threads": 1}}},
    }
    (tmp_path / "maps-digits.json").write_text(json.dumps(found))
    text = section(tmp_path)
    assert (
        "| narrow | half the units: a third of the arithmetic | 2 | 0.8500 ± 0.0707 | 15.0 |"
        in text
    )
    assert "| before | as the preset was in version 0.1: batches of 256 | 2 | 0.8000" in text
    half = 12.7062 * 0.0707107 / 2**0.5  # Student's t, two seeds
    assert f"| +0.050 [{0.05 - half:+.3f}, {0.05 + half:+.3f}] |" in text
    assert "| pixels | nothing is trained | 2 | 0.7000 ± 0.1414 | – | – |" in text
    assert text.index("| before |") < text.index("| narrow |") < text.index("| pixels |")
    assert "Test images: narrow, kNN@20 0.9500, 1 seed, 12.0 s of CPU (" in text
    assert "2 seeds, 12.0 s of CPU, 6.5 s by the clock, 2 threads (" in text
    assert "The same images, pixels: kNN@20 0.9700, 1 seed." in text
    assert "Test images, measured earlier: before, kNN@20 0.9000, 1 seed, 1 thread." in text
    assert "Not run: `python -m experiments.maps mnist-long`" in text
