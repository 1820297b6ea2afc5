"""Presets of one's own: found by name, in any folder, and never written over another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tui_latent.cli.main import main
from tui_latent.config.own_folders import first_own_folder, own_folders, own_presets
from tui_latent.config.own_presets import save_preset
from tui_latent.config.preset_files import PresetError, all_presets, preset_path
from tui_latent.config.presets import load_preset

TABLE: dict[str, Any] = {
    "title": "Mine",
    "data": {"source": "digits"},
    "method": {"name": "contrastive", "latent_dim": 2},
    "train": {"epochs": 3},
}


def test_a_saved_preset_is_found_by_its_name() -> None:
    assert own_presets() == {} and first_own_folder() == own_folders()[0]
    path = save_preset(first_own_folder(), "mine", TABLE)
    assert preset_path("mine") == path and load_preset("mine").train.epochs == 3
    assert all_presets()[-1] == "mine" and "digits-contrastive-2d" in all_presets()
    listed = CliRunner().invoke(main, ["presets"])
    assert "mine" in listed.output and "Mine" in listed.output


def test_a_broken_preset_does_not_hide_the_others() -> None:
    save_preset(first_own_folder(), "mine", TABLE)
    (first_own_folder() / "broken.toml").write_text("title =")
    listed = CliRunner().invoke(main, ["presets"])
    assert listed.exit_code == 0 and "Mine" in listed.stdout
    assert "broken" in listed.stderr and "broken" not in listed.stdout


def test_presets_in_another_folder_are_listed_once_one_is_saved_there(tmp_path: Path) -> None:
    elsewhere = tmp_path / "a folder"
    save_preset(elsewhere, "other", TABLE)
    save_preset(elsewhere, "another", TABLE)
    assert own_folders() == [first_own_folder(), elsewhere]
    assert set(own_presets()) == {"other", "another"}
    assert preset_path("other").parent == elsewhere


def test_nothing_is_written_over_unless_it_is_said() -> None:
    folder = first_own_folder()
    path = save_preset(folder, "mine", TABLE)
    before = path.read_bytes()
    with pytest.raises(PresetError, match="exists"):
        save_preset(folder, "mine", TABLE | {"title": "New"})
    assert path.read_bytes() == before
    save_preset(folder, "mine", TABLE | {"title": "New"}, replace=True)
    assert load_preset("mine").title == "New"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "beginning with a letter"),
        ("a/b", "use letters, digits"),
        ("..", "beginning with a letter"),
        ("digits-contrastive-2d", "comes with tui-latent"),
    ],
)
def test_names_that_cannot_be_used_are_refused(name: str, words: str) -> None:
    with pytest.raises(PresetError, match=words):
        save_preset(first_own_folder(), name, TABLE)


def test_one_name_in_two_folders_is_refused(tmp_path: Path) -> None:
    save_preset(first_own_folder(), "mine", TABLE)
    with pytest.raises(PresetError, match=r"exists in .*own-presets already"):
        save_preset(tmp_path / "elsewhere", "mine", TABLE)


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PresetError, match="not a folder"):
        save_preset(tmp_path / "file", "mine", TABLE)
    with pytest.raises(PresetError, match="cannot be written"):
        save_preset(tmp_path / "file" / "inside", "mine", TABLE)
