"""What the dashboard says of the machine: figures whole at every width, and whose they are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tui.made_runs import trained_run
from tests.tui.pilots import MenulessApp, all_drawn, machine_shows
from tui_latent.runs.schema import Status
from tui_latent.runtime.gpu_load import GpuLoad, GpuProcess
from tui_latent.runtime.machine_load import LoadMeter, MachineLoad
from tui_latent.tui.screens.dashboard.machine_panel import load_lines, summary

GIB = 1 << 30


def reading(cpu: float | None = 0.5, gpus: int = 0, pid: int = 7, io: float = 2.1e6) -> MachineLoad:
    processes = (GpuProcess(pid, "python (me)", 12 * GIB, 0.61), GpuProcess(9, "", 28 * GIB))
    shown = tuple(
        GpuLoad(index, 0.97, 40 * GIB, 80 * GIB, 61, 312.0, 700.0, processes)
        for index in range(gpus)
    )
    return MachineLoad(cpu, 1.7, 2, 3 * GIB, 8 * GIB, GIB, io, 3e5, shown, pid)


def test_each_part_of_the_machine_has_a_line_with_the_runs_share() -> None:
    lines = {line.name: (line.figure, line.more) for line in load_lines([reading()])}
    assert lines == {
        "CPU": ("50 %", "[1.7 cores]"),
        "memory": ("3.0/8.0 GiB", "[1.0]"),
        "disk": ("2.1 MB/s", "[0.3 MB/s]"),
    }


def test_a_gpu_comes_first_with_its_warmth_and_who_else_is_on_it() -> None:
    lines = load_lines([reading(gpus=1)])
    assert (lines[0].figure, lines[0].more) == ("97 %", "[61 %] 61 °C 312/700 W")
    assert (lines[1].figure, lines[1].more) == ("40.0/80.0 GiB", "[12.0]")
    assert lines[-1].figure == "another container's process, PID 9, 28.0 GiB"
    busy = GpuLoad(0, 0.97, 40 * GIB, 80 * GIB, None, None, None, (GpuProcess(9, "", None, 0.3),))
    alone = MachineLoad(None, None, 2, 3 * GIB, 8 * GIB, None, None, None, (busy,), 7)
    assert load_lines([alone])[0].more == ""
    assert load_lines([alone])[-1].figure == "another container's process, PID 9, 30 %"
    two = load_lines([reading(gpus=2)])
    assert [line.name for line in two[:4:2]] == ["GPU 0", "GPU 1"]
    assert two[-1].figure.endswith("28.0 GiB on GPU 1")


def test_what_is_not_known_is_a_dash_and_no_zero() -> None:
    first = MachineLoad(None, None, 2, 3 * GIB, 8 * GIB, None, None, None, (), 7)
    assert [(line.figure, line.more) for line in load_lines([first])] == [
        ("–", ""),
        ("3.0/8.0 GiB", ""),
        ("–", ""),
    ]


def test_the_disks_graph_grows_only_with_much_traffic() -> None:
    quiet = load_lines([reading(io=1e4), reading(io=0.0)])[2]
    assert max(share or 0 for share in quiet.shares) < 0.02
    loud = load_lines([reading(io=5e7), reading(io=2.5e7)])[2]
    assert loud.shares == [1.0, 0.5]


@pytest.mark.parametrize("width", [8, 12, 20, 38, 80])
def test_a_summary_leaves_out_whole_parts_only(width: int) -> None:
    text = summary([reading(gpus=1)], (), width)
    whole = " GPU 97 % · CPU 50 % · memory 3.0/8.0 GiB · disk 2.1 MB/s"
    assert len(text) <= width and whole.startswith(text)
    assert whole[len(text) :][:3] in ("", " · ", " GP")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return what lets the dashboard measure a machine with so many GPUs."""

    def measure(gpus: int) -> None:
        monkeypatch.undo()
        monkeypatch.setattr(LoadMeter, "read", lambda self: reading(gpus=gpus, pid=self._pid))

    return measure


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((120, 40), ("97 %", "61 °C 312/700 W", "40.0/80.0 GiB [12.0]", "[1.7 cores]", "PID 9")),
        ((200, 55), ("97 %", "61 °C 312/700 W", "40.0/80.0 GiB [12.0]", "[1.7 cores]", "PID 9")),
        ((100, 30), ("GPU 97 % · CPU 50 %",)),
        ((80, 24), ("97 %", "40.0/80.0 GiB", "3.0/8.0 GiB", "2.1 MB/s", "28.0 GiB")),
    ],
)
async def test_a_live_run_here_shows_the_machine(
    tmp_path: Path, measured: Any, size: tuple[int, int], shown: tuple[str, ...]
) -> None:
    measured(1)
    writer = trained_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=size) as pilot:
        await machine_shows(pilot, shown)
    writer.close()


@pytest.mark.slow
async def test_a_finished_run_has_no_machine(tmp_path: Path, measured: Any) -> None:
    measured(0)
    writer = trained_run(tmp_path, state="finished", step=2400, epoch=40.0)
    writer.close()
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await all_drawn(pilot)
        screen._follow_load()
        assert not any(worker.group == "load" for worker in app.workers), "nothing is measured"
        assert not screen._panels.has_class("-load")
        assert not screen.query_one("#machine").display


def test_a_run_elsewhere_is_not_measured_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    from tui_latent.tui.screens.dashboard.run_load import RunLoad

    assert RunLoad().load(Status(state="running", pid=os.getpid(), host="another")) is None
