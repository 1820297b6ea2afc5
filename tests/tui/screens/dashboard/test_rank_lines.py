"""The processes of a run in the machine's panel, whole at every width and height."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.made_runs import trained_run
from tests.tui.pilots import MenulessApp, machine_shows
from tui_latent.runs.ranks_file import RankStatus, write_ranks
from tui_latent.tui.screens.dashboard.rank_lines import rank_lines, ranks_summary

TWO = [RankStatus("cpu 1 thread", "vm", 521.4, 0.06), RankStatus("cpu 1 thread", "vm", 521.4, 0.31)]


def ranks(count: int, hosts: int = 1, waiting: bool = True) -> list[RankStatus]:
    return [
        RankStatus(f"cuda:{n} NVIDIA H100", f"node{n % hosts}", 900.0, n / 100 if waiting else None)
        for n in range(count)
    ]


def test_each_rank_has_a_line_with_its_device_rate_and_wait() -> None:
    assert rank_lines(TWO, 0, 40) == [
        ("rank 0", "cpu · 521 img/s · waits 6 %"),
        ("rank 1", "cpu · 521 img/s · waits 31 %"),
    ]
    assert rank_lines(TWO, 0, 22)[1] == ("rank 1", "cpu 521/s waits 31 %")
    assert rank_lines(TWO, 0, 16)[1] == ("rank 1", "cpu waits 31 %")


def test_many_ranks_share_two_lines_of_which_one_is_the_slowest() -> None:
    assert len(rank_lines(ranks(8), 8, 40)) == 8
    mixed = list(reversed(ranks(8, hosts=2)))
    assert rank_lines(mixed, 4, 60) == [
        ("ranks", "8 · 2 hosts · 900 img/s each · wait 0 to 7 %"),
        ("rank 7", "slowest · node0 cuda:0 · 900 img/s · waits 0 %"),
    ]
    assert rank_lines(mixed, 4, 30) == [
        ("ranks", "8 · wait 0 to 7 %"),
        ("rank 7", "slowest · cuda:0 waits 0 %"),
    ]


def test_a_wait_that_is_not_measured_is_left_out() -> None:
    assert rank_lines(ranks(2, waiting=False), 2, 40)[1] == ("rank 1", "cuda:1 · 900 img/s")
    assert rank_lines(ranks(8, waiting=False), 2, 40) == [("ranks", "8 · 900 img/s each")]
    assert ranks_summary(ranks(2, waiting=False)) == ["2 ranks", "900 img/s each"]


@pytest.mark.slow
@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "on another machine"])
@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((120, 40), ("521 img/s · waits 6 %", "521 img/s · waits 31 %")),
        ((100, 30), ("2 ranks · wait 6 to 31 %",)),
        ((80, 24), ("rank 0 cpu 521/s waits 6 %", "rank 1 cpu 521/s waits 31 %")),
    ],
    ids=["120x40", "100x30", "80x24"],
)
async def test_a_live_run_shows_its_ranks(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    shown: tuple[str, ...],
    elsewhere: bool,
) -> None:
    if not elsewhere:
        monkeypatch.undo()  # then this machine is measured, as in no other test of screens
    writer = trained_run(tmp_path)
    write_ranks(writer.path, TWO)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=size) as pilot:
        await machine_shows(pilot, shown)
    writer.close()
