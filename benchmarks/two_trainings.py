"""What two runs on the same cores cost each other: spinning threads take cores away.

python -m benchmarks.two_trainings       about 7 minutes

The same program and preset in turn: as it is, and with OpenMP's default setting.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile

from benchmarks.program import PROGRAM
from benchmarks.record import Row, save

ROUNDS = 3
WAYS = {"as the program sets it": {}, "as OpenMP does by itself": {"GOMP_SPINCOUNT": "300000"}}
"""variables added to the environment"""


def seconds_of(count: int, added: dict[str, str]) -> float:
    """Train `count` runs at once; return the mean of their seconds of training."""
    command = [*PROGRAM, "train", "digits-contrastive-2d", "--json"]
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            subprocess.Popen(
                [*command, "--runs", folder, "--name", f"run{number}"],
                env={**os.environ, **added},
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            for number in range(count)
        ]
        told = [run.communicate()[0] for run in runs]
    return statistics.mean(float(json.loads(text)["seconds"]) for text in told)


def main() -> None:
    """Measure one run and two at once in both ways, round after round."""
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, added in WAYS.items():
            times[way].append((seconds_of(1, added), seconds_of(2, added)))
    rows = []
    for way, pairs in times.items():
        alone, both = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
        slowest = max(pair[1] for pair in pairs)
        rows.append(
            Row(
                f"digits-contrastive-2d beside a second run of it, waiting {way}",
                "–",
                f"{both:.1f} s, slowest {slowest:.1f} s; alone {alone:.1f} s",
                None,
                {"alone_s": [pair[0] for pair in pairs], "both_s": [pair[1] for pair in pairs]},
            )
        )
    save("two_trainings", "python -m benchmarks.two_trainings", rows)


if __name__ == "__main__":
    main()
