"""The JSON proof of a run: what it says, its verdict, and what is wrong with it."""

from __future__ import annotations

import hashlib
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scipy.stats import t as student

from benchmarks.speedrun.divisions import DIVISIONS, LEAST_SEEDS, NEIGHBOURS

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
RULES = 1
"""version of SPEEDRUN.md"""


def lower_bound(scores: Sequence[float]) -> float:
    """Return the lower end of the one-sided 95 % interval of the mean, by Student's t."""
    if len(scores) < 2:
        return float("-inf")
    error = statistics.stdev(scores) / len(scores) ** 0.5
    return float(statistics.mean(scores) - student.ppf(0.95, len(scores) - 1) * error)


def summary(division: str, results: Sequence[dict[str, Any]], tree: str) -> dict[str, Any]:
    """Return the means over the seeds, the verdict and the reason for it."""
    scores = [float(result["knn"]) for result in results]
    bound, bar = lower_bound(scores), DIVISIONS[division].bar
    if DIVISIONS[division].rehearsal:
        why = "a rehearsal proves nothing"
    elif len(results) < LEAST_SEEDS:
        why = f"{LEAST_SEEDS} seeds are needed, and there are {len(results)}"
    elif bound < bar:
        why = f"the lower bound of the mean, {bound:.4f}, is below the bar, {bar:.2f}"
    elif tree != "clean":
        why = "the source was not the commit's: commit your changes and run it again"
    else:
        why = ""
    return {
        "mean_knn": round(statistics.mean(scores), 6),
        "lower_bound": round(bound, 6) if len(scores) > 1 else None,
        "mean_seconds": round(statistics.mean(float(r["seconds"]) for r in results), 2),
        "verdict": "not reached" if why else "reached",
        "why": why or f"the lower bound of the mean, {bound:.4f}, is at least {bar:.2f}",
    }


def source(entry: Path) -> dict[str, str]:
    """Return the commit, whether files differ from it, and the digests of entry and judge."""
    changed = _git("status", "--porcelain", "--", ".", ":!benchmarks/results")
    commit = _git("rev-parse", "HEAD")
    place = entry.resolve()
    inside = place.is_relative_to(REPOSITORY)
    return {
        "commit": commit,
        "tree": "clean" if commit and not changed and inside else "changed",
        "entry": place.relative_to(REPOSITORY).as_posix() if inside else str(place),
        "entry_sha256": _sha256(sorted(place.parent.glob("*"))),
        "judge_sha256": _sha256(sorted(HERE.glob("*.py"))),
    }


def faults(proof: dict[str, Any], images: str) -> list[str]:
    """Return what is wrong with a proof, without training: a sentence for each fault.

    `images` is the digest of the images here.
    """
    try:
        return list(_faults(proof, images))
    except (KeyError, TypeError, ValueError) as error:
        return [f"the file is not a proof of this race: {type(error).__name__}: {error}"]


def _faults(proof: dict[str, Any], images: str) -> Iterable[str]:
    if proof["rules"] != RULES:
        yield f"it follows version {proof['rules']} of the rules; this is version {RULES}"
    division = DIVISIONS.get(proof["division"])
    if division is None:
        yield f"there is no division '{proof['division']}'"
        return
    if proof["bar"] != division.bar or proof["neighbours"] != NEIGHBOURS:
        yield f"its bar is not that of the division: kNN@{NEIGHBOURS} of {division.bar}"
    results = proof["results"]
    if [result["seed"] for result in results] != list(range(len(results))):
        yield "its seeds are not 0, 1, 2 and so on: seeds must not be chosen"
    for result in results:
        if not 0 < result["dimension"] <= division.widest:
            yield f"seed {result['seed']} has latents of {result['dimension']} dimensions"
        if not (0 <= result["knn"] <= 1 and result["seconds"] > 0):
            yield f"seed {result['seed']} has an impossible accuracy or time"
    if results and proof["summary"] != summary(proof["division"], results, proof["source"]["tree"]):
        yield "its means and verdict do not follow from its results"
    if proof["images_sha256"] != images:
        yield "it was made with other images than those here"
    here = source(REPOSITORY / proof["source"]["entry"])
    for part in ("entry", "judge"):
        if proof["source"][f"{part}_sha256"] != here[f"{part}_sha256"]:
            yield f"the {part} differs from that here: git checkout {proof['source']['commit']}"


def _sha256(files: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for file in files:
        if file.is_file():
            found.update(file.name.encode() + b"\0" + file.read_bytes())
    return found.hexdigest()


def _git(*words: str) -> str:
    """Return what git says of the repository; empty where it cannot say anything."""
    try:
        done = subprocess.run(
            ["git", *words], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
