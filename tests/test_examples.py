"""The scripts in `examples/`, run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_digits_train_without_a_screen_and_without_a_run_folder(tmp_path: Path) -> None:
    script = ROOT / "examples" / "train_without_a_screen.py"
    result = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    accuracy = re.search(r"kNN@20 accuracy on held-out images: (0\.\d+)", result.stdout)
    assert accuracy is not None and float(accuracy[1]) > 0.8
    assert list(tmp_path.iterdir()) == []
    assert len(script.read_text().splitlines()) < 50
