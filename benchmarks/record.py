"""What every benchmark reports: the machine, the versions, a table and a JSON file."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import peers

NOT_RUN = "not run: no GPU here"
PACKAGES = ("tui-latent", "torch", "torchvision", "textual", "plotext", "numpy", "scikit-learn")


def results_in(module: str) -> Path:
    """Return the folder of the JSON files of a module, given by its `__file__`."""
    return Path(os.environ.get("BENCHMARK_RESULTS") or Path(module).parent / "results")


RESULTS = results_in(__file__)


@dataclass(frozen=True)
class Row:
    """One measured value and its goal."""

    what: str
    goal: str
    measured: str
    reached: bool | None
    """None if there is no goal, or no device to run it on"""
    numbers: dict[str, object]
    """everything behind `measured`"""


def save(name: str, command: str, rows: Iterable[Row], results: Path | None = None) -> None:
    """Print each row as it comes, and write `<name>.json` with those so far.

    Each row is printed and saved before the next one is measured, and before hardware and versions
    are looked up, so that a later failure loses nothing.
    """
    result: dict[str, Any] = {
        "benchmark": name,
        "command": command,
        "date": time.strftime("%Y-%m-%d"),
        "rows": [],
    }
    path = (results or RESULTS) / f"{name}.json"
    print(_HEAD, flush=True)
    for row in rows:
        print(_line(row), flush=True)
        result["rows"].append(asdict(row))
        write_json(path, result)
    write_json(path, result | machine())


def write_json(path: Path, content: object) -> None:
    """Write a file completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n")
    part.replace(path)


def machine() -> dict[str, Any]:
    """Return hardware and versions; what is not installed or not recorded has the version `–`."""
    from tui_latent.runtime.hardware import devices
    from tui_latent.runtime.versions import version_of

    versions = {package: version_of(package) for package in PACKAGES}
    # A copy of torch on the path has no record, but knows its own version.
    versions["torch"] = _torch_version() if versions["torch"] == "–" else versions["torch"]
    return {
        "hardware": {
            "cpu": devices()[-1].title,
            "cores": os.cpu_count(),
            "memory_gib": round(_memory_gib(), 1),
            "gpu": _gpu(),
        },
        "versions": {"python": platform.python_version()} | versions | peers.versions(),
    }


def for_device(name: str, device: str | None) -> str:
    """Return the name of a result that was measured on one device only: `gpu-cuda`."""
    return f"{name}-{device}" if device else name


_HEAD = "| what | goal | measured | reached |\n|---|---|---|---|"
_REACHED = {True: "yes", False: "no", None: "–"}


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    return "\n".join([_HEAD, *map(_line, rows)])


def _line(row: Row) -> str:
    return f"| {row.what} | {row.goal} | {row.measured} | {_REACHED[row.reached]} |"


def no_gpu(goal: str, what: str = "the same on a GPU") -> list[Row]:
    """Return a row for what needs a GPU if there is none, else nothing."""
    return [] if _gpu() != "none" else [Row(what, goal, NOT_RUN, None, {})]


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _torch_version() -> str:
    import torch

    return str(torch.__version__)


def _gpu() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
