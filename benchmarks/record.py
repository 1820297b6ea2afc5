"""What every benchmark says of itself: the machine, the versions, a table and a JSON file."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks import peers
from tui_latent.hardware import devices

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("tui-latent", "torch", "torchvision", "textual", "plotext", "numpy", "scikit-learn")


@dataclass(frozen=True)
class Row:
    """One measured figure beside what was asked of it."""

    what: str
    goal: str
    measured: str
    reached: bool | None
    """None where there is nothing to reach, or no device to run it on"""
    numbers: dict[str, object]
    """everything behind `measured`"""


def save(name: str, command: str, rows: Sequence[Row]) -> None:
    """Print the rows as a table and write `results/<name>.json` with hardware and versions."""
    result = {
        "benchmark": name,
        "command": command,
        "date": time.strftime("%Y-%m-%d"),
        "hardware": {
            "cpu": devices()[-1].title,
            "cores": os.cpu_count(),
            "memory_gib": round(_memory_gib(), 1),
            "gpu": _gpu(),
        },
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in PACKAGES}
        | peers.versions(),
        "rows": [asdict(row) for row in rows],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    print(table(rows))


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | goal | measured | reached |", "|---|---|---|---|"]
    words = {True: "yes", False: "no", None: "–"}
    for row in rows:
        lines.append(f"| {row.what} | {row.goal} | {row.measured} | {words[row.reached]} |")
    return "\n".join(lines)


def no_gpu(goal: str, what: str = "the same on a GPU") -> list[Row]:
    """Return the row of something that needs a GPU where there is none, else nothing."""
    return [] if _gpu() != "none" else [Row(what, goal, "not run: no GPU here", None, {})]


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _gpu() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
