"""Time to the dashboard's first painted frame, against importing torch alone.

python -m benchmarks.startup
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.program import PROGRAM
from benchmarks.record import Row, save
from benchmarks.terminal import Terminal

PAIRS = 7
PAINTED = b"Presets"
"""title of the menu's list"""


def first_frame(runs: str) -> float:
    """Return the seconds from starting `tui-latent` to its menu on the screen."""
    command = [*PROGRAM, "--runs", runs]
    terminal = Terminal(command)
    try:
        return terminal.wait_for(PAINTED)
    finally:
        terminal.kill()


def import_torch() -> float:
    """Return the seconds of `python -c "import torch"`."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure both in turn, after one warm-up of each."""
    with tempfile.TemporaryDirectory() as runs:
        first_frame(runs)
        import_torch()
        pairs = [(first_frame(runs), import_torch()) for _ in range(PAIRS)]
    frames, imports = ([pair[i] for pair in pairs] for i in (0, 1))
    frame = statistics.median(frames)
    ratio = statistics.median(a / b for a, b in pairs)
    numbers = {"first_frame_s": frames, "import_torch_s": imports}
    save(
        "startup",
        "python -m benchmarks.startup",
        [
            Row("first painted frame", "≤ 0.7 s", f"{frame:.2f} s", frame <= 0.7, {**numbers}),
            Row(
                'first painted frame over `python -c "import torch"`',
                "< 0.5",
                f"{ratio:.2f} ({statistics.median(imports):.2f} s)",
                ratio < 0.5,
                {"median_of_pairwise_ratios": ratio},
            ),
        ],
    )


if __name__ == "__main__":
    main()
