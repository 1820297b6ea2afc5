from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.runs.manifest import preset_text

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
