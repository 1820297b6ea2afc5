"""Train without labels to a fixed held-out kNN accuracy, and prove it.

python -m benchmarks.speedrun                             small: CPU minutes for each seed
python -m benchmarks.speedrun --division wide --device cuda
python -m benchmarks.speedrun --division small-rehearsal  to choose settings: no test images
python -m benchmarks.speedrun --entry FILE.py             an entry of your own
python -m benchmarks.speedrun --verify PROOF.json         check a proof, and train one of its seeds
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.record import machine, results_in, write_json
from benchmarks.speedrun import proof as proofs
from benchmarks.speedrun.divisions import DIVISIONS, LEAST_SEEDS, NEIGHBOURS
from benchmarks.speedrun.images import NoImagesError, digest
from benchmarks.speedrun.judge import EntryError, run_seed
from benchmarks.speedrun.proof import RULES, faults, source, summary

ENTRIES = Path(__file__).parent / "entries"
TOLERANCE = 0.02
"""by which the accuracy of a seed may differ: another machine rounds differently, which is like
another seed"""


def main() -> int:
    """Run an entry, or verify a proof; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speedrun")
    parser.add_argument("--division", choices=list(DIVISIONS), default="small")
    parser.add_argument("--entry", type=Path, help="file with a function train; else our own")
    parser.add_argument("--seeds", type=int, default=LEAST_SEEDS, help="seeds 0 to N - 1")
    parser.add_argument("--device", help="cpu, cuda or cuda:1; else cpu, or that of the proof")
    parser.add_argument("--out", type=Path, help="file of the proof")
    parser.add_argument("--verify", type=Path, metavar="PROOF", help="check a proof instead")
    parser.add_argument(
        "--without-training", action="store_true", help="check the file of a proof alone"
    )
    asked = parser.parse_args()
    try:
        if asked.verify:
            return verify(asked.verify, asked.device, not asked.without_training)
        return race(asked)
    except (NoImagesError, EntryError) as error:
        print(f"speedrun: {error}", file=sys.stderr)
        return 2


def race(asked: argparse.Namespace) -> int:
    """Train every seed; write the proof after each, and return 0 if the bar was reached."""
    division = DIVISIONS[asked.division]
    entry, device = asked.entry or ENTRIES / division.entry, asked.device or "cpu"
    if not entry.is_file():
        raise EntryError(f"there is no entry {entry}: give a Python file with a function train")
    out = asked.out or results_in(str(ENTRIES)) / f"speedrun-{asked.division}.json"
    proof: dict[str, Any] = {
        "benchmark": "speedrun",
        "rules": RULES,
        "command": " ".join(["python -m benchmarks.speedrun", *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d"),
        "division": asked.division,
        "bar": division.bar,
        "neighbours": NEIGHBOURS,
        "device": device,
        "images_sha256": digest(division),
        "source": source(entry),
        "results": [],
    }
    print(f"{asked.division}: {division.title}; kNN@{NEIGHBOURS} of at least {division.bar:.2f}")
    for seed in range(max(asked.seeds, 1)):
        found = run_seed(asked.division, entry, seed, device)
        proof["results"].append(found)
        proof["summary"] = summary(asked.division, proof["results"], proof["source"]["tree"])
        write_json(out, proof)
        print(_line(found), flush=True)
    write_json(out, proof | machine())
    said = proof["summary"]
    print(f"{said['verdict']}: {said['why']}. Mean {said['mean_seconds']:.1f} s. Proof: {out}")
    return 0 if said["verdict"] == "reached" else 1


def verify(file: Path, device: str | None, training: bool) -> int:
    """Say what is wrong with a proof; return 0 if nothing is, 1 if something is.

    Its first seed is trained again here, unless the file alone is already wrong.
    """
    try:
        proof = json.loads(file.read_text())
        images = digest(DIVISIONS[proof["division"]])
    except OSError as error:
        print(f"speedrun: {file}: {error.strerror}", file=sys.stderr)
        return 2
    except (ValueError, KeyError, TypeError):
        print(f"speedrun: {file} is not a proof of this race", file=sys.stderr)
        return 2
    wrong = faults(proof, images)
    if training and not wrong:
        entry = proofs.REPOSITORY / proof["source"]["entry"]
        here = run_seed(proof["division"], entry, 0, device or proof["device"])
        there = proof["results"][0]
        print(f"there: {_line(there)}\nhere:  {_line(here)}")
        if abs(here["knn"] - there["knn"]) > TOLERANCE:
            wrong.append(f"seed 0 differs by more than {TOLERANCE} when it is trained here")
    for sentence in wrong:
        print(f"wrong: {sentence}")
    if wrong:
        return 1
    trained = "its first seed was trained again" if training else "nothing was trained"
    print(f"The proof holds ({trained}). Verdict: {proof['summary']['verdict']}.")
    return 0


def _line(found: dict[str, Any]) -> str:
    return (
        f"seed {found['seed']}: kNN@{NEIGHBOURS} {found['knn']:.4f} in {found['dimension']}-D "
        f"after {found['seconds']:.1f} s ({found['cpu_seconds']:.1f} s of CPU)"
    )


if __name__ == "__main__":
    sys.exit(main())
