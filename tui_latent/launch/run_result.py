"""What a training has come to, as `--json` prints it and a sweep reads it."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from tui_latent.runs.schema import RunSnapshot


def result_of(snapshot: RunSnapshot) -> dict[str, Any]:
    """Return what `train --json` prints; values that are not finite become null.

    A metric that means nothing in the newest evaluation is in `missing`, with the reason.
    """
    status = snapshot.status
    return {
        "run": snapshot.name,
        "path": str(snapshot.path),
        "state": status.state,
        "error": status.error,
        "step": status.step,
        "epoch": status.epoch,
        "seconds": round(status.seconds, 3),
        "images_per_second": newest_finite(snapshot, "train/images_per_second"),
        "metrics": {
            name: newest_finite(snapshot, name)
            for name in snapshot.curves
            if name not in snapshot.missing
        },
        "missing": dict(snapshot.missing),
        **({"ranks": [asdict(rank) for rank in snapshot.ranks]} if snapshot.ranks else {}),
    }


def newest_finite(snapshot: RunSnapshot, name: str) -> float | None:
    """Return the newest value of a metric; None if there is none, or it is not finite."""
    value = snapshot.newest(name)
    return value if value is not None and math.isfinite(value) else None
