"""What every test gets: its own folder of runs, and a terminal that promises nothing."""

from __future__ import annotations

import os

# Before numpy and torch: the tensors are small, and two workers' threads would only spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("tui-latent", deadline=None, max_examples=50)
settings.load_profile("tui-latent")

_TERMINAL = (
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "COLORTERM",
    "COLORFGBG",
    "TMUX",
    "SSH_CONNECTION",
)


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's runs and terminal out of the tests."""
    monkeypatch.setenv("TUI_LATENT_RUNS", str(tmp_path / "runs"))
    for name in _TERMINAL:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what trains the run of a name in `trained_runs.PRESETS`, once."""
    from tests.trained_runs import train_named

    runs = tmp_path_factory.mktemp("trained")

    def train(name: str) -> Path:
        return runs / name if (runs / name).exists() else train_named(name, runs)

    return train


@pytest.fixture
def no_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the images away."""
    from tui_latent.sources.errors import DataError

    def gone(*_: object) -> None:
        raise DataError("digits are not in /data: mount it")

    monkeypatch.setattr("tui_latent.datasets.sources.load_dataset", gone)


@pytest.fixture(scope="session")
def mnist_data() -> Path:
    """Return the data folder with the real MNIST in it; skip the test where there is none."""
    folder = Path(os.environ.get("TUI_LATENT_DATA", ""))
    if not list((folder / "MNIST" / "raw").glob("train-images-idx3-ubyte*")):
        pytest.skip("no MNIST in $TUI_LATENT_DATA")
    return folder
