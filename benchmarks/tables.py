"""Writes the tables of README.md from the JSON files that the benchmarks left.

python -m benchmarks.tables
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import predictions
from benchmarks.record import NOT_RUN, RESULTS, Row, table

README = Path(__file__).with_name("README.md")
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


def fill(page: Path, tables: str) -> None:
    """Replace everything after the mark."""
    head = page.read_text().partition(MARK)[0]
    page.write_text(head + MARK + "\n" + tables)


def main() -> None:
    """Fill the page."""
    files = [RESULTS / f"{name}{end}.json" for name in SHOWN for end in ("", "-cuda")]
    results = [json.loads(file.read_text()) for file in files if file.exists()]
    fill(README, "\n".join([predictions.section(), *map(section, results)]))


if __name__ == "__main__":
    main()
