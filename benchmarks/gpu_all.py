"""Everything a GPU can show in ten minutes, the most important first.

python -m benchmarks.gpu_all                          nine minutes on a GPU
python -m benchmarks.gpu_all --minutes 5 --out DIR    shorter, its files elsewhere
python -m benchmarks.gpu_all --only versions,neighbours
python -m benchmarks.gpu_all --device cpu --tiny      tries the command; numbers mean nothing

Each part is a process that is killed with its children when its time is over. What it measured by
then is in `DIR/<part>.json`, which is replaced with each row; `DIR/gpu_all.md` has one table of all
parts, written after each of them, and `DIR/<part>.log` the output. Time that a part does not use
is shared by the later ones. A part whose packages are missing says so.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.peers import SKIPPED
from benchmarks.record import RESULTS, Row, table, write_json

REPOSITORY = Path(__file__).parents[1]
LAST_LINES = 5
"""lines of a part's output that are shown if it fails"""
State = Literal["done", "skipped", "failed", "killed"]


@dataclass(frozen=True)
class Part:
    """A command that measures, and its share of the time."""

    name: str
    """also of its result file: the command saves under this name"""
    weight: float
    """its share of the time, relative to the other weights"""
    command: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """How a part ended, and the rows that it had saved by then."""

    name: str
    state: State
    words: str
    """why, unless it is done"""
    seconds: float
    limit: float
    """the time that it had, in seconds"""
    command: str
    rows: list[dict[str, Any]]


def parts_of(device: str, tiny: bool) -> tuple[Part, ...]:
    """Return the parts in the order in which they are run; weights are seconds of ten minutes."""
    few, quality = (["--tiny"], "digits") if tiny else ([], "mnist")
    at = ["--device", device]

    def module(result: str, weight: float, name: str, *words: str) -> Part:
        package = "experiments" if name in ("quality", "time_to_quality") else "benchmarks"
        return Part(result, weight, (sys.executable, "-m", f"{package}.{name}", *words))

    def compared(name: str, weight: float, full: str, small: str) -> Part:
        words = (small if tiny else full).split()
        return module(f"{name}-{device}", weight, name, *at, *words)

    return (
        module("versions", 20, "gpu_versions", *at),
        module("tests", 60, "gpu_tests", *few),
        module("presets", 60, "gpu_presets", *at, *few),
        module("other-presets", 60, "gpu_presets", "--others", *at, *few),
        module("capture", 20, "gpu_capture", *at),
        compared("gpu", 50, "", ""),
        compared("neighbours", 30, "--rounds 3", "--rounds 1 --queries 200 --bank 2000"),
        module(f"quality-{quality}-{device}", 30, "quality", quality, *at),
        compared("pipeline", 80, "--rounds 3", "--rounds 1 --steps 1"),
        compared("lightly_step", 60, "--rounds 3", "--rounds 1 --steps 1"),
        compared("augmentation", 40, "--rounds 3", "--rounds 1 --images 64"),
        compared("time_to_quality", 90, "", "--per-class 20"),
    )


def run_parts(parts: Sequence[Part], seconds: float, out: Path) -> list[Outcome]:
    """Run parts one after the other within `seconds`; write and print each result."""
    out.mkdir(parents=True, exist_ok=True)
    end, outcomes = time.monotonic() + seconds, list[Outcome]()
    for number, part in enumerate(parts):
        left, weights = end - time.monotonic(), sum(later.weight for later in parts[number:])
        limit = max(left, 0.0) * part.weight / weights
        print(f"\n## {part.name}, at most {limit:.0f} s", flush=True)
        outcome = run_part(part, limit, out)
        outcomes.append(outcome)
        write_json(out / f"{part.name}.json", _kept(out, part) | asdict(outcome))
        (out / "gpu_all.md").write_text(summary(outcomes))
        print(f"{outcome.state} after {outcome.seconds:.0f} s{_because(outcome)}", flush=True)
    return outcomes


def run_part(part: Part, limit: float, out: Path) -> Outcome:
    """Run one part; kill it and its children when its time is over."""
    (out / f"{part.name}.json").unlink(missing_ok=True)
    environment = {**os.environ, "BENCHMARK_RESULTS": str(out), "PYTHONUNBUFFERED": "1"}
    start, log = time.monotonic(), out / f"{part.name}.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            part.command,
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _kill_all(process)
    said = log.read_text(errors="replace")
    print(said, end="", flush=True)
    state, words = _ended(code, said, limit)
    rows = _kept(out, part).get("rows", [])
    taken = time.monotonic() - start
    return Outcome(part.name, state, words, taken, limit, " ".join(part.command), rows)


def _kill_all(process: subprocess.Popen[bytes]) -> None:
    """End a part and its children: workers of a loader, a training process."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _ended(code: int | None, said: str, limit: float) -> tuple[State, str]:
    lines = [line for line in said.splitlines() if line.strip()]
    last = lines[-1] if lines else "no output"
    if code is None:
        return "killed", f"it ran out of its {limit:.0f} s"
    if code == 0:
        return "done", ""
    if code == SKIPPED:
        return "skipped", last
    missing = "ModuleNotFoundError: No module named "
    if last.startswith(missing):
        return "skipped", f"not installed: {last.removeprefix(missing).strip(chr(39))}"
    how = signal.Signals(-code).name if code < 0 else f"status {code}"
    return "failed", f"{how}: {' / '.join(lines[-LAST_LINES:])}"


def _kept(out: Path, part: Part) -> dict[str, Any]:
    """Return what a part saved; the file is complete whenever the part was killed."""
    try:
        kept: dict[str, Any] = json.loads((out / f"{part.name}.json").read_text())
    except FileNotFoundError:
        return {}
    return kept


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return all rows in one table, then how each part ended."""
    rows = [Row(**row) for outcome in outcomes for row in outcome.rows]
    lines = [table(rows), "", "| part | ended | seconds | of | why |", "|---|---|---|---|---|"]
    for o in outcomes:
        words = o.words.replace("|", "\\|")
        lines.append(f"| {o.name} | {o.state} | {o.seconds:.0f} | {o.limit:.0f} | {words} |")
    return "\n".join(lines) + "\n"


def _because(outcome: Outcome) -> str:
    return f": {outcome.words}" if outcome.words else ""


def main() -> None:
    """Run the requested parts and print one table of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_all")
    parser.add_argument("--minutes", type=float, default=9.0, help="for all parts together")
    parser.add_argument("--out", type=Path, default=RESULTS / "gpu_all", help="folder of results")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="try the command only")
    parser.add_argument("--only", default="", metavar="PART,…", help="run only these parts")
    asked = parser.parse_args()
    parts = parts_of(asked.device, asked.tiny)
    if asked.only:
        wanted = asked.only.split(",")
        known = {_short(part, asked.device): part for part in parts}
        if unknown := [name for name in wanted if name not in known]:
            parser.error(f"no part is named {', '.join(unknown)}: {', '.join(known)}")
        parts = tuple(part for name, part in known.items() if name in wanted)
    # A time limit from outside must also end the part, which has a session of its own.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped by SIGTERM"))
    outcomes = run_parts(parts, 60 * asked.minutes, asked.out.absolute())
    print(f"\n{summary(outcomes)}\nwritten to {asked.out}", flush=True)


def _short(part: Part, device: str) -> str:
    return part.name.removesuffix(f"-{device}")


if __name__ == "__main__":
    main()
