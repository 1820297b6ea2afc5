"""A run says where its images are, wherever it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_latent.config.presets import load_run_preset, parse_preset
from tui_latent.config.settings import Preset
from tui_latent.launch.start import create_run, make_run
from tui_latent.launch.sweep.folder import SweepFolder
from tui_latent.launch.sweep.plan import Trial


def preset(**data: object) -> Preset:
    table = {
        "data": data,
        "method": {"name": "eigenmaps", "latent_dim": 2},
    }
    return parse_preset(table, {}, where="test")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with images and weights, in which the person is."""
    import numpy as np

    here = tmp_path / "here"
    here.mkdir()
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (60, 8, 8), np.uint8)
    np.savez(here / "mine.npz", x_train=images, y_train=np.arange(60) % 3)
    (here / "my.pth").write_bytes(b"weights")
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(here))
    return here


@pytest.mark.parametrize("written", ["mine.npz", "./mine.npz", "../here/mine.npz", "~/mine.npz"])
def test_paths_are_kept_from_the_root(here: Path, tmp_path: Path, written: str) -> None:
    chosen = preset(source="arrays", path=written, weights="my.pth")
    kept = load_run_preset(create_run("mine", chosen, tmp_path / "runs", "one")).data
    assert kept.path == str(here / "mine.npz")
    assert kept.weights == str(here / "my.pth")


def test_a_way_up_from_behind_a_link_leads_where_it_led(here: Path, tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (here / "mine.npz").rename(tmp_path / "deep" / "mine.npz")
    (here / "link").symlink_to(tmp_path / "deep" / "er")
    chosen = preset(source="arrays", path="link/../mine.npz")
    kept = load_run_preset(create_run("mine", chosen, tmp_path / "runs", "one")).data
    assert Path(kept.path).is_absolute() and Path(kept.path).is_file()


def test_a_sweep_called_again_knows_its_run_by_the_same_relative_path(
    here: Path, tmp_path: Path
) -> None:
    chosen = preset(source="arrays", path="mine.npz")
    folder = SweepFolder(tmp_path / "runs", "swept", "mine", "", chosen, seeds=1)
    folder.make([], None)
    (run,) = folder.add([(Trial({}, chosen), None)])
    make_run("mine", chosen, folder.path, run.name)
    assert folder.add([(Trial({}, chosen), None)]) == [run]
