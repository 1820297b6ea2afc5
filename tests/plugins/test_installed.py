"""Plugins of installed packages: found by their entry points, in a fresh Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.test_loading import METHOD, NETWORK

SOURCE = """
import numpy as np
from tui_latent.sources.base import OwnSource, register
from tui_latent.sources.files.raw import RawImages, RawSplit

class Noise(OwnSource):
    def read(self, path):
        images = np.random.default_rng(0).integers(0, 255, (40, 1, 8, 8), dtype=np.uint8)
        return RawImages("noise", ("a", "b"), RawSplit(images, np.arange(40) % 2), None)

register(Noise(name="noise", heading="Noise"))
"""
TRAINED = "\nfrom tui_latent.methods.vicreg import Vicreg\nclass Trained(Vicreg): pass\n"


def install(target: Path, package: str, modules: dict[str, str], entries: str) -> None:
    """Install a package into a folder, as pip leaves it."""
    (target / package).mkdir(parents=True)
    (target / package / "__init__.py").write_text("")
    for name, content in modules.items():
        (target / package / f"{name}.py").write_text(content)
    info = target / f"{package}-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(entries)
    (info / "RECORD").write_text("")


def command(target: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run tui-latent with the packages of a folder installed."""
    path = os.pathsep.join([str(target), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "tui_latent", *words],
        env=os.environ | {"PYTHONPATH": path},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Return a folder with a package that adds a method, a network and a source."""
    target = tmp_path / "site"
    settings = METHOD.replace("NAME", "pkg_method").replace(":Trained", "my_plugins.nets:Trained")
    settings = settings.replace("MethodSettings, r", "MethodSettings, NetworkSettings, r").replace(
        "class Settings(MethodSettings)", "class Settings(VicregSettings)"
    )
    settings = "from tui_latent.config.methods.vicreg import VicregSettings\n" + settings
    install(
        target,
        "my_plugins",
        {"method": settings, "nets": TRAINED, "network": NETWORK, "source": SOURCE},
        "[tui_latent.methods]\nmine = my_plugins.method\n"
        "[tui_latent.networks]\nflat = my_plugins.network\n"
        "[tui_latent.sources]\nnoise = my_plugins.source:Noise\n",
    )
    return target


def preset(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


TEXT = """
[data]
source = "noise"
[method]
name = "pkg_method"
latent_dim = 2
network = "flat"
projector = [8]
[train]
epochs = 1
batch_size = 16
device = "cpu"
"""


def test_a_run_uses_them_notes_them_and_asks_for_them_where_they_are_not(
    target: Path, tmp_path: Path
) -> None:
    runs = str(tmp_path / "runs")
    trained = command(
        target, "train", preset(tmp_path, TEXT), "--runs", runs, "--name", "one", "--json"
    )
    assert trained.returncode == 0, trained.stderr
    assert json.loads(trained.stdout.splitlines()[-1])["state"] == "finished"
    noted = (tmp_path / "runs" / "one" / "preset.toml").read_text()
    assert 'name = "my_plugins"' in noted and 'version = "1.5"' in noted
    for part in ("method pkg_method", "network flat", "source noise"):
        assert part in noted
    again = command(tmp_path / "nothing", "resume", "one", "--runs", runs)
    assert again.returncode == 2
    assert "needs the package my_plugins 1.5, which has the method 'pkg_method'" in again.stderr
    assert "install it here" in again.stderr
    listed = command(tmp_path / "nothing", "runs", "--runs", runs)
    assert "finished" in listed.stdout and not listed.stderr


def test_one_that_fails_hides_no_other_and_says_why(target: Path, tmp_path: Path) -> None:
    install(target, "broken", {"bad": "x = 1\nx / 0\n"}, "[tui_latent.methods]\nbad = broken.bad\n")
    found = command(target, "doctor", "--json")
    plugins = json.loads(found.stdout)["plugins"]
    assert plugins["my_plugins"].startswith("1.5: method pkg_method")
    assert "bad.py, line 2: ZeroDivisionError" in plugins["broken"]
    text = TEXT.replace("pkg_method", "bad")
    refused = command(target, "train", preset(tmp_path, text), "--runs", str(tmp_path / "runs"))
    assert refused.returncode == 2
    assert "unknown value 'bad'" in refused.stderr
    assert "the installed plugin broken cannot be used: " in refused.stderr
    other = command(target, "presets")
    notices = [line for line in other.stderr.splitlines() if "broken" in line]
    assert other.returncode == 0 and len(notices) == 1
    assert notices[0].startswith("tui-latent: the installed plugin broken cannot be used: ")
    assert "bad.py, line 2: ZeroDivisionError" in notices[0]


@pytest.mark.parametrize(
    ("module", "entry", "sentence"),
    [
        ("x = 1", "gone = second.nowhere", "there is no module 'second.nowhere', which its entry"),
        ("x = 1", "gone = second.one:Gone", "there is no 'Gone' in second.one, which its entry"),
        ("import gone_7", "mine = second.one", "one.py, line 1: ModuleNotFoundError: No module"),
        ("import os; os.gone_7", "mine = second.one", "one.py, line 1: AttributeError: module"),
        (None, "mine = second.one", "from my_plugins 1.5: uninstall my_plugins 1.5, or this one"),
    ],
)
def test_a_package_that_cannot_be_used_is_told_with_a_remedy(
    target: Path, module: str | None, entry: str, sentence: str
) -> None:
    same = (target / "my_plugins" / "method.py").read_text()
    install(target, "second", {"one": module or same}, f"[tui_latent.methods]\n{entry}\n")
    plugins = json.loads(command(target, "doctor", "--json").stdout)["plugins"]
    assert sentence in plugins["second"] and "frozen" not in plugins["second"]
    assert plugins["my_plugins"].startswith("1.5: method pkg_method")
