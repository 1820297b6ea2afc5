"""`evaluations/step-….json`: what a whole evaluation found, for people, screens and other tools."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tui_latent.runs.atomic_files import replace_file
from tui_latent.runtime.regular_files import read_small

FORMAT: Final = 1
_MOST_BYTES: Final = 1 << 28
"""a confusion matrix of a thousand classes takes some megabytes"""
_NAME: Final = re.compile(r"step-(\d{9,18})\.json")


def evaluation_file(run: Path, step: int) -> Path:
    """Return the file of the evaluation at `step`."""
    return run / "evaluations" / f"step-{step:09}.json"


def write_evaluation(run: Path, step: int, found: Mapping[str, Any]) -> Path:
    """Write an evaluation in one piece and return its path; OSError when it cannot be.

    Numbers that are not finite become null.
    """
    path = evaluation_file(run, step)
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(finite_json(found), ensure_ascii=False, allow_nan=False)
    replace_file(path, text.encode("utf-8", "backslashreplace"))
    return path


def read_evaluation(run: Path, step: int) -> dict[str, Any] | None:
    """Return the evaluation at `step`; None when there is none, or none that can be read."""
    try:
        found = json.loads(read_small(evaluation_file(run, step), _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        return None
    return found


def evaluation_steps(run: Path) -> list[int]:
    """Return the steps of a run's evaluations, the latest last."""
    try:
        names = [entry.name for entry in (run / "evaluations").iterdir()]
    except OSError:
        return []
    return sorted(int(match[1]) for match in map(_NAME.fullmatch, names) if match)


def newest_evaluation(run: Path) -> dict[str, Any] | None:
    """Return the readable evaluation of the latest step; None when there is none."""
    steps = reversed(evaluation_steps(run))
    return next((found for step in steps if (found := read_evaluation(run, step))), None)


def finite_json(value: Any) -> Any:
    """Return a value as JSON holds it: NaN and infinities are null, keys are strings."""
    if isinstance(value, Mapping):
        return {str(key): finite_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
