"""Runs and presets of version 0.1 stay readable: they open, resume, compare and report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tui_latent.analysis import RunInspector
from tui_latent.cli.main import main
from tui_latent.config.presets import load_preset, load_run_preset
from tui_latent.launch.start import train_run
from tui_latent.runs.reader import RunReader
from tui_latent.runs.run_list import list_runs

FIXTURES = Path(__file__).parent / "fixtures"
RUNS = sorted(path.name for path in (FIXTURES / "runs_0_1").iterdir())
PRESETS = sorted((FIXTURES / "presets_0_1").glob("*.toml"))
STATES = dict.fromkeys(RUNS, "finished") | {"vicreg-stopped": "stopped"}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Copies of the old runs, as reading them may write caches and reports."""
    return Path(shutil.copytree(FIXTURES / "runs_0_1", tmp_path / "runs"))


def test_old_runs_are_listed_with_their_state_and_score(runs: Path) -> None:
    listed = {run.name: run for run in list_runs(runs)}
    assert {name: run.status.state for name, run in listed.items()} == STATES


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_has_its_curves_map_and_settings(runs: Path, name: str) -> None:
    snapshot = RunReader(runs / name).refresh()
    lines = (runs / name / "metrics.jsonl").read_text().splitlines()
    last = json.loads(next(line for line in reversed(lines) if "val/knn_20" in line))
    assert snapshot.curves["val/knn_20"].last == last["val/knn_20"]
    assert snapshot.map is not None
    assert len(snapshot.map.points) == len(snapshot.map.labels) > 100
    assert load_run_preset(runs / name).method.name in name or name == "staged-contrastive"


@pytest.mark.parametrize("name", RUNS)
def test_the_images_of_an_old_run_can_be_asked_about(runs: Path, name: str) -> None:
    inspector = RunInspector(runs / name)
    found = inspector.neighbours(0, 3)
    assert found.images.shape == (3, 8, 8, 1)
    assert (found.distances[:-1] <= found.distances[1:]).all()


def test_a_stopped_old_run_resumes_from_its_checkpoint(runs: Path) -> None:
    run = runs / "vicreg-stopped"
    step = json.loads((run / "status.json").read_text())["step"]
    preset = (run / "preset.toml").read_text()
    (run / "preset.toml").write_text(preset.replace("epochs = 2000", f"epochs = {step // 3 + 1}"))
    before = RunReader(run).refresh().curves["train/loss"]
    status = train_run(run)
    assert status.state == "finished", status.error
    assert f"step {step:,}: Resumed from its checkpoint." in (run / "train.log").read_text()
    assert RunReader(run).refresh().curves["train/loss"].steps[0] == before.steps[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_is_evaluated_and_reported(runs: Path, name: str) -> None:
    for command in ("evaluate", "report"):
        result = CliRunner().invoke(main, [command, str(runs / name)])
        assert result.exit_code == 0, result.output
    assert list((runs / name / "reports").glob("*.png"))


def test_old_runs_are_compared(runs: Path) -> None:
    result = CliRunner().invoke(
        main, ["compare", str(runs / "staged-contrastive"), str(runs / "vicreg-stopped"), "--json"]
    )
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_an_old_preset_loads(path: Path) -> None:
    assert load_preset(str(path)).method.latent_dim >= 2
