"""Better maps of digits, MNIST and Fashion-MNIST: what each change gives, and what it costs.

python -m experiments.maps digits                     every trial, three seeds, validation images
python -m experiments.maps digits --trial narrow --seeds 5
python -m experiments.maps digits --test narrow       the test images, once, five seeds
python -m experiments.maps digits --baselines         pixels and untrained networks, same images
python -m experiments.maps mnist --minutes 30         begin no training after 30 minutes
python -m experiments.maps mnist --busy               other programs run too: only CPU seconds count

Trials are compared on a share of the training images that takes no part in training, another share
for each seed. The test images are measured for one trial alone, the one that was chosen. A training
that has been measured is not repeated, so a command goes on where it was stopped. kNN is
scikit-learn's, in the plane, with the training images as the bank. CPU seconds are those of all
threads of the process, for the updates alone: on a busy machine they say more than the clock, whose
seconds are kept too.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from benchmarks.record import machine, results_in, write_json
from experiments.findings.study import INPUTS, UNTRAINED
from experiments.map_trials import TASKS, Task, Trial
from tui_latent.analysis.untrained import untrained_method
from tui_latent.config.presets import load_preset
from tui_latent.config.settings import Preset
from tui_latent.datasets.image_set import Dataset, ImageSet, in_chunks
from tui_latent.datasets.sources import channel_statistics, load_dataset
from tui_latent.methods.method import Method
from tui_latent.runtime.malloc import keep_freed_memory
from tui_latent.training.device import choose_device, limit_threads
from tui_latent.training.loop import TrainingLoop

NEIGHBOURS = 20
_CHUNK = 1000
_UNTRAINED_ON = 2000
"""training images that give the batch norms of an untrained network their statistics"""


def preset_of(task: Task, trial: Trial, seed: int) -> Preset:
    """Return the preset that a trial trains."""
    changes: dict[str, object] = {"train.seed": seed, **trial.changes}
    if (name := "stages") in changes:
        stages = changes.pop(name)
        plain = load_preset(task.preset, changes)
        return Preset.model_validate(plain.model_dump(mode="json") | {name: stages})
    return load_preset(task.preset, changes)


def with_validation(dataset: Dataset, share: float, seed: int) -> Dataset:
    """Return the training images alone: `share` of them, drawn by `seed`, is what is held out."""
    order = np.random.default_rng(1000 + seed).permutation(len(dataset.train))
    held_out = round(share * len(order))
    train = _taken(dataset.train, order[held_out:])
    mean, std = channel_statistics(in_chunks(train, 256))
    val = _taken(dataset.train, order[:held_out])
    return replace(dataset, train=train, val=val, mean=mean, std=std, own_test=False)


def _taken(images: ImageSet, rows: NDArray[np.int64]) -> ImageSet:
    chosen = torch.from_numpy(rows)
    return replace(
        images,
        images=images.images.index_select(0, chosen),
        labels=images.labels[chosen],
        targets=images.targets[chosen],
        places=None,
        columns=(),
    )


def trained(
    preset: Preset, dataset: Dataset, average: float
) -> tuple[Method, Dataset, dict[str, float]]:
    """Train; return the method in evaluation mode, its dataset, and the seconds of the updates."""
    loop = TrainingLoop(preset, dataset, choose_device(preset.train.device))
    averaged: nn.Module | None = None
    start, started = time.process_time(), time.perf_counter()
    while loop.done < loop.total_steps:
        loop.step()
        if average and loop.stage is loop.stages[-1]:
            if averaged is None:
                update = get_ema_multi_avg_fn(average)  # type: ignore[no-untyped-call]
                averaged = AveragedModel(loop.method, multi_avg_fn=update, use_buffers=True)
            averaged.update_parameters(loop.method)  # type: ignore[operator]
    seconds = {
        "cpu_seconds": round(time.process_time() - start, 1),
        "seconds": round(time.perf_counter() - started, 1),
        "threads": torch.get_num_threads(),
    }
    loop.close()
    method: Any = loop.method if averaged is None else averaged.module
    return method.eval(), loop.dataset, seconds


def embedded(method: Method, dataset: Dataset, images: ImageSet) -> NDArray[np.float32]:
    """Return the latents of a split, float32 (N, D)."""
    with torch.inference_mode():
        parts: list[Tensor] = [
            method.embed(dataset.of_stored(chunk)).float().cpu()
            for chunk in in_chunks(images, _CHUNK)
        ]
    return torch.cat(parts).numpy()


def measured(task: Task, trial: Trial, seed: int, dataset: Dataset) -> dict[str, float]:
    """Train a trial once; return its held-out accuracy, and seconds by the CPU and by the clock."""
    preset = preset_of(task, trial, seed)
    method, placed, seconds = trained(preset, dataset, trial.average)
    bank, queries = (embedded(method, placed, split) for split in (placed.train, placed.val))
    return {"knn": voted(placed, bank, queries), **seconds}


def baselines(task: Task, seed: int, dataset: Dataset) -> dict[str, dict[str, float]]:
    """Return the held-out accuracy of the pixels, and of the preset's network before training."""
    pixels = [split.images.flatten(1).numpy() for split in (dataset.train, dataset.val)]
    preset = load_preset(task.preset, {"train.seed": seed})
    rows = torch.randperm(len(dataset.train), generator=torch.Generator().manual_seed(seed))
    method = untrained_method(preset, dataset, rows[:_UNTRAINED_ON])
    untrained = [embedded(method, dataset, split) for split in (dataset.train, dataset.val)]
    return {
        name: {"knn": voted(dataset, *sides), "cpu_seconds": 0.0}
        for name, sides in ((UNTRAINED, untrained), (INPUTS, pixels))
    }


def voted(dataset: Dataset, bank: NDArray[np.generic], queries: NDArray[np.generic]) -> float:
    """Return the share of held-out images whose class the nearest training images vote for."""
    vote = KNeighborsClassifier(NEIGHBOURS).fit(bank, dataset.train.labels.cpu().numpy())
    return float((vote.predict(queries) == dataset.val.labels.cpu().numpy()).mean())


class Found:
    """What was measured of a task, in a file that is written after each training."""

    def __init__(self, name: str, results: Path) -> None:
        self._file = results / f"maps-{name}.json"
        self.content: dict[str, Any] = {"benchmark": "maps", "task": name, "val": {}, "test": {}}
        if self._file.exists():
            self.content |= json.loads(self._file.read_text())

    def has(self, split: str, trial: str, seed: int) -> bool:
        """Return whether a training has been measured."""
        return str(seed) in self.content[split].get(trial, {})

    def add(self, split: str, trial: str, seed: int, result: dict[str, float]) -> None:
        """Keep what was measured."""
        self.content[split].setdefault(trial, {})[str(seed)] = result
        if split == "val":
            self.content["threads"] = torch.get_num_threads()
        self.content["date"] = time.strftime("%Y-%m-%d")
        write_json(self._file, self.content | machine())


def _keep_baselines(task: Task, found: Found, seeds: int) -> None:
    for seed in range(seeds):
        images = load_dataset(preset_of(task, Trial(""), seed).data, seed=0)
        for split, data in (
            ("val", with_validation(images, task.share, seed)),
            ("test", images),
        ):
            if not found.has(split, INPUTS, seed):
                for name, result in baselines(task, seed, data).items():
                    found.add(split, name, seed, result)
                    print(f"{split} {name}, seed {seed}: kNN@{NEIGHBOURS} {result['knn']:.4f}")


def main() -> int:
    """Measure trials of a task; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m experiments.maps")
    parser.add_argument("task", choices=list(TASKS))
    parser.add_argument("--trial", action="append", help="one of them; several times for several")
    parser.add_argument("--seeds", type=int, default=0, help="3 for validation, 5 for the test")
    parser.add_argument("--test", metavar="TRIAL", help="measure this trial on the test images")
    parser.add_argument("--baselines", action="store_true", help="train nothing: what to beat")
    parser.add_argument("--busy", action="store_true", help="keep no seconds of the clock")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no training after these")
    asked = parser.parse_args()
    task, found = TASKS[asked.task], Found(asked.task, results_in(__file__))
    split = "test" if asked.test else "val"
    if asked.baselines:
        _keep_baselines(task, found, asked.seeds or 5)
        return 0
    chosen = [asked.test] if asked.test else asked.trial or list(task.trials)
    if unknown := [name for name in chosen if name not in task.trials]:
        parser.error(f"no trial '{unknown[0]}'; there are {', '.join(task.trials)}")
    measured_before = [name for name in found.content["test"] if name in task.trials]
    if others := [name for name in measured_before if asked.test not in (None, name)]:
        parser.error(
            f"the test images were measured for '{others[0]}' already: choose on the validation "
            "images, and report the test once"
        )
    keep_freed_memory()
    limit_threads()
    seeds = asked.seeds or (5 if asked.test else 3)
    loaded: dict[str, Dataset] = {}
    end = time.monotonic() + 60 * asked.minutes
    for seed in range(seeds):
        for name in chosen:
            if found.has(split, name, seed) or time.monotonic() > end:
                continue
            settings = preset_of(task, task.trials[name], seed).data
            key = settings.model_dump_json()
            images = loaded[key] = loaded.get(key) or load_dataset(settings, seed=0)
            data = images if asked.test else with_validation(images, task.share, seed)
            result = measured(task, task.trials[name], seed, data)
            if asked.busy:
                del result["seconds"]
            found.add(split, name, seed, result)
            print(
                f"{split} {name}, seed {seed}: kNN@{NEIGHBOURS} {result['knn']:.4f}, "
                f"{result['cpu_seconds']:.0f} s of CPU",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
