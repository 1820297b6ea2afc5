"""Which folders of runs are used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_latent.preferences.runs_folders import runs_folder


def test_the_folder_is_the_one_given_or_the_environments_or_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TUI_LATENT_RUNS", "~/elsewhere")
    assert runs_folder("/given") == Path("/given")
    assert runs_folder(None) == Path.home() / "elsewhere"
    monkeypatch.delenv("TUI_LATENT_RUNS")
    assert runs_folder(None) == Path("runs")
