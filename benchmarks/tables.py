"""Writes the tables of README.md out of the JSON files that the benchmarks left.

python -m benchmarks.tables
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.record import RESULTS, Row, table

README = Path(__file__).with_name("README.md")
MARK = "<!-- tables -->\n"
SHOWN = ("startup", "quality-digits", "quality-mnist", "screen")


def section(result: dict[str, Any]) -> str:
    """Return one benchmark's table under its command, hardware and versions."""
    hardware, versions = result["hardware"], result["versions"]
    machine = f"{hardware['cpu']}, {hardware['cores']} cores, GPU {hardware['gpu']}"
    software = ", ".join(f"{name} {versions[name]}" for name in ("python", "torch", "textual"))
    rows = [Row(**row) for row in result["rows"]]
    return f"`{result['command']}` · {result['date']} · {machine} · {software}\n\n{table(rows)}\n"


def main() -> None:
    """Replace everything after the mark."""
    results = [json.loads((RESULTS / f"{name}.json").read_text()) for name in SHOWN]
    head = README.read_text().partition(MARK)[0]
    README.write_text(head + MARK + "\n" + "\n".join(map(section, results)))


if __name__ == "__main__":
    main()
