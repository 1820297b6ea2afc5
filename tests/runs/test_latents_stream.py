"""Latents written in pieces are those that were given, wherever each row went."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from tui_latent.runs.latents_file import LATENTS_FILE
from tui_latent.runs.latents_stream import streamed_latents

LATENTS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)


@pytest.mark.parametrize("bank", [0, 25])
def test_rows_are_where_they_belong(tmp_path: Path, bank: int) -> None:
    places = np.random.default_rng(1).permutation(40)
    places[10:20] = np.sort(places[10:20])
    with streamed_latents(tmp_path, 7, 40, bank, 3) as stream:
        for start in range(0, 40, 15):
            rows = np.arange(len(places[start : start + 15]))
            stream.write("query", places[start : start + 15], LATENTS[start : start + 15], rows)
        stream.labels("query", places)
        if bank:
            stream.write("bank", np.arange(bank), LATENTS, np.arange(bank) + 3)
            stream.labels("bank", np.arange(bank))
    found = load_file(tmp_path / LATENTS_FILE)
    assert np.array_equal(found["query_latents"][places], LATENTS)
    assert np.array_equal(found["query_labels"], places)
    assert ("bank_latents" in found) == bool(bank)
    if bank:
        assert np.array_equal(found["bank_latents"], LATENTS[3 : bank + 3])
    with safe_open(tmp_path / LATENTS_FILE, "np") as file:
        assert file.metadata() == {"step": "7"}


def test_an_exception_leaves_no_part(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), streamed_latents(tmp_path, 7, 4, 0, 3):
        raise OSError("full")
    assert not list((tmp_path / "latents").iterdir())
