from __future__ import annotations

import platform
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tui_latent.config.presets import load_preset
from tui_latent.launch.start import create_run
from tui_latent.runtime.versions import version_of


def test_a_package_without_a_record_has_no_version() -> None:
    assert version_of("numpy") == metadata.version("numpy")
    assert version_of("no-such-package") == "–"


@pytest.mark.parametrize("recorded", ["none", "torn"])
def test_a_checkout_that_is_not_installed_creates_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recorded: str
) -> None:
    def version(package: str) -> str | None:
        if recorded == "none":
            raise metadata.PackageNotFoundError(package)
        return None  # as importlib answers for a record without its version

    monkeypatch.setattr("importlib.metadata.version", version)
    preset = load_preset("digits-contrastive-2d", {"train.device": "cpu"})
    path = create_run("digits-contrastive-2d", preset, tmp_path)
    provenance = tomllib.loads((path / "preset.toml").read_text())["provenance"]
    assert set(provenance["versions"].values()) == {"–"}
    assert provenance["python"] == platform.python_version()
