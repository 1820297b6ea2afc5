"""A source of images is one file: stripes, added here at run time, are known everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tui_latent.config.effects import without_effect
from tui_latent.config.preset_fields import preset_fields
from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import parse_preset
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.describe import describe_source
from tui_latent.datasets.sources import load_dataset
from tui_latent.launch.start import create_run, train_run
from tui_latent.sources import SOURCES, PublicDataset
from tui_latent.sources.base import Split, register
from tui_latent.sources.errors import DataError
from tui_latent.tui.screens.menu.preset_facts import check_entry, read_entries

PRESET = """
title = "Stripes"
[data]
source = "stripes"
[method]
name = "autoencoder"
latent_dim = 2
width = 4
hidden_dim = 16
[train]
epochs = 1
batch_size = 8
device = "cpu"
"""


def read(paths: Sequence[Path]) -> Split:
    """Read one NumPy file a split: images, whose first pixel is the label."""
    images = np.load(paths[0])
    return images, images[:, 0, 0, 0].astype(np.int64)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Add the source, and take it away after the test; its files are not there yet."""
    monkeypatch.setitem(SOURCES, "stripes", SOURCES["digits"])  # taken away after the test
    del SOURCES["stripes"]
    register(
        PublicDataset(
            name="stripes",
            heading="Stripes",
            title="Stripes",
            shape=(1, 8, 8),
            class_names=("across", "down"),
            train=24,
            held_out=8,
            read=read,
            training_files=("stripes/train.npy",),
            test_files=("stripes/test.npy",),
        )
    )
    folder = tmp_path / "data"
    monkeypatch.setenv("TUI_LATENT_DATA", str(folder))
    presets = tmp_path / "presets"
    presets.mkdir()
    (presets / "stripes.toml").write_text(PRESET)
    monkeypatch.setattr("tui_latent.config.preset_files.preset_folder", lambda: presets)
    return folder


def write(folder: Path) -> None:
    (folder / "stripes").mkdir(parents=True)
    images = np.random.default_rng(0).integers(0, 255, (32, 1, 8, 8), dtype=np.uint8)
    images[:, 0, 0, 0] = np.arange(32) % 2
    np.save(folder / "stripes" / "train.npy", images[:24])
    np.save(folder / "stripes" / "test.npy", images[24:])


def test_the_menu_groups_and_describes_it(data: Path) -> None:
    [entry] = read_entries()
    assert (entry.source, entry.heading) == ("stripes", "Stripes")
    assert entry.matches("stripes autoencoder")
    source = check_entry(entry)[1].source
    assert source is not None and source.had == "missing"
    assert "put its files there" in source.problem and "stripes/train.npy" in source.problem
    write(data)
    source = check_entry(entry)[1].source
    assert source is not None and (source.had, source.problem) == ("on disk", "")
    assert (source.train, source.held_out, source.shape) == (24, 8, (1, 8, 8))


def test_the_form_offers_it_and_knows_what_it_is(data: Path) -> None:
    table = {"data": {"source": "stripes"}, "method": {"name": "autoencoder", "latent_dim": 2}}
    preset = parse_preset(table, {}, "x")
    [field] = [field for field in preset_fields(preset) if field.key == "data.source"]
    assert field.kind == "choice" and "stripes" in field.choices
    idle = without_effect(preset)
    assert "no colour" in idle["augment.hue"] and "'stripes'" in idle["data.path"]
    with pytest.raises(PresetError, match="unknown value 'stripe'; did you mean 'stripes'"):
        parse_preset(table | {"data": {"source": "stripe"}}, {}, "x")


def test_it_is_trained_on(data: Path, tmp_path: Path) -> None:
    settings = DataSettings(source="stripes")
    with pytest.raises(DataError, match="put its files there"):
        load_dataset(settings, 0)
    write(data)
    preset = parse_preset({"data": {"source": "stripes"}, **_rest()}, {}, "stripes.toml")
    status = train_run(create_run("stripes", preset, tmp_path / "runs"))
    assert status.state == "finished", status.error
    assert describe_source(settings).class_names == ("across", "down")


def test_a_damaged_file_is_named(data: Path) -> None:
    write(data)
    (data / "stripes" / "test.npy").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"test\.npy: wrong content"):
        load_dataset(DataSettings(source="stripes"), 0)


def _rest() -> dict[str, dict[str, object]]:
    import tomllib

    table = tomllib.loads(PRESET)
    return {"method": table["method"], "train": table["train"]}
