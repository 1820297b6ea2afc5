from __future__ import annotations

import codecs
import shlex
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors.torch import load_file

from tui_latent.cli.main import main
from tui_latent.config.effects import effective
from tui_latent.config.preset_fields import preset_fields
from tui_latent.config.preset_files import PresetError, preset_folder, preset_names, preset_path
from tui_latent.config.presets import (
    dump_preset,
    load_preset,
    load_run_preset,
    parse_override,
    parse_preset,
)
from tui_latent.config.settings import Preset
from tui_latent.config.train_command import train_command
from tui_latent.launch.start import create_run
from tui_latent.runs.writer import RunWriter

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


@pytest.mark.slow
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
        ("epochs", 1, ["epochs: unknown key; did you mean 'train.epochs'?"]),
        ("train.latent_dim", 1, ["train.latent_dim: unknown key", "'method.latent_dim'"]),
        ("data.learning_rate", 1, ["data.learning_rate: unknown key; known: source"]),
        ("method.nonsense", 1, ["method.nonsense: unknown key; known: name"]),
        ("data.source.name", 1, ["data.source.name", "'data.source' is not a table"]),
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


@pytest.mark.slow
@given(st.dictionaries(keys, anything, max_size=3), st.sampled_from(sorted(METHODS)))
@example({"": None, "method.name": []}, "autoencoder")
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


def test_a_stage_is_set_by_its_number_and_all_of_them_by_a_star() -> None:
    name = "digits-contrastive-2d"
    before = load_preset(name)
    changes: dict[str, object] = {"stages.0.lr": 0.5, "stages.*.lr": 0.25, "stages.-1.epochs": 7}
    stages = load_preset(name, changes).stages
    assert [stage.lr for stage in stages] == [0.5, 0.25, 0.25]
    assert [s.epochs for s in stages] == [*(s.epochs for s in before.stages[:2]), 7]
    assert [s.latent_dim for s in stages] == [s.latent_dim for s in before.stages]
    assert load_preset(name) == before


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("stages.3.lr", "there is no such stage: this preset has stages.0 to stages.2"),
        ("stages.-4.lr", "there is no such stage"),
        ("stages.x.lr", "say which stage: stages.0 to stages.2, or stages.* for all"),
        ("stages.lr", "say which stage"),
        ("stages.1", "did you mean|known: title"),
        ("stages.1.epoch", "did you mean 'epochs'"),
        ("stages.*.rate", "known: title, epochs"),
    ],
)
def test_a_stage_that_is_not_there_is_reported(key: str, says: str) -> None:
    with pytest.raises(PresetError, match=says) as caught:
        load_preset("digits-contrastive-2d", {key: 1})
    assert key in str(caught.value) and len(caught.value.problems) == 1


def test_a_preset_without_stages_names_the_setting_instead() -> None:
    with pytest.raises(PresetError, match=r"has no stages: set train\.lr"):
        load_preset("digits-triplet-2d", {"stages.0.lr": 1})


@pytest.mark.parametrize("key", ["train.lr", "train.epochs", "stages.0.lr"])
def test_a_flag_is_not_a_number(key: str) -> None:
    stages = [{"epochs": 1, "latent_dim": 2, "lr": 0.1}] if key.startswith("stages") else []
    message = refused(table(stages=stages), {key: True})
    assert key in message and "should be a number" in message


def test_a_path_in_a_file_that_lacks_its_quotes_is_told_how_to_write_it() -> None:
    for value in (2024, True):
        message = refused({**table(), "data": {"source": "folder", "path": value}})
        assert f'write it in quotes, "{str(value).lower()}"' in message


def test_a_date_for_a_number_is_shown_as_it_was_written() -> None:
    message = refused(table(), dict([parse_override("train.epochs=2024-05-01")]))
    assert "valid integer, not 2024-05-01" in message


def commanded(command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Preset:
    """Return the preset that a command trains, given in another folder."""
    monkeypatch.chdir(folder)
    program, train, name, *options = shlex.split(command)
    assert (program, train) == ("tui-latent", "train")
    assert options[::2] == ["--set"] * (len(options) // 2)
    return load_preset(name, dict(map(parse_override, options[1::2])))


ODD = [
    "plain",
    "with space",
    "it's",
    'a "quote"',
    "ü – 漢",
    "2024",
    "a=b,c",
    "[x]",
    "$HOME`ls`",
    "#",
]


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD)
def test_the_command_of_an_own_preset_holds_in_any_folder(
    odd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, elsewhere = tmp_path / odd, tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    (home / f"{odd}.toml").write_text(dump_preset(parse_preset(table("siamese"), {}, "x")))
    np.savez(
        home / f"{odd}.npz",
        x_train=np.zeros((8, 8, 8), np.uint8),
        y_train=np.arange(8) % 2,
        class_names=np.array([odd, "other"]),
    )
    monkeypatch.chdir(home)
    changes: dict[str, object] = {
        "data.source": "arrays",
        "data.path": f"{odd}.npz",
        "data.merge": {odd: ["other"]},
        "data.classes": [odd, "other"],
        "method.margin": 0.3,
        "train.seed": 7,
        "title": odd,
    }
    preset = load_preset(f"{odd}.toml", changes)
    run = create_run(f"{odd}.toml", preset, tmp_path / "runs", "run")
    kept = tomllib.loads((run / "preset.toml").read_text())
    assert kept["provenance"]["preset"] == odd
    made = load_run_preset(run)
    assert made.data.path == str(home / f"{odd}.npz")
    again = commanded(kept["provenance"]["command"], elsewhere, monkeypatch)
    assert again == made
    assert (again.method, again.train, again.title) == (preset.method, preset.train, odd)
    assert load_preset(str(run / "preset.toml")) == made


@pytest.mark.slow
def test_the_kept_command_trains_the_very_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("mine.toml").write_text(dump_preset(parse_preset(table("triplet"), {}, "x")))
    words = ["train", "mine.toml", "--runs", "r", "--name", "a", "--seed", "3"]
    for setting in ("data.per_class=6", "train.epochs=2", "train.batch_size=20", "train.lr=0.01"):
        words += ["--set", setting]
    assert CliRunner().invoke(main, words).exit_code == 0
    first = Path("r/a").absolute()
    kept = tomllib.loads((first / "preset.toml").read_text())["provenance"]["command"]
    monkeypatch.chdir(tmp_path / "there")
    again = CliRunner().invoke(main, [*shlex.split(kept)[1:], "--runs", "r", "--name", "b"])
    assert again.exit_code == 0, again.output
    latents = [load_file(run / "latents" / "last.safetensors") for run in (first, Path("r/b"))]
    assert latents[0].keys() == latents[1].keys()
    assert all(torch.equal(latents[0][key], latents[1][key]) for key in latents[0])
    assert load_run_preset(Path("r/b")) == load_run_preset(first)


def test_a_command_changes_the_method_and_the_stages_where_the_preset_does() -> None:
    name = "digits-contrastive-2d"
    for preset in (
        load_preset(name, {"stages": [], "train.lr": 0.5}),
        load_preset("mnist-autoencoder-2d", {"method.name": "triplet"}),
        load_preset("digits-triplet-2d"),
        load_preset(name, {"stages.*.trainable": "all", "expect": {}}),
    ):
        for base in (name, "mnist-autoencoder-2d"):
            words = shlex.split(train_command(base, preset))
            overrides = dict(map(parse_override, words[4::2]))
            again = load_preset(base, overrides)
            assert (effective(again), again.title) == (effective(preset), preset.title)


def test_what_is_no_preset_has_no_command() -> None:
    assert train_command("nowhere", load_preset("digits-triplet-2d")) == ""


@pytest.mark.parametrize("prefix", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_a_preset_saved_by_a_windows_editor_is_read(
    tmp_path: Path, prefix: bytes, ending: bytes
) -> None:
    preset = parse_preset(table(title="grüne Ziffern"), {}, "x")
    file = tmp_path / "mine.toml"
    file.write_bytes(prefix + dump_preset(preset).encode().replace(b"\n", ending))
    assert load_preset(str(file)) == preset


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("title = 'ü'\n".encode("utf-16"), "it begins with the byte order mark of UTF-16"),
        ("# ü\ntitle = 'x ü'\n".encode("latin-1"), "byte 0xfc at line 1, column 3 is not UTF-8"),
        (b"title = 'x'\nabout = '\xe9'\n", "byte 0xe9 at line 2, column 10 is not UTF-8"),
        (codecs.BOM_UTF8 * 2 + b"title = 'x'", r"U\+FEFF, ZERO WIDTH NO-BREAK SPACE"),
        ("title = “x”".encode(), r"U\+201C, LEFT DOUBLE QUOTATION MARK"),
        ("title\u00a0= 'x'".encode(), r"U\+00A0, NO-BREAK SPACE"),
        (b"title = 'x'\n\x00", r"U\+0000, a control character"),
    ],
)
def test_a_file_that_looks_right_names_what_stands_where(
    tmp_path: Path, content: bytes, says: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(content)
    with pytest.raises(PresetError, match=says):
        load_preset(str(file))


@pytest.mark.parametrize("file", ["mine.toml", "v1.2.toml", "my own.toml", "sub/mine.toml"])
def test_a_preset_of_ones_own_is_found_with_and_without_its_ending(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    Path(file).parent.mkdir(exist_ok=True)
    preset = parse_preset(table(title="mine"), {}, "x")
    Path(file).write_text(dump_preset(preset))
    for name in (file, file.removesuffix(".toml"), f"./{file}", f"~/{file}", tmp_path / file):
        assert load_preset(str(name)) == preset
    run = create_run(file, preset, tmp_path / "runs")
    stem = Path(file).name.removesuffix(".toml")
    assert run.name.endswith(stem.replace(" ", "-"))


def test_a_folder_in_the_place_of_a_preset_is_reported(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("")
    with pytest.raises(PresetError, match=r"a folder: name one of its files: mine\.toml"):
        load_preset(str(tmp_path))
    run = create_run("x", load_preset("digits-triplet-2d"), tmp_path / "runs", "run")
    with pytest.raises(PresetError, match=r"run/preset\.toml"):
        load_preset(str(run))
    with pytest.raises(PresetError, match="did you mean 'digits-triplet-2d'"):
        load_preset("digits-triplet-2d.toml")


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
    assert parse_preset(table(method), {}, "x").method.supervised is sees


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("dtype", "dtype"),
        ("percentile 1 99", "percentile 1 99"),
        ("percentile 0.50, 99.5", "percentile 0.5 99.5"),
        ([0, 4095], (0.0, 4095.0)),
        ([-1.5, 2], (-1.5, 2.0)),
        ("0, 4095", (0.0, 4095.0)),
        ("-100 1e2", (-100.0, 100.0)),
        ("(0.5,1)", (0.5, 1.0)),
    ],
)
def test_a_range_of_values_is_read_and_written(written: object, read: object) -> None:
    method = {"name": "vicreg", "latent_dim": 2}
    table = {"data": {"source": "folder", "path": "d"}, "method": method}
    found = parse_preset(table, {"data.range": written}, "mine.toml")
    assert found.data.range == read
    again = parse_preset(tomllib.loads(dump_preset(found)), {}, "mine.toml")
    assert again.data.range == read


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("percentile 99 1", "the lower one first"),
        ("percentile 1 101", "the lower one first"),
        ([5, 5], "must be below"),
        ([5], "or [low, high]"),
        ([True, False], "or [low, high]"),
        ("4095 0", "must be below"),
        ("1e 2", "or [low, high]"),
        ("auto", "'percentile 1 99', or [low, high]"),
        (3, "or [low, high]"),
    ],
)
def test_what_is_not_a_range_of_values_is_reported(written: object, said: str) -> None:
    method = {"name": "vicreg", "latent_dim": 2}
    table = {"data": {"source": "folder", "path": "d"}, "method": method}
    with pytest.raises(PresetError) as caught:
        parse_preset(table, {"data.range": written}, "mine.toml")
    assert "data.range" in str(caught.value) and said in str(caught.value)


@pytest.mark.parametrize(
    ("key", "given", "says"),
    [
        ("train.batch_size", "abc", "should be a valid integer, not 'abc'"),
        ("train.batch_size", 1.5, "should be a valid integer, not 1.5"),
        ("train.lr", "abc", "should be a valid number, not 'abc'"),
        ("train.lr", 0, "should be greater than 0, not 0"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_in_one_clause(
    key: str, given: object, says: str
) -> None:
    assert refused(table(), {key: given}) == f"mine.toml: {key}: {says}"
