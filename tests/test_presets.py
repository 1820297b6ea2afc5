from __future__ import annotations

import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.presets import (
    PresetError,
    dump_preset,
    load_preset,
    load_run_preset,
    parse_override,
    parse_preset,
    preset_fields,
    preset_folder,
    preset_names,
    preset_path,
    train_command,
)
from tui_latent.records.writer import RunWriter
from tui_latent.settings import Preset

METHODS: dict[str, dict[str, Any]] = {
    "contrastive": {"latent_dim": 2, "temperature": 1e-3},
    "vicreg": {"latent_dim": 512, "projector": [8, 16]},
    "triplet": {"latent_dim": 2, "margin": 0.1 + 0.2},
    "siamese": {"latent_dim": 3, "variational": True},
    "autoencoder": {"latent_dim": 7, "activation": "tanh"},
    "eigenmaps": {},
}


def table(method: str = "contrastive", **tables: Any) -> dict[str, Any]:
    return {
        "data": {"source": "digits"},
        "method": {"name": method, **METHODS[method]},
        **tables,
    }


def refused(table: dict[str, Any], overrides: dict[str, object] | None = None) -> str:
    """Return the one problem of a preset, as a person reads it."""
    with pytest.raises(PresetError) as caught:
        parse_preset(table, overrides or {}, where="mine.toml")
    assert len(caught.value.problems) == 1
    return str(caught.value)


@pytest.mark.parametrize("name", preset_names())
def test_every_bundled_preset_loads_and_says_what_it_is(name: str) -> None:
    preset = load_preset(name)
    assert preset.title
    assert preset.title.isprintable()
    assert parse_preset(tomllib.loads(dump_preset(preset)), {}, "again") == preset
    assert len({field.key for field in preset_fields(preset)}) == len(preset_fields(preset))


def test_there_are_bundled_presets() -> None:
    assert "digits-contrastive-2d" in preset_names()
    assert preset_path("digits-contrastive-2d").parent == preset_folder()


texts = st.text(st.characters(codec="utf-8"), max_size=8)


@given(
    method=st.sampled_from(sorted(METHODS)),
    title=texts,
    classes=st.lists(texts, max_size=3),
    merge=st.dictionaries(texts, st.lists(texts, max_size=2), max_size=2),
    lr=st.floats(min_value=0, exclude_min=True, allow_infinity=False),
    seed=st.integers(0, 2**31 - 1),
)
def test_a_preset_written_is_the_preset_read(
    method: str,
    title: str,
    classes: list[str],
    merge: dict[str, list[str]],
    lr: float,
    seed: int,
) -> None:
    data = {"source": "digits", "classes": classes, "merge": merge}
    train = {"lr": lr, "seed": seed}
    preset = parse_preset(table(method, title=title, train=train) | {"data": data}, {}, "x")
    assert parse_preset(tomllib.loads(dump_preset(preset)), {}, "x") == preset
    assert (preset.title, preset.train.lr, preset.data.classes) == (title, lr, tuple(classes))


@pytest.mark.parametrize("method", sorted(METHODS))
def test_the_preset_of_a_run_is_the_one_it_was_made_of(tmp_path: Path, method: str) -> None:
    preset = parse_preset(table(method, title='"quoted" [red] ü\n'), {}, "x")
    run = RunWriter.create(tmp_path, "x", preset.model_dump(mode="json"), {"versions": {"a": "1"}})
    assert load_run_preset(run.path) == preset


def test_stages_survive_a_run_folder(tmp_path: Path) -> None:
    stages = [
        {"epochs": 2, "latent_dim": 128, "lr": 0.1},
        {"epochs": 1, "latent_dim": 2, "lr": 0.01, "trainable": "latent layer", "title": "2-D"},
    ]
    preset = parse_preset(table(stages=stages), {}, "x")
    run = RunWriter.create(tmp_path, "x", preset.model_dump(mode="json"), {})
    assert load_run_preset(run.path).training_stages() == preset.stages
    assert [stage.latent_dim for stage in preset.stages] == [128, 2]


@pytest.mark.parametrize(
    ("tables", "parts"),
    [
        ({"tain": {}}, ["tain: unknown key", "'train'"]),
        ({"train": {"epoch": 3}}, ["train.epoch: unknown key", "'epochs'"]),
        ({"data": {"source": "minst"}}, ["data.source: unknown value 'minst'", "'mnist'"]),
        ({"data": {}}, ["data.source: missing"]),
        ({"data": {"source": "folder"}}, ["data", "--set data.path="]),
        ({"train": {"epochs": 0}}, ["train.epochs", "0", "1"]),
        ({"train": {"epochs": "many"}}, ["train.epochs", "'many'"]),
        ({"train": {"lr": float("nan")}}, ["train.lr", "nan"]),
        ({"train": 3}, ["train", "3"]),
        ({"method": {"name": "vicregg"}}, ["method.name: unknown value 'vicregg'", "'vicreg'"]),
        ({"method": {"latent_dim": 2}}, ["method.name: missing", "eigenmaps"]),
        ({"method": {"name": "triplet"}}, ["method.latent_dim: missing"]),
        ({"method": {"name": "triplet", "latent_dim": 0}}, ["method.latent_dim", "0"]),
        (
            {"method": {"name": "triplet", "latent_dim": 2, "margn": 1.0}},
            ["method.margn: unknown key", "'margin'"],
        ),
        (
            {"method": {"name": "contrastive", "latent_dim": 2, "loss": "cauchi"}},
            ["method.loss: unknown value 'cauchi'", "'cauchy'"],
        ),
        (
            {"stages": [{"epochs": 1, "latent_dim": 2, "lr": 0.1, "epoch": 3}]},
            ["stages.0.epoch: unknown key", "'epochs'"],
        ),
        (
            {"stages": [{"epochs": 1, "latent_dim": 3, "lr": 0.1}]},
            ["latent_dim is 3", "latent_dim is 2"],
        ),
        ({"train": {"device": "gpu"}}, ["train.device", "'gpu'"]),
        ({"expect": {"val/knn_20": "high"}}, ["expect.val/knn_20", "'high'"]),
    ],
)
def test_what_is_wrong_names_file_key_and_remedy(tables: dict[str, Any], parts: list[str]) -> None:
    message = refused(table() | tables)
    assert "\n" not in message
    for part in ["mine.toml: ", *parts]:
        assert part in message


def test_every_wrong_key_is_named_at_once() -> None:
    with pytest.raises(PresetError) as caught:
        parse_preset(table(train={"epoch": 1, "lr": -1.0}), {}, "mine.toml")
    assert [key for key, _ in caught.value.problems] == ["train.lr", "train.epoch"]
    assert len(str(caught.value).splitlines()) == 2


def test_overrides_reach_into_tables_and_leave_the_table_as_it_was() -> None:
    original = table(train={"epochs": 5})
    overrides: dict[str, object] = {"train.epochs": 7, "augment.rotate": 15, "title": "new"}
    preset = parse_preset(original, overrides, "x")
    assert (preset.train.epochs, preset.augment.rotate, preset.title) == (7, 15.0, "new")
    assert original == table(train={"epochs": 5})


@pytest.mark.parametrize(
    ("key", "value", "parts"),
    [
        ("train.epohcs", 1, ["train.epohcs: unknown key", "'epochs'"]),
        ("train.epochs", "x", ["train.epochs", "'x'"]),
        ("trian.epochs", 1, ["trian: unknown key", "'train'"]),
        ("data.source.name", 1, ["data.source.name", "'data.source' is no table"]),
        ("stages.epochs", 1, ["stages.epochs"]),
        ("", 1, ["unknown key"]),
        ("train.", 1, ["train."]),
        ("method", "vicreg", ["method", "'vicreg'"]),
    ],
)
def test_a_wrong_override_names_its_key(key: str, value: object, parts: list[str]) -> None:
    stages = [{"epochs": 1, "latent_dim": 2, "lr": 0.1}]
    message = refused(table(stages=stages), {key: value})
    for part in ["mine.toml: ", *parts]:
        assert part in message


anything: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
keys = st.lists(
    st.sampled_from(
        ["data", "method", "train", "augment", "stages", "name", "source", "epochs", "merge", ""]
    ),
    max_size=3,
).map(".".join)


@given(st.dictionaries(keys, anything, max_size=3), st.sampled_from(sorted(METHODS)))
def test_no_override_whatever_makes_anything_but_a_preset_or_an_error(
    overrides: dict[str, object], method: str
) -> None:
    try:
        preset = parse_preset(table(method), overrides, "x")
    except PresetError as error:
        assert error.problems
    else:
        assert isinstance(preset, Preset)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=5", 5),
        ("a.b = 1e-3", 1e-3),
        ("a.b=true", True),
        ("a.b=cuda:1", "cuda:1"),
        ("a.b=[1, 2]", [1, 2]),
        ('a.b="5"', "5"),
        ("a.b=", ""),
        ("a.b=x=y", "x=y"),
        ("a.b=1\nc=2", "1\nc=2"),
    ],
)
def test_an_override_is_a_key_and_a_toml_value_or_text(text: str, value: object) -> None:
    assert parse_override(text) == ("a.b", value)


@pytest.mark.parametrize("text", ["", "=", "a.b", "=5"])
def test_an_override_without_key_or_value_is_refused(text: str) -> None:
    with pytest.raises(PresetError, match="key=value"):
        parse_override(text)


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(PresetError, match="did you mean 'digits-contrastive-2d'"):
        load_preset("digit-contrastive-2d")


def test_a_preset_of_ones_own_is_loaded_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(dump_preset(parse_preset(table(), {}, "x")))
    assert load_preset(str(path), {"train.epochs": 3}).train.epochs == 3


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"[data\n", "not a TOML file"), (b"\xff\xfe", "not a TOML file"), (b"", "missing")],
)
def test_a_file_that_is_no_preset_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(PresetError, match=says) as caught:
        load_preset(str(path))
    assert "mine.toml" in str(caught.value)


@pytest.mark.parametrize("name", ["absent.toml", "no/such/preset"])
def test_a_file_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(PresetError, match=name):
        load_preset(name)


def test_the_command_of_a_preset_gives_that_preset() -> None:
    changes = {
        "stages.1.lr": 0.02,
        "data.classes": ["3", "a b"],
        "train.eval_every": 3.0,
        "train.device": "cpu",
        "augment.flip": 0.5,
        "method.gaussian": True,
    }
    preset = load_preset("digits-contrastive-2d", changes)
    _, _, name, *options = shlex.split(train_command("digits-contrastive-2d", preset))
    assert options[::2] == ["--set"] * len(changes)
    assert load_preset(name, dict(map(parse_override, options[1::2]))) == preset


def test_the_form_has_a_field_for_every_setting_with_words_beside_it() -> None:
    fields = {field.key: field for field in preset_fields(load_preset("digits-contrastive-2d"))}
    assert fields["data.source"].kind == "choice" and "mnist" in fields["data.source"].choices
    assert fields["train.lr"].kind == "number"
    assert fields["method.decoupled"].kind == "flag"
    assert fields["data.path"].kind == "text"
    assert "method.name" not in fields
    assert all(field.help for field in fields.values())


@pytest.mark.parametrize(("method", "sees"), [("triplet", True), ("vicreg", False)])
def test_a_preset_says_whether_training_sees_labels(method: str, sees: bool) -> None:
    assert parse_preset(table(method), {}, "x").supervised is sees
