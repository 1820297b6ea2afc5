"""Texts after --set, in grids and in the form: what they mean is what the setting is."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.config.presets import load_preset, parse_override
from tui_latent.config.setting_values import read_value, split_items, write_value
from tui_latent.launch.sweep.grid import parse_grid

LOOKALIKES = [
    "2024-05-01",
    "2024",
    "true",
    "null",
    "nan",
    "1e3",
    "0x10",
    "-1",
    "07",
    "[a]",
    "a=b,c",
]


@pytest.mark.parametrize("text", LOOKALIKES)
def test_a_text_setting_takes_text(text: str) -> None:
    assert parse_override(f"data.path={text}") == ("data.path", text)
    assert parse_override(f'data.path="{text}"') == ("data.path", text)
    assert (
        load_preset(
            "digits-triplet-2d",
            {"data.source": "folder"} | dict([parse_override(f"data.path={text}")]),
        ).data.path
        == text
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[0, 1]", ["0", "1"]),
        ("0,1", ["0", "1"]),
        ("[2024-05-01, true, 007, 1e3]", ["2024-05-01", "true", "007", "1e3"]),
        ("[\"a, b\", 'c\"', it's]", ["a, b", 'c"', "it's"]),
        ("[a b, ]", ["a b"]),
        ("[]", []),
        ("", []),
        ("3", ["3"]),
    ],
)
def test_a_list_of_names_takes_names(text: str, names: list[str]) -> None:
    assert parse_override(f"data.classes={text}") == ("data.classes", names)
    assert parse_override(f"data.merge.both={text}") == ("data.merge.both", names)


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("{low = [0, 1], 'a = b' = [\"2, 3\"]}", {"low": ["0", "1"], "a = b": ["2, 3"]}),
        ("{2024 = [true]}", {"2024": ["true"]}),
        ("{}", {}),
    ],
)
def test_groups_of_names(text: str, groups: dict[str, list[str]]) -> None:
    assert read_value("data.merge", text) == groups


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("train.lr=1e-3", 1e-3),
        ("train.epochs=-5", -5),
        ("method.decoupled=true", True),
        ("method.projector=[8, 16]", [8, 16]),
        ("method.projector=8,16", [8, 16]),
        ("stages.0.lr=0.5", 0.5),
        ("stages.0.title=2024", "2024"),
        ("method.loss=nt_xent", "nt_xent"),
        ("stages=[]", []),
    ],
)
def test_other_settings_take_toml(override: str, value: object) -> None:
    assert parse_override(override)[1] == value


def test_a_grid_of_texts() -> None:
    assert parse_grid("data.path=2024, 2024-05-01") == ("data.path", ["2024", "2024-05-01"])
    assert parse_grid('data.path="a,b",c') == ("data.path", ["a,b", "c"])
    assert parse_grid("data.classes=[0,1],[2]")[1] == [["0", "1"], ["2"]]
    assert parse_grid('data.weights="",x')[1] == ["", "x"]


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)


@pytest.mark.slow
@given(TEXTS, st.lists(TEXTS, max_size=4), st.dictionaries(TEXTS, st.lists(TEXTS, max_size=3)))
def test_what_is_written_is_read_again(
    text: str, names: list[str], groups: dict[str, list[str]]
) -> None:
    for key, value in (("data.path", text), ("data.classes", names), ("data.merge", groups)):
        written = write_value(key, value)
        assert "\n" not in written
        assert read_value(key, written) == value
        assert parse_override(f"{key}={written}") == (key, value)


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_a_toml_list_is_split_as_toml_reads_it(items: list[str]) -> None:
    written = write_value("data.classes", items)
    parts = split_items(written[1:-1])
    assert [tomllib.loads(f"v = {part}")["v"] for part in parts] == items
