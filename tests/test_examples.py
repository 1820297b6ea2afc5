"""The scripts in `examples/`, run as they stand."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tui_latent.loading import load

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


@pytest.mark.parametrize("package", ["torch", "lightning", "lightly"])
@pytest.mark.slow
def test_a_loop_is_watched(package: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: pip install 'tui-latent[{package}]'")
    script = ROOT / "examples" / f"watch_{package}.py"
    subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, check=True)
    run = load(f"digits-{package}", runs=tmp_path / "runs")
    assert (run.origin, run.status.state) == ("watched", "finished")
    assert run.class_names == tuple("0123456789")
    losses = run.curves["train/loss"]
    assert losses.steps.tolist() == list(range(1, run.status.step + 1))
    assert losses.values[-20:].mean() < losses.values[:20].mean()
    assert run.curves["val/knn_20"].values[-1] > 0.8
    assert run.latents.queries.shape[0] == 450 and run.map_steps[-1] == run.status.step
    assert (run.path / "thumbnails" / "val.npy").exists()
    assert len(script.read_text().splitlines()) < 60


def test_the_readme_shows_the_loop_of_the_example() -> None:
    readme = (ROOT / "README.md").read_text()
    section = readme.split("## Your own training\n")[1].split("\n## ")[0]
    shown = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert "tui_latent.watch(" in shown[0]
    assert (ROOT / "examples" / "watch_torch.py").read_text().endswith(shown[0])
