"""Looking at a run fetches nothing; what it names fetches what is missing."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import NoReturn

import pytest
import torchvision.datasets
from click.testing import CliRunner

from tui_latent.analysis import InspectionError, RunData
from tui_latent.analysis.images import load, load_images
from tui_latent.cli.main import main
from tui_latent.config.presets import parse_preset
from tui_latent.config.settings import DataSettings
from tui_latent.launch.start import create_run
from tui_latent.sources.errors import DataError

from .conftest import write_mnist


@pytest.fixture
def online(data_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty data folder, and downloads allowed; whoever begins one fails the test."""
    monkeypatch.delenv("TUI_LATENT_OFFLINE")
    monkeypatch.setenv("HOME", str(tmp_path))
    return data_folder


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(url: str, **_: object) -> NoReturn:
        raise AssertionError(f"{url} was asked for")

    monkeypatch.setattr("urllib.request.urlopen", asked)


@pytest.mark.usefixtures("no_network")
def test_a_missing_dataset_is_named_with_the_command_that_fetches_it(
    online: Path, tmp_path: Path
) -> None:
    table = {"data": {"source": "mnist"}, "method": {"name": "autoencoder", "latent_dim": 2}}
    run = create_run("mnist", parse_preset(table, {}, where="test"), tmp_path / "runs", "run")
    for look in (RunData(run).dataset, lambda: load_images(DataSettings(source="cifar10"), 0)):
        with pytest.raises(InspectionError, match=r"`tui-latent fetch (mnist|cifar10)`"):
            look()
    assert list(online.iterdir()) == []


@pytest.mark.usefixtures("no_network")
def test_missing_weights_are_named_with_the_command_that_fetches_them(online: Path) -> None:
    with pytest.raises(InspectionError, match="`tui-latent fetch resnet18`"):
        load(DataSettings(source="digits", inputs="resnet18"), 0)


@pytest.mark.usefixtures("no_network")
@pytest.mark.slow
def test_outliers_that_are_missing_are_named(online: Path, tmp_path: Path) -> None:
    from tests.trained_runs import train_named
    from tui_latent.analysis.evaluate import evaluate_run

    found = evaluate_run(train_named("autoencoder", tmp_path / "runs"), outliers="kmnist")
    assert "tui-latent fetch kmnist" in found["missing"]["outliers"]


def test_that_command_fetches(
    online: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mnist(tmp_path)
    resources = []
    for path in list((tmp_path / "MNIST" / "raw").iterdir()):
        packed = path.with_name(f"{path.name}.gz")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        resources.append((packed.name, hashlib.md5(packed.read_bytes()).hexdigest()))
    mirror = (tmp_path / "MNIST" / "raw").as_uri() + "/"
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", resources)
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [mirror])
    done = CliRunner().invoke(main, ["fetch", "mnist"])
    assert done.exit_code == 0, done.output
    assert len(load_images(DataSettings(source="mnist"), 0).train) == 30


def test_an_unknown_name_is_answered_with_the_nearest(online: Path) -> None:
    done = CliRunner().invoke(main, ["fetch", "minst"])
    assert done.exit_code == 1 and "did you mean 'mnist'?" in done.output


def test_a_bundled_dataset_needs_no_fetching(online: Path) -> None:
    done = CliRunner().invoke(main, ["fetch", "digits"])
    assert done.exit_code == 1 and "comes with scikit-learn" in done.output


def test_training_still_fetches(online: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tui_latent.datasets.sources import load_dataset

    asked: list[str] = []

    def refused(url: str, **_: object) -> NoReturn:
        asked.append(url)
        raise OSError("no route")

    monkeypatch.setattr("urllib.request.urlopen", refused)
    with pytest.raises(InspectionError):
        load_images(DataSettings(source="mnist"), 0)
    assert not asked
    with pytest.raises(DataError, match="no route"):
        load_dataset(DataSettings(source="mnist"), 0)
    assert asked
