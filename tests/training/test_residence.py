"""Weights are the same, bit for bit, wherever the images lie; and what happens where they cannot
be read."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.datasets.conftest import data_folder  # noqa: F401  (a fixture)
from tests.training.conftest import SMALL, MakeRun
from tests.training.test_going_on import assert_same_curves
from tests.training.test_session import assert_same_weights, stop_at
from tests.waiting import until
from tui_latent.config.presets import load_preset
from tui_latent.config.settings import Preset
from tui_latent.config.tuning import with_values
from tui_latent.datasets.image_set import Dataset, pixels
from tui_latent.datasets.sources import load_dataset
from tui_latent.launch.fork import fork_run
from tui_latent.launch.start import train_run
from tui_latent.runs.reader import RunReader
from tui_latent.training.loop import TrainingLoop
from tui_latent.training.prefetch import PrefetchedImages
from tui_latent.training.residence import placed

pytestmark = pytest.mark.usefixtures("data_folder")
CPU = torch.device("cpu")
GPU = torch.device("cuda", 0)
Readers = Callable[[], list[threading.Thread]]
KINDS = {
    "views": "digits-contrastive-2d",
    "alone": "digits-conv-autoencoder",
    "pairs": "digits-siamese-vae-2d",
    "triplets": "digits-triplet-2d",
    "neighbours": "cifar10-vicreg-neighbours",
}


def preset_of(kind: str, resident: str, **changes: object) -> Preset:
    some: dict[str, object] = {"data.source": "digits", "data.resident": resident, "stages": []}
    overrides = SMALL | some | {key.replace("__", "."): value for key, value in changes.items()}
    if kind != "views":
        del overrides["method.head_dim"]
    if kind == "neighbours":
        overrides |= {"method.neighbours_run": "none", "method.network": "mlp"}
        overrides |= {f"augment.{name}": 0 for name in ("saturation", "hue", "grayscale")}
    return load_preset(KINDS[kind], overrides)


def loop_of(preset: Preset) -> TrainingLoop:
    dataset = load_dataset(preset.data, preset.train.seed)
    partners = torch.arange(4).repeat(len(dataset.train), 1)
    return TrainingLoop(preset, dataset, CPU, partners)


def weights(loop: TrainingLoop) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in loop.method.state_dict().items()}


def assert_equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert not [name for name in one if not torch.equal(one[name], other[name])]


@pytest.fixture
def readers() -> Readers:
    """Return the threads that read images, without those of earlier tests."""

    def found() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "images"}

    before = found()
    return lambda: list(found() - before)


@pytest.mark.parametrize("kind", KINDS)
def test_the_weights_are_the_same_from_memory_and_from_the_disk(kind: str) -> None:
    found = []
    for resident in ("device", "disk"):
        loop = loop_of(preset_of(kind, resident))
        assert isinstance(loop.images, PrefetchedImages) == (resident == "disk")
        losses = [loop.step()["loss"] for _ in range(loop.total_steps)]
        found.append(weights(loop) | {"losses": torch.stack(losses)})
        loop.close()
    assert_equal(*found)


@pytest.mark.parametrize("kind", ["views", "triplets"])
def test_a_resumed_training_goes_on_with_the_same_images(kind: str) -> None:
    whole = loop_of(preset_of(kind, "device"))
    for _ in range(whole.total_steps):
        whole.step()
    first = loop_of(preset_of(kind, "disk"))
    for _ in range(5):
        first.step()
    state = deepcopy(first.state_dict())
    first.close()
    for resident in ("device", "disk"):  # the place may change at a resume
        again = loop_of(preset_of(kind, resident))
        again.load_state_dict(deepcopy(state))
        while again.done < again.total_steps:
            again.step()
        assert_equal(weights(whole), weights(again))
        again.close()


def test_changes_between_two_steps_hold_for_images_that_were_read_already() -> None:
    found = []
    for resident in ("device", "disk"):
        loop = loop_of(preset_of("views", resident))
        for step in range(loop.total_steps):
            if step == 6:
                loop.tune(with_values(loop.preset, {"augment.rotate": 45.0}))
            loop.step()
        found.append(weights(loop))
        loop.close()
    assert_equal(*found)


def test_a_run_from_the_disk_is_a_run_from_memory_also_when_it_was_stopped(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, readers: Readers
) -> None:
    whole, broken = make_run(), make_run(data__resident="disk")
    train_run(whole)
    stop_at(monkeypatch, broken, 6)
    assert train_run(broken).state == "stopped"
    monkeypatch.undo()
    assert train_run(broken).state == "finished"
    assert_same_weights(whole, broken)
    assert_same_curves(whole, broken)
    until(lambda: not readers(), awaited="the end of the threads that read images")


def test_each_stage_from_the_disk_ends_as_from_memory() -> None:
    stages = [
        {"epochs": 1, "latent_dim": 8, "lr": 1e-3},
        {"epochs": 1, "latent_dim": 2, "lr": 1e-3, "trainable": "latent layer"},
        {"epochs": 1, "latent_dim": 2, "lr": 1e-4},
    ]
    found = []
    some = {name: value for name, value in SMALL.items() if name != "train.epochs"}
    for resident in ("device", "disk"):
        changes = some | {"data.resident": resident, "stages": stages}
        loop = loop_of(load_preset(KINDS["views"], changes))
        while loop.done < loop.total_steps:
            loop.step()
        assert loop.stage.index == len(stages) - 1
        found.append(weights(loop))
        loop.close()
    assert_equal(*found)


@pytest.mark.parametrize("resident", ["device", "disk"])
def test_a_fork_of_a_run_from_the_disk_ends_as_its_run_does(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, resident: str
) -> None:
    path = make_run(data__resident="disk")
    with monkeypatch.context() as patch:
        stop_at(patch, path, 6)
        assert train_run(path).state == "stopped"
    fork = fork_run(path, path.parent, overrides={"data.resident": resident}, name="fork")
    train_run(path)
    assert train_run(fork).state == "finished"
    assert_same_weights(path, fork)


def store_of(loop: TrainingLoop) -> Path:
    file = loop.pairing.images.file
    assert file is not None
    return Path(file.path)


def test_a_file_that_is_cut_short_fails_the_run_with_a_sentence(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, readers: Readers
) -> None:
    path, step = make_run(data__resident="disk"), TrainingLoop.step

    def cut(self: TrainingLoop) -> object:
        if self.done == 5:
            os.truncate(store_of(self), 200)
        return step(self)

    monkeypatch.setattr(TrainingLoop, "step", cut)
    status = train_run(path)
    assert status.state == "failed"
    assert status.error is not None and "the file has become shorter" in status.error
    assert "array-1-" in status.error
    monkeypatch.undo()
    assert train_run(path).state == "finished"  # the store is made again
    until(lambda: not readers(), awaited="the end of the threads that read images")


def test_the_thread_ends_with_a_loop_that_nobody_holds(readers: Readers) -> None:
    loop = loop_of(preset_of("views", "disk"))
    loop.step()
    assert len(readers()) == 1
    del loop
    gc.collect()
    until(lambda: not readers(), awaited="the end of the thread")


def test_no_more_than_the_steps_of_the_training_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = loop_of(preset_of("views", "disk", train__epochs=1))
    asked: list[int] = []
    rows = loop.sampler.rows

    def noted(step: int) -> Tensor:
        asked.append(step)
        return rows(step)

    monkeypatch.setattr(loop.sampler, "rows", noted)
    for _ in range(loop.total_steps):
        loop.step()
    loop.close()
    assert asked == list(range(loop.total_steps))


def test_the_same_images_are_stored_once(data_folder: Path) -> None:  # noqa: F811
    first = loop_of(preset_of("views", "disk"))
    made = {path: path.stat().st_mtime_ns for path in data_folder.rglob("array-*.npy")}
    assert len(made) == 2  # training and held-out images
    second = loop_of(preset_of("alone", "disk"))
    assert {path: path.stat().st_mtime_ns for path in data_folder.rglob("array-*.npy")} == made
    for loop in (first, second):
        loop.close()


def stays(dataset: Dataset, _: torch.device) -> Dataset:
    """Stand for a dataset whose images stay where they are, for work on another device."""
    elsewhere = dataset.train.labels.to("meta")
    return replace(dataset, name="stays", train=replace(dataset.train, labels=elsewhere))


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A GPU with room to be set; what is moved there stays where it is."""
    has = {"free": 0, "step": 0}
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (has["free"], 80 << 30))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 0)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 0)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA A")
    monkeypatch.setattr(Dataset, "to", lambda self, device: self)
    monkeypatch.setattr(Dataset, "beside", stays)
    return has


def test_images_go_to_a_gpu_where_a_measured_step_still_fits(gpu: dict[str, int]) -> None:
    preset, log = preset_of("views", "auto"), list[str]()
    dataset = load_dataset(preset.data, 0)
    gpu["free"] = 3 << 30
    assert placed(dataset, preset, GPU, lambda: gpu["step"], log.append) is dataset
    assert log[-1].startswith("images: on cuda:0 NVIDIA A: ") and "3.2 GB is free" in log[-1]
    held = dataset.train.nbytes + dataset.val.nbytes + 16 * (len(dataset.train) + len(dataset.val))
    gpu.update(free=7 * held, step=0)
    kept = placed(dataset, preset, GPU, lambda: gpu["step"], log.append)
    assert kept.name == "stays"  # 1 GiB is left to others
    assert log[-1].startswith("images: in memory, read two steps ahead") and "measured" in log[-1]


def test_a_mapped_file_stays_one_where_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    preset = preset_of("views", "disk")
    mapped = load_dataset(preset.data, 0)
    auto, log = preset_of("views", "auto"), list[str]()
    needed = sum(split.nbytes + 16 * len(split) for split in (mapped.train, mapped.val))
    free = {"bytes": 2 * needed}
    monkeypatch.setattr("tui_latent.training.residence.free_memory", lambda device: free["bytes"])
    here = placed(mapped, auto, CPU, lambda: 0, log.append)
    assert here.train.file is None and log[-1].startswith("images: in memory")
    free["bytes"] -= 2
    there = placed(mapped, auto, CPU, lambda: 0, log.append)
    assert there.train.file is not None and log[-1].startswith("images: on disk")
    rows = torch.tensor([5, 0, 7])
    assert torch.equal(pixels(here.train, rows), pixels(there.train, rows))


def test_the_log_of_a_run_says_where_the_images_lie(make_run: MakeRun) -> None:
    path = make_run(data__resident="disk")
    train_run(path)
    log = RunReader(path).refresh().log
    assert any("images: on disk, read two steps ahead" in line for line in log), log
