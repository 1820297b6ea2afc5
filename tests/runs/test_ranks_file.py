"""The processes of a run, as rank 0 records them and readers find them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.made_runs import new_run
from tui_latent.cli.explain import explained_text
from tui_latent.launch.run_result import result_of
from tui_latent.runs.ranks_file import FILE, RankStatus, read_ranks, write_ranks
from tui_latent.runs.reader import RunReader

RANKS = [
    RankStatus("cuda:0 NVIDIA H100", "one", 812.5),
    RankStatus("cpu 1 thread", "two", 9.0, 0.2),
]


def test_a_reader_finds_the_ranks_and_each_change_of_them(tmp_path: Path) -> None:
    run = new_run(tmp_path).path
    reader = RunReader(run)
    assert reader.refresh().ranks == ()
    write_ranks(run, RANKS)
    snapshot = reader.refresh()
    assert snapshot.ranks == tuple(RANKS)
    assert reader.refresh() is snapshot
    write_ranks(run, RANKS[:1])
    assert reader.refresh().ranks == tuple(RANKS[:1])
    (run / FILE).unlink()
    assert reader.refresh().ranks == ()


@pytest.mark.parametrize(
    "content",
    ["", "[", "{}", "[1]", '[{"device": 3, "host": "a"}]', '[{"host": "a"}]', "[" * 100_000],
    ids=["empty", "torn", "no list", "no table", "no device", "half", "deep"],
)
def test_a_damaged_file_is_no_file(content: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(content)
    assert read_ranks(tmp_path) == ()


def test_names_cannot_draw_on_a_terminal(tmp_path: Path) -> None:
    write_ranks(tmp_path, [RankStatus("cpu", "\x1b[2Jevil")])
    assert "\x1b" not in read_ranks(tmp_path)[0].host


def test_they_are_told_in_json_and_in_sentences(tmp_path: Path) -> None:
    run = new_run(tmp_path).path
    assert "ranks" not in result_of(RunReader(run).refresh())
    write_ranks(run, RANKS)
    ranks = result_of(RunReader(run).refresh())["ranks"]
    assert [rank["waiting"] for rank in ranks] == [None, 0.2]
    head = {
        "run": "a",
        "origin": "trained",
        "state": "stopped",
        "step": 1,
        "total_steps": 2,
        "verdict": "",
    }
    text = explained_text({**head, "findings": [], "map": [], "ranks": ranks})
    assert "Process 0 (cuda:0 NVIDIA H100, on one) trained on 812 images/s.\n" in text
    assert "on 9 images/s and waited for the others 20 % of the time." in text
