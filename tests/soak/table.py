"""Writes the table of docs/RELIABILITY.md from the JSON files that the soak tests left.

python -m tests.soak.table
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.record import Row, results_in
from benchmarks.tables import fill

RELIABILITY = Path(__file__).parents[2] / "docs" / "RELIABILITY.md"


def table() -> str:
    """Return one table of all soak tests, each with its command."""
    files = sorted(results_in(__file__).glob("*.json"))
    lines = ["| what | goal | measured | reached | command |", "|---|---|---|---|---|"]
    words = {True: "yes", False: "no", None: "–"}
    for result in (json.loads(file.read_text()) for file in files):
        for row in (Row(**row) for row in result["rows"]):
            cells = (row.what, row.goal, row.measured, words[row.reached])
            lines.append(f"| {' | '.join(cells)} | `{result['command']}` |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    fill(RELIABILITY, table())
