"""A preset being edited: what typed texts mean, and that what is wrong stands at its setting."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.menus import CONTRASTIVE
from tui_latent.config.preset_fields import PresetField
from tui_latent.config.preset_files import read_table
from tui_latent.config.presets import load_preset, parse_override, parse_preset
from tui_latent.tui.screens.settings.draft import SettingsDraft, setting_text, setting_value

VICREG = """
[data]
source = "digits"
merge = {small = ["0", "1"], "big ones" = ["8", "9"]}
[method]
name = "vicreg"
latent_dim = 8
projector = [64, 32]
[train]
epochs = 3
"""


def draft(folder: Path, text: str = CONTRASTIVE.format(source="digits", dim=2, top="")) -> Any:
    path = folder / "mine.toml"
    path.write_text(text)
    preset = load_preset(str(path))
    return SettingsDraft(str(path), read_table(path), preset, folder / "runs")


def overrides(command: str) -> dict[str, object]:
    """Return what the command's --set say, as the command line reads them."""
    words = shlex.split(command)
    texts = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
    return dict(parse_override(text) for text in texts)


@pytest.mark.slow
def test_untouched_it_is_the_preset(tmp_path: Path) -> None:
    for text in (CONTRASTIVE.format(source="digits", dim=2, top=""), VICREG):
        untouched = draft(tmp_path, text)
        assert untouched.changed == [] and untouched.errors == {}
        for key, typed in list(untouched.texts.items()):
            untouched.write(key, typed)
        assert untouched.changed == [] and untouched.errors == {}
        assert untouched.preset == load_preset(str(tmp_path / "mine.toml"))


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("train.epochs", "7", 7),
        ("train.lr", ".05", 0.05),
        ("train.lr", " 1e-4 ", 1e-4),
        ("method.decoupled", "on", True),
        ("data.inputs", "hog", "hog"),
        ("data.classes", "3, 5", ("3", "5")),
        ("data.classes", '["3", "5"]', ("3", "5")),
        ("train.device", "cpu", "cpu"),
    ],
)
def test_what_is_typed_is_what_trains(tmp_path: Path, key: str, text: str, value: object) -> None:
    edited = draft(tmp_path)
    edited.write(key, text)
    assert edited.errors == {} and edited.changed == [key]
    section, name = key.split(".")
    assert getattr(getattr(edited.preset, section), name) == value


@pytest.mark.parametrize(
    ("key", "text", "word"),
    [
        ("train.epochs", "0", "greater than or equal to 1"),
        ("train.epochs", "many", "valid integer"),
        ("train.epochs", "", "valid integer"),
        ("train.lr", "nan", "finite number"),
        ("data.skip_corrupt", "maybe", "valid boolean"),
        ("data.source", "mnits", "did you mean 'mnist'?"),
        ("data.classes", "3, 15", "15"),
        ("data.merge", "odd", "valid dictionary"),
        ("train.device", "gpu", "match pattern"),
    ],
)
def test_what_is_wrong_stands_at_its_setting(
    tmp_path: Path, key: str, text: str, word: str
) -> None:
    edited = draft(tmp_path)
    edited.write(key, text)
    assert list(edited.errors) == [key] and word in edited.errors[key]
    assert edited.preset is None and edited.command == ""
    edited.reset(key)
    assert edited.errors == {} and edited.preset is not None and edited.changed == []


def test_errors_of_lists_and_of_tables_stand_at_a_setting_that_is_shown(tmp_path: Path) -> None:
    edited = draft(tmp_path, VICREG)
    edited.write("method.projector", "64, 0, 32")
    assert "method.projector.1: " in edited.errors["method.projector"]
    edited.reset("method.projector")
    edited.write("data.source", "folder")
    assert "needs a path" in edited.errors["data.source"]
    edited.write("data.path", str(tmp_path / "nowhere"))
    assert list(edited.errors) == ["data.path"] and "nowhere" in edited.errors["data.path"]


def test_where_stages_stand_in_for_settings_that_is_said(tmp_path: Path) -> None:
    stage = "[[stages]]\nepochs = 2\nlatent_dim = 2\nlr = 0.1\n"
    staged = draft(tmp_path, CONTRASTIVE.format(source="digits", dim=2, top="") + stage)
    assert "set stages.0.epochs for the first" in staged.idle["train.epochs"]
    assert "train.batch_size" not in staged.idle
    staged.write("train.epochs", "7")
    assert "no effect" in staged.errors["train.epochs"] and staged.preset is None
    staged.reset("train.epochs")
    staged.write("stages.0.epochs", "7")
    assert staged.preset is not None and staged.preset.stages[0].epochs == 7
    assert staged.command.endswith("--set stages.0.epochs=7")
    staged.write("method.latent_dim", "3")
    assert "last stage's latent_dim is 2" in staged.errors["method.latent_dim"]


STAGES = """
[[stages]]
title = "16-D"
epochs = 2
latent_dim = 16
lr = 0.1
[[stages]]
title = "2-D"
epochs = 1
latent_dim = 2
lr = 0.1
"""


def test_one_row_sets_a_setting_of_all_stages(tmp_path: Path) -> None:
    staged = draft(tmp_path, CONTRASTIVE.format(source="digits", dim=2, top="") + STAGES)
    keys = list(staged.fields)
    assert keys.index("stages.*.lr") < keys.index("stages.0.title")
    assert "stages.*.title" not in keys and "stages.*.latent_dim" not in keys
    assert staged.texts["stages.*.lr"] == "0.1" and staged.varied("stages.*.lr", 24) == ""
    assert staged.texts["stages.*.epochs"] == "" and staged.varied("stages.*.epochs", 24) == "2 · 1"
    assert staged.preset_text("stages.*.epochs") == "2 · 1"
    staged.write("stages.*.lr", "0.2")
    assert staged.changed == ["stages.0.lr", "stages.1.lr"]
    assert staged.changed_rows() == {"stages.*.lr", *staged.changed}
    assert staged.preset is not None and [s.lr for s in staged.preset.stages] == [0.2, 0.2]
    assert staged.command.endswith("--set 'stages.*.lr=0.2'")
    again = load_preset(str(tmp_path / "mine.toml"), overrides(staged.command))
    assert again == staged.preset
    staged.write("stages.1.lr", "0.3")
    assert staged.varied("stages.*.lr", 24) == "0.2 · 0.3"
    assert staged.varied("stages.*.lr", 8) == "0.2 · …"
    assert "stages.0.lr=0.2" in staged.command and "stages.1.lr=0.3" in staged.command
    staged.write("stages.*.lr", "-1")
    assert "greater than 0" in staged.error_of("stages.*.lr") and staged.preset is None
    staged.reset("stages.*.lr")
    assert staged.changed == [] and staged.texts["stages.*.lr"] == "0.1"


def test_a_single_stage_needs_no_row_for_all(tmp_path: Path) -> None:
    stage = "[[stages]]\nepochs = 2\nlatent_dim = 2\nlr = 0.1\n"
    staged = draft(tmp_path, CONTRASTIVE.format(source="digits", dim=2, top="") + stage)
    assert not [key for key in staged.fields if "*" in key]


def test_a_saved_preset_trains_the_same_and_promises_nothing(tmp_path: Path) -> None:
    top = 'expect = {"val/knn_20" = 0.9}\nminutes = {cpu = 1.0}'
    text = CONTRASTIVE.format(source="folder", dim=2, top=top) + STAGES
    images = tmp_path / "images"
    for name in ("cat", "dog"):
        (images / name).mkdir(parents=True)
    text = text.replace('source = "folder"', 'source = "folder"\npath = "images"')
    with contextlib.chdir(tmp_path):
        edited = draft(tmp_path, text)
        kept = edited.saved_table()
        edited.write("stages.*.lr", "0.25")
        edited.errors, edited.preset = (
            {},
            parse_preset(read_table(tmp_path / "mine.toml"), {"stages.*.lr": 0.25}, "mine"),
        )
        table = edited.saved_table()
    assert kept["minutes"] == {"cpu": 1.0} and "with" not in kept["about"].split(".")[0]
    assert "expect" not in table and "minutes" not in table
    assert table["about"].startswith(f"{edited.name} with stages.*.lr=0.25. The contrastive map")
    assert table["data"]["path"] == str(images)
    saved = parse_preset(table, {}, "saved")
    assert [stage.lr for stage in saved.stages] == [0.25, 0.25]
    assert edited.unsaved == ["stages.0.lr", "stages.1.lr"]


def test_class_names_that_look_like_numbers_are_typed_without_quotes(tmp_path: Path) -> None:
    text = VICREG.replace('"vicreg"', '"triplet"').replace("projector = [64, 32]", "")
    edited = draft(tmp_path, text)
    edited.write("data.merge", "{odd = [1, 3], 'a, b' = [0]}")
    edited.write("data.classes", "[0, 1, 3]")
    assert edited.errors == {} and edited.preset is not None
    assert edited.preset.data.merge == {"odd": ("1", "3"), "a, b": ("0",)}
    assert edited.preset.data.classes == ("0", "1", "3")
    again = load_preset(str(tmp_path / "mine.toml"), overrides(edited.command))
    assert again == edited.preset


def test_every_wrong_setting_is_reported_at_once(tmp_path: Path) -> None:
    edited = draft(tmp_path)
    edited.write("train.epochs", "0")
    edited.write("method.latent_dim", "-1")
    assert set(edited.errors) == {"train.epochs", "method.latent_dim"}


def test_the_command_makes_the_same_preset(tmp_path: Path) -> None:
    edited = draft(tmp_path, VICREG)
    for key, text in (
        ("data.classes", "3, 5, 8, 9, 0, 1"),
        ("method.variance_sum", "full"),
        ("method.projector", "16"),
        ("train.lr", "0.5"),
        ("train.pause_on_collapse", "on"),
    ):
        edited.write(key, text)
    assert edited.errors == {}
    assert "\n" not in edited.command
    assert edited.command.startswith(f"tui-latent train {tmp_path / 'mine.toml'} --set ")
    again = load_preset(str(tmp_path / "mine.toml"), overrides(edited.command))
    assert again == edited.preset


VALUES = st.one_of(
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.text(st.characters(exclude_categories=["C"]), max_size=5), max_size=4).map(tuple),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=4).map(tuple),
)


@given(VALUES)
def test_a_value_survives_being_shown_and_read(value: object) -> None:
    kind: Any = "flag" if isinstance(value, bool) else "number"
    texts = isinstance(value, tuple) and not any(isinstance(item, int) for item in value)
    key = "data.classes" if texts else "method.projector"
    field = PresetField(key, value, "text" if isinstance(value, tuple) else kind, (), "")
    read = setting_value(field, setting_text(value))
    assert (tuple(read) if isinstance(read, Sequence) else read) == value
