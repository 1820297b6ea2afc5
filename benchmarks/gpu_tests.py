"""The tests that need a GPU, file by file, with the other tests of those files.

python -m benchmarks.gpu_tests
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers import need
from benchmarks.record import Row, save

REPOSITORY = Path(__file__).parents[1]
ASKS = "cuda.is_available()"
"""marks a file whose tests are skipped without a GPU"""


def rows(tiny: bool) -> Iterator[Row]:
    """Run each file with GPU tests in its own process; only the first if `tiny`."""
    files = [path for path in sorted((REPOSITORY / "tests").rglob("*.py")) if ASKS in _text(path)]
    for path in files[: 1 if tiny else None]:
        # Without the project's settings, which need plugins that a GPU machine may lack.
        words = ["-c", "/dev/null", "--rootdir", ".", "-p", "no:cacheprovider", "-q", "-rfE"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words, str(path.relative_to(REPOSITORY))],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        print(done.stdout, flush=True)
        lines = done.stdout.strip().splitlines() or ["no output"]
        failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
        name = str(path.relative_to(REPOSITORY))
        numbers: dict[str, object] = {"failed": failed, "status": done.returncode}
        yield Row(name, "all pass", lines[-1].strip("= "), done.returncode == 0, numbers)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def main() -> None:
    """Run them and save the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_tests")
    parser.add_argument("--tiny", action="store_true", help="one file")
    asked = parser.parse_args()
    need("pytest", "hypothesis")
    save("tests", "python -m benchmarks.gpu_tests", rows(asked.tiny))


if __name__ == "__main__":
    main()
