"""The table of what was tried for better maps, from the JSON files of `experiments.maps`."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from experiments.findings.statistics import difference
from experiments.findings.study import INPUTS, UNTRAINED
from experiments.map_trials import TASKS, Task

_HEAD = """## Better maps: what each change gives

Each trial is a preset with changes. kNN@20 in the plane, on validation images: a share of the \
training images that takes no part in training, another one for each seed. The trial with the best \
mean is chosen, and the test images, the same for every seed, are measured for it alone; the \
spread is therefore that of seeds, and not that of test images. The last column is the paired \
difference to the first trial with its 95 % interval: where it contains 0, the trial was chosen \
or passed over, but nothing is shown. It is not corrected for the number of trials. CPU seconds \
are those of the updates, by all threads; those of the trials were measured on a busy machine, \
where the same work takes up to half as long again.
"""
_EVERY = (
    "trial",
    "what is tried",
    "seeds",
    "kNN@20, validation",
    "CPU seconds",
    "difference to the first [95 %]",
)
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
    first = next(trial for trial in task.trials if trial in found["val"])
    order = [*task.trials, UNTRAINED, INPUTS]
    of_val, of_test = (
        sorted(found[split].items(), key=lambda each: order.index(each[0]))
        for split in ("val", "test")
    )
    yield from (_row(task, trial, seeds, found["val"][first]) for trial, seeds in of_val)
    yield ""
    for trial, seeds in of_test:
        yield _test(name, trial, seeds)
    for trial, seeds in found.get("earlier", {}).items():
        yield f"Test images, measured earlier: {trial}, {_measured(seeds)}{_threads(seeds)}.\n"


def _row(task: Task, trial: str, seeds: Measured, first: Measured) -> str:
    trained = trial in task.trials
    why = task.trials[trial].why if trained else "nothing is trained"
    seconds = statistics.mean(each["cpu_seconds"] for each in seeds.values())
    cells = [trial, why, str(len(seeds)), _spread(seeds), f"{seconds:.1f}" if trained else "–"]
    return f"| {' | '.join([*cells, _gain(seeds, first) if trained else '–'])} |"


def _gain(seeds: Measured, first: Measured) -> str:
    """Return the difference to another trial by the seeds that both have, with its interval."""
    both = sorted(seeds.keys() & first.keys())
    if seeds == first or len(both) < 2:
        return "–"
    found = difference([seeds[s]["knn"] for s in both], [first[s]["knn"] for s in both])
    return f"{found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def _test(name: str, trial: str, seeds: Measured) -> str:
    if trial in (UNTRAINED, INPUTS):
        return f"The same images, {trial}: {_measured(seeds)}.\n"
    seconds = statistics.mean(each["cpu_seconds"] for each in seeds.values())
    time = f"{seconds:.1f} s of CPU"
    if all("seconds" in each for each in seeds.values()):
        clock = statistics.mean(each["seconds"] for each in seeds.values())
        time += f", {clock:.1f} s by the clock{_threads(seeds)}"
    command = f"python -m experiments.maps {name} --test {trial}"
    return f"Test images: {trial}, {_measured(seeds)}, {time} (`{command}`).\n"


def _measured(seeds: Measured) -> str:
    return f"kNN@20 {_spread(seeds)}, {len(seeds)} seed{'s' * (len(seeds) != 1)}"


def _threads(seeds: Measured) -> str:
    threads = {each.get("threads") for each in seeds.values()} - {None}
    return "".join(f", {count:.0f} thread{'s' * (count != 1)}" for count in threads if count)


def _spread(seeds: Measured) -> str:
    """Return the mean over the seeds, and their standard deviation where there are two."""
    scores: list[Any] = [each["knn"] for each in seeds.values()]
    mean = f"{statistics.mean(scores):.4f}"
    return f"{mean} ± {statistics.stdev(scores):.4f}" if len(scores) > 1 else mean
