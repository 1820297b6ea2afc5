"""The section of docs/RESULTS.md on one study, from the trials that are in its file."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from math import isnan
from typing import Final

from experiments.findings.statistics import difference, spread
from experiments.findings.study import INPUTS, Choice, Column, Comparison, Study
from experiments.findings.trials import Trial, file_of, read

_DASH: Final = "–"
_OLDER: Final = (
    "Trained by version {}: no training images were held out, settings had been chosen by the test "
    "images, and where images were limited, as many of each class were taken."
)


def section(name: str, study: Study) -> str:
    """Return heading, tables and commands of a study: on a subset, and at the published size."""
    parts = [f"## {study.heading}\n\n{study.about}\n"]
    for full in (False, True):
        if trials := read(name, full):
            parts += ["\n".join(_tables(study, trials)), _source(name, full, trials)]
    command = f"python -m experiments.findings {name} --seeds {study.seeds}"
    if not read(name, full=True):
        if not read(name, full=False):
            parts.append(f"On a subset: not run. `{command}`\n")
        parts.append(f"At the published size: not run. `{command} --full`\n")
    return "\n".join(parts)


def _tables(study: Study, trials: Sequence[Trial]) -> list[str]:
    lines = _variants(study, study.columns, trials)
    if study.more_columns:
        lines += ["", *_variants(study, study.more_columns, trials)]
    compared = [_comparison(each, trials) for each in study.comparisons]
    if any(compared):
        lines += [
            "",
            "| finding | published | measure | difference [95 % interval] | p | seeds | ours |",
            "|---|---|---|---|---|---|---|",
            *filter(None, compared),
        ]
    chosen = [_choice(each, trials) for each in study.choices]
    if any(chosen):
        lines += [
            "",
            "| chosen by the validation images | best | measure | validation | test |",
            "|---|---|---|---|---|",
            *filter(None, chosen),
        ]
    return [*lines, ""]


def _variants(study: Study, columns: Sequence[Column], trials: Sequence[Trial]) -> list[str]:
    published = (study.published or {}) if columns is study.columns else {}
    columns = [c for c in columns if any(c.measure in trial.test for trial in trials)]
    headings = [column.heading for column in columns]
    titles = ["variant", *(["published"] if published else []), *headings, "seeds", "CPU seconds"]
    lines = [f"| {' | '.join(titles)} |", "|" + "---|" * len(titles)]
    for label in study.rows():
        if mine := _of(label, trials):
            cells = [_mean(mine, column) for column in columns]
            said = [published.get(label, _DASH)] if published else []
            seconds = sum(trial.cpu_seconds for trial in mine) / len(mine)
            cost = f"{seconds:,.0f}" if seconds else _DASH
            row = [label, *said, *cells, str(len(mine)), cost]
            lines.append(f"| {' | '.join(row)} |")
    return lines


def _of(label: str, trials: Sequence[Trial]) -> list[Trial]:
    return sorted((t for t in trials if t.variant == label), key=lambda trial: trial.seed)


def _mean(trials: Sequence[Trial], column: Column) -> str:
    values = [t.test[column.measure] for t in trials if column.measure in t.test]
    if not values:
        return _DASH
    found = spread(values)
    mean = f"{found.mean:.{column.decimals}f}"
    return mean if isnan(found.deviation) else f"{mean} ± {found.deviation:.{column.decimals}f}"


def _comparison(asked: Comparison, trials: Sequence[Trial]) -> str:
    """Return the row of a comparison by the seeds that both have; empty without one.

    Pixels that were measured once are the same for every seed.
    """
    of_first, of_second = (
        {t.seed: t.test[asked.measure] for t in _of(label, trials) if asked.measure in t.test}
        for label in (asked.first, asked.second)
    )
    if asked.second == INPUTS and len(of_second) == 1:
        of_second = dict.fromkeys(of_first, *of_second.values())
    seeds = sorted(of_first.keys() & of_second.keys())
    if not seeds:
        return ""
    found = difference([of_first[s] for s in seeds], [of_second[s] for s in seeds])
    interval = "" if isnan(found.low) else f" [{found.low:+.3f}, {found.high:+.3f}]"
    p = _DASH if isnan(found.p) else "< 0.001" if found.p < 0.001 else f"{found.p:.3f}"
    cells = (
        *(asked.claim, asked.published, f"`{asked.measure}`", f"{found.mean:+.3f}{interval}", p),
        *(str(found.seeds), found.shows(asked.larger)),
    )
    return f"| {' | '.join(cells)} |"


def _choice(asked: Choice, trials: Sequence[Trial]) -> str:
    """Return the variant with the best mean of the validation images, and its test."""
    values = {
        label: [t.validation[asked.measure] for t in mine]
        for label in asked.among
        if (mine := _of(label, trials))
    }
    if len(values) < len(asked.among):
        return ""
    means = {label: spread(found).mean for label, found in values.items()}
    best = max(means, key=means.__getitem__)
    test = _mean(_of(best, trials), Column(asked.measure, ""))
    return f"| {asked.what} | {best} | `{asked.measure}` | {means[best]:.3f} | {test} |"


def _source(name: str, full: bool, trials: Sequence[Trial]) -> str:
    result = json.loads(file_of(name, full).read_text())
    hardware, versions = result["hardware"], result["versions"]
    dates = sorted({trial.date for trial in trials})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    machine = f"{hardware['cpu']}, GPU {hardware['gpu']}, torch {versions['torch']}"
    # Some results say "1 threads".
    devices = ", ".join(sorted({re.sub(r"\b1 threads", "1 thread", t.device) for t in trials}))
    older = sorted({t.version for t in trials if t.version.startswith("0.1")})
    said = f" {_OLDER.format(', '.join(older))}" if older else ""
    file = file_of(name, full).relative_to(file_of(name, full).parents[3])
    return (
        f"`{result['command']}` · {when} · {machine}, {devices}. The command of each training is "
        f"in [{file.name}](../{file}).{said}\n"
    )
