"""The table of what was tried for better maps, from the JSON files of `experiments.maps`."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from experiments.map_trials import TASKS, Task

_HEAD = """## Better maps: what each change gives

Each trial is a preset with changes. kNN@20 in the plane, on validation images: a share of the \
training images that takes no part in training, another one for each seed. The test images are \
measured for the trial that was chosen, and for no other. CPU seconds are those of the updates, \
by all threads.
"""
_EVERY = ("trial", "what is tried", "seeds", "kNN@20, validation", "CPU seconds")
Measured = Mapping[str, Mapping[str, float]]
"""seed -> accuracy and CPU seconds"""


def section(results: Path) -> str:
    """Return the tables of every task, and the commands of what was not run."""
    return "\n".join([_HEAD, *(line for name in TASKS for line in _task(name, results))])


def _task(name: str, results: Path) -> Iterator[str]:
    task, command = TASKS[name], f"python -m experiments.maps {name}"
    file = results / f"maps-{name}.json"
    yield f"### {task.preset}; goal {task.goal}\n"
    if not file.exists():
        yield f"Not run: `{command}`, then `{command} --test TRIAL`.\n"
        return
    found = json.loads(file.read_text())
    hardware = found["hardware"]
    yield (
        f"`{command}` · {found['date']} · {hardware['cpu']}, {hardware['cores']} cores, "
        f"{found['threads']} thread{'s' * (found['threads'] != 1)} · "
        f"torch {found['versions']['torch']}\n"
    )
    yield f"| {' | '.join(_EVERY)} |\n|{'---|' * len(_EVERY)}"
    yield from (_row(task, trial, seeds) for trial, seeds in found["val"].items())
    yield ""
    yield from (_test(name, trial, seeds) for trial, seeds in found["test"].items())


def _row(task: Task, trial: str, seeds: Measured) -> str:
    why = task.trials[trial].why if trial in task.trials else "no longer tried"
    seconds = statistics.mean(each["cpu_seconds"] for each in seeds.values())
    return f"| {trial} | {why} | {len(seeds)} | {_spread(seeds)} | {seconds:.1f} |"


def _test(name: str, trial: str, seeds: Measured) -> str:
    seconds = statistics.mean(each["cpu_seconds"] for each in seeds.values())
    return (
        f"Test images: {trial}, kNN@20 {_spread(seeds)}, {len(seeds)} "
        f"seed{'s' * (len(seeds) != 1)}, {seconds:.1f} s of CPU "
        f"(`python -m experiments.maps {name} --test {trial}`).\n"
    )


def _spread(seeds: Measured) -> str:
    """Return the mean over the seeds, and their standard deviation where there are two."""
    scores: list[Any] = [each["knn"] for each in seeds.values()]
    mean = f"{statistics.mean(scores):.4f}"
    return f"{mean} ± {statistics.stdev(scores):.4f}" if len(scores) > 1 else mean
