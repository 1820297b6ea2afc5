"""Writes the tables of README.md and SPEEDRUN.md from the JSON files that the benchmarks left.

python -m benchmarks.tables
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import predictions, speedrun
from benchmarks.record import NOT_RUN, RESULTS, Row, results_in, table
from benchmarks.speedrun.divisions import LEAST_SEEDS, RACES

README = Path(__file__).with_name("README.md")
SPEEDRUN = Path(__file__).with_name("SPEEDRUN.md")
MARK = "<!-- tables -->\n"
SHOWN = (
    *("startup", "screen", "keys", "explorer", "viewer", "evaluate"),
    *("data_store", "watch", "pipeline", "two_trainings", "lightly_step", "augmentation"),
    *("neighbours", "open_vectors"),
    *("gpu", "count_kernels", "choices", "scaling", "profiles"),
)
"""in this order, if they were run"""


def section(result: dict[str, Any]) -> str:
    """Return one benchmark's table under its command, hardware and versions."""
    hardware, versions = result["hardware"], result["versions"]
    machine = f"{hardware['cpu']}, {hardware['cores']} cores, GPU {hardware['gpu']}"
    software = ", ".join(f"{name} {versions[name]}" for name in ("python", "torch", "textual"))
    # GPU rows that were not run are in the table of GPU goals.
    rows = [Row(**row) for row in result["rows"] if row["measured"] != NOT_RUN]
    return f"`{result['command']}` · {result['date']} · {machine} · {software}\n\n{table(rows)}\n"


def proofs(results: Path) -> str:
    """Return the proofs of the race, one row for each division."""
    titles = ("division", "entry", "machine", "kNN@20 (lower bound)", "seconds (CPU)", "verdict")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for name in RACES:
        file = results / f"speedrun-{name}.json"
        cells = _proof(json.loads(file.read_text())) if file.exists() else _no_proof(name)
        lines.append(f"| {' | '.join((f'`{name}`', *cells))} |")
    return "\n".join(lines) + "\n"


def _proof(found: dict[str, Any]) -> tuple[str, ...]:
    results, said, hardware = found["results"], found["summary"], found["hardware"]
    cpu = sum(result["cpu_seconds"] for result in results) / len(results)
    on = (
        hardware["gpu"]
        if found["device"] != "cpu"
        else f"{hardware['cpu']}, {hardware['cores']} cores"
    )
    return (
        f"`{found['source']['entry']}` at {found['source']['commit'][:7]}",
        f"{on}, torch {found['versions']['torch']}",
        f"{said['mean_knn']:.4f} ({said['lower_bound']:.4f}), {len(results)} seeds",
        f"{said['mean_seconds']:.0f} ({cpu:.0f})",
        f"{said['verdict']}, {found['date']}",
    )


def _no_proof(name: str) -> tuple[str, ...]:
    device = "" if RACES[name].jpegs else " --device cuda"
    command = f"`python -m benchmarks.speedrun --division {name}{device}`"
    return ("–", "–", "–", "–", f"not run: {command}, {LEAST_SEEDS} seeds")


def fill(page: Path, tables: str) -> None:
    """Replace everything after the mark."""
    head = page.read_text().partition(MARK)[0]
    page.write_text(head + MARK + "\n" + tables)


def main() -> None:
    """Fill the pages."""
    files = [RESULTS / f"{name}{end}.json" for name in SHOWN for end in ("", "-cuda")]
    results = [json.loads(file.read_text()) for file in files if file.exists()]
    fill(README, "\n".join([predictions.section(), *map(section, results)]))
    fill(SPEEDRUN, proofs(results_in(speedrun.__file__)))


if __name__ == "__main__":
    main()
