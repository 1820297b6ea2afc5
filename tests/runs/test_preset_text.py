from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.runs.manifest import preset_text, read_manifest
from tui_latent.runs.schema import RunError

texts = st.text(st.characters(codec="utf-8"), max_size=10)
plain = st.one_of(
    texts, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False)
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(plain, st.lists(plain, max_size=3)),
    lambda inner: st.one_of(
        st.dictionaries(texts, inner, max_size=4),
        st.lists(st.dictionaries(texts, plain, max_size=3), min_size=1, max_size=3),
    ),
    max_leaves=8,
)


@pytest.mark.slow
@given(st.dictionaries(texts, values, max_size=5))
def test_what_is_written_is_what_tomllib_reads(table: dict[str, Any]) -> None:
    assert tomllib.loads(preset_text(table)) == table


def test_tables_of_a_preset_read_well() -> None:
    table = {"title": "a", "data": {"classes": ("x", "y"), "none": None}, "stages": [{"epochs": 1}]}
    assert preset_text(table) == (
        'title = "a"\nstages = [\n    { epochs = 1 },\n]\n\n'
        '[data]\nclasses = [\n    "x",\n    "y",\n]\n'
    )


def test_odd_texts_are_kept_or_spelled_out() -> None:
    assert tomllib.loads(preset_text({"a": "tab\t \x7f \x00 \U0001f600"})) == {
        "a": "tab\t \x7f \x00 \U0001f600"
    }
    assert tomllib.loads(preset_text({"a": "file\udcff"})) == {"a": "file\\udcff"}


def test_what_toml_cannot_say_is_refused() -> None:
    with pytest.raises(TypeError, match="TOML"):
        preset_text({"a": object()})


WANTED = {
    "method": ("name", "latent_dim"),
    "train": ("seed",),
    "provenance": ("created", "command"),
}


@pytest.mark.parametrize(
    "extra",
    [
        "",
        '[data]\nnames = [\n    "[train]",\n    "seed = 5",\n]\n',
        "[data]\nsizes = [\n[1],\n[2]\n]\n",
        '[data]\nnote = """\n[train]\nseed = 9\n"""\n',
        '[[stages]]\nname = "first"\nseed = 4\n',
        "[method.more]\nlatent_dim = 7\n",
    ],
    ids=["plain", "arrays", "nested arrays", "long texts", "stages", "tables in tables"],
)
def test_some_values_of_a_preset_are_those_of_the_whole(tmp_path: Path, extra: str) -> None:
    text = (
        'title = "a"\n\n[method]\nname = "vicreg"\nlatent_dim = 16\nwidths = [\n    32,\n]\n\n'
        f"{extra}\n[train]\nseed = 3\nlr = 0.1\n\n"
        '[provenance]\ncreated = 2020-05-01T12:00:00Z\ncommand = "tui-latent \\"x\\""\n'
        '\n[provenance.versions]\ncommand = "1"\n'
    )
    (tmp_path / "preset.toml").write_text(text)
    some, every = read_manifest(tmp_path, WANTED), read_manifest(tmp_path)
    for table, names in WANTED.items():
        for name in names:
            of = {
                manifest: manifest.preset.get(table) or manifest.provenance
                for manifest in (some, every)
            }
            assert of[some][name] == of[every][name]
    assert some.created == every.created


def test_a_torn_preset_is_told_whatever_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "preset.toml").write_text('[method]\nname = "a"\n[train]\nseed = 3\n[provenance')
    with pytest.raises(RunError, match="not a TOML file"):
        read_manifest(tmp_path, WANTED)
