"""The word for a run in a suggested command finds it."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.runs.conftest import MakeRun
from tui_latent.runs.command_word import command_word
from tui_latent.runs.run_list import find_run


def test_the_word_finds_a_run_from_any_folder_of_runs(tmp_path: Path, make_run: MakeRun) -> None:
    run = make_run("one").path
    other = run.parent.rename(tmp_path / "other runs") / "one"
    (word,) = shlex.split(command_word(other))
    assert find_run(tmp_path / "runs", word) == other
