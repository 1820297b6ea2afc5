"""Trains the variants of a study, and keeps what was measured: one JSON file for each study.

A trial is one variant with one seed. Those in the file are not trained again unless their command
has changed, so a study that was stopped goes on with the same command, and more seeds add to it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks.record import machine, results_in, write_json
from experiments.findings.finished import Counts, Finished
from experiments.findings.study import UNTRAINED, Numbers, Study, Variant
from tui_latent.config.presets import load_preset, load_run_preset, parse_override
from tui_latent.datasets.paths import data_folder
from tui_latent.launch.start import create_run, train_run, with_absolute_paths
from tui_latent.runtime.versions import version_of

JPEGS = "cifar10-jpeg"
"""a folder of CIFAR-10 as image files in the data folder; without it, torchvision's is used"""
RESULTS = results_in(str(Path(__file__).parent)) / "findings"


@dataclass(frozen=True)
class Trial:
    """What one variant came to with one seed."""

    variant: str
    seed: int
    command: str
    """that trains it; of an untrained network or pixels, that of the run they are compared with"""
    validation: Numbers = field(default_factory=dict)
    test: Numbers = field(default_factory=dict)
    cpu_seconds: float = 0.0
    """of training and measuring; 0 of what is not trained"""
    date: str = ""
    device: str = ""
    version: str = ""


def file_of(name: str, full: bool) -> Path:
    """Return the file of a study's trials."""
    return RESULTS / f"{name}{'-full' if full else ''}.json"


def read(name: str, full: bool) -> list[Trial]:
    """Return the trials of a study so far."""
    path = file_of(name, full)
    if not path.exists():
        return []
    return [Trial(**trial) for trial in json.loads(path.read_text())["trials"]]


def save(name: str, full: bool, command: str, trials: list[Trial]) -> None:
    """Write all trials of a study, with the machine of the newest."""
    known: dict[str, Any] = {"study": name, "command": command, **machine()}
    write_json(file_of(name, full), known | {"trials": [asdict(trial) for trial in trials]})


def command_of(study: Study, variant: Variant, full: bool, seed: int) -> str:
    """Return the command that trains a trial, with paths as in a shell."""
    words = ["tui-latent train", study.preset(variant, full), "--seed", str(seed)]
    for change in changes_of(study, variant, full):
        words += ["--set", change]
    if variant.earlier:
        words += ["--set", f"method.neighbours_run={run_name(variant.earlier, seed)}"]
    return " ".join([*words, "--name", run_name(variant.label, seed)])


def changes_of(study: Study, variant: Variant, full: bool) -> list[str]:
    """Return what is changed of a variant's preset, each setting once."""
    changes = (*_images(variant), *study.settings(variant, full))
    return list({change.partition("=")[0]: change for change in changes}.values())


def run_name(label: str, seed: int) -> str:
    """Return the name of a variant's run."""
    plain = re.sub("[^A-Za-z0-9.]+", "-", label).strip("-")
    return f"{plain}-seed-{seed}"


def missing(
    study: Study, full: bool, seeds: int, trials: list[Trial]
) -> Iterator[tuple[Variant, int]]:
    """Yield what is not measured yet, seed by seed, so that a stopped study has whole seeds.

    A variant whose untrained network has a row of its own is measured only with it.
    """
    done = {(trial.variant, trial.seed, trial.command) for trial in trials}
    for seed in range(seeds):
        for variant in study.variants:
            command = command_of(study, variant, full, seed)
            labels = [variant.label, *([study.untrained(variant)] if variant.untrained else [])]
            if any((label, seed, command) not in done for label in labels):
                yield variant, seed


def run(
    study: Study, variant: Variant, full: bool, seed: int, runs: Path, counts: Counts
) -> list[Trial]:
    """Train a variant, or go on with it, and measure it; some with their references."""
    command = command_of(study, variant, full, seed)
    print(command, file=sys.stderr, flush=True)
    started = time.process_time()
    path = trained(study, variant, full, seed, runs)
    finished = Finished(path, counts)
    device = json.loads((path / "status.json").read_text())["device"]
    about = {
        "date": time.strftime("%Y-%m-%d"),
        "device": device,
        "version": version_of("tui-latent"),
    }
    validation, test = study.measure(finished)
    seconds = time.process_time() - started
    found = [Trial(variant.label, seed, command, validation, test, round(seconds, 1), **about)]
    if study.references is not None and (untrained := study.untrained(variant)):
        others: Mapping[str, Numbers] = study.references(finished)
        found += [
            Trial(untrained if label == UNTRAINED else label, seed, command, {}, numbers, **about)
            for label, numbers in others.items()
            if label == UNTRAINED or variant is study.variants[0]
        ]
    return found


def trained(study: Study, variant: Variant, full: bool, seed: int, runs: Path) -> Path:
    """Return the finished run of a variant; SystemExit when it fails, or another has its name."""
    name = run_name(variant.label, seed)
    changes = [*changes_of(study, variant, full), f"train.seed={seed}"]
    if variant.earlier:
        earlier = next(v for v in study.variants if v.label == variant.earlier)
        path = trained(study, earlier, full, seed, runs)
        changes.append(f"method.neighbours_run={path}")
    given = [change.replace("$TUI_LATENT_DATA", str(data_folder())) for change in changes]
    preset_name = study.preset(variant, full)
    preset = load_preset(preset_name, dict(map(parse_override, given)))
    path = runs / name
    if not path.is_dir():
        create_run(preset_name, preset, runs, name)
    elif load_run_preset(path) != with_absolute_paths(preset, runs):
        raise SystemExit(f"{path} was trained with other settings: remove it, or use other --runs")
    if json.loads((path / "status.json").read_text())["state"] != "finished":
        status = train_run(path)
        if status.state != "finished":
            raise SystemExit(f"{path}: {status.state} {status.error}")
    return path


def _images(variant: Variant) -> tuple[str, ...]:
    if variant.preset.startswith("cifar10") and (data_folder() / JPEGS).is_dir():
        return ("data.source=folder", "data.size=32", f"data.path=$TUI_LATENT_DATA/{JPEGS}")
    return ()


def threads_of(count: int) -> None:
    """Compute with as many threads from now on; results differ in their last bits by it."""
    os.environ["OMP_NUM_THREADS"] = str(count)
    torch.set_num_threads(count)
