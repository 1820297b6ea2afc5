"""How loops end, and processes that must not record: real processes."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.waiting import patience, until
from tests.watching.conftest import Script, Watch, logged, read

LOOP = """
with tui_latent.watch("mine", obeys=("stop",)) as run:
    for step in range(10**9):
        run.log(step, loss=1 / (step + 1))
        {body}
        time.sleep(0.002)
"""


@pytest.mark.parametrize(
    ("body", "state", "error"),
    [
        ("if step == 50: raise RuntimeError('a loss of nothing')", "failed", "a loss of nothing"),
        ("if step == 50: sys.exit(3)", "stopped", None),
        ("if step == 50: raise KeyboardInterrupt", "stopped", None),
        ("if step == 50: break", "finished", None),
    ],
)
def test_the_end_of_a_loop_is_recorded(
    script: Script, tmp_path: Path, body: str, state: str, error: str | None
) -> None:
    process = script(LOOP.format(body=body))
    _, errors = process.communicate(timeout=patience(60))
    run = read(tmp_path / "runs" / "mine")
    assert (run.status.state, run.status.step) == (state, 50)
    assert len(run.curves["train/loss"].steps) == 51
    if error:
        assert error in (run.status.error or "")
        assert error in logged(run.path)
        assert "Traceback" in logged(run.path)
        assert error in errors  # and it is raised on
    else:
        assert run.status.error is None


def test_ctrl_c_stops_and_a_kill_interrupts(script: Script, tmp_path: Path) -> None:
    path = tmp_path / "runs" / "mine"
    process = script(LOOP.format(body="pass"))
    until(lambda: path.is_dir() and read(path).curves)
    process.send_signal(signal.SIGINT)
    process.wait(patience(60))
    assert read(path).status.state == "stopped"

    process = script(LOOP.format(body="pass").replace('"mine"', '"mine", if_taken="continue"'))
    until(lambda: read(path).status.state == "running")
    process.kill()
    process.wait()
    assert read(path).status.state == "interrupted"


def test_a_run_that_nobody_closes_keeps_its_last_records(script: Script, tmp_path: Path) -> None:
    process = script(
        "run = tui_latent.watch('mine')\nfor step in range(100): run.log(step, loss=1)"
    )
    process.communicate(timeout=patience(60))
    run = read(tmp_path / "runs" / "mine")
    assert run.status.state == "interrupted"
    assert len(run.curves["train/loss"].steps) == 100


def test_a_second_process_is_refused_or_takes_a_number(
    script: Script, watch: Watch, tmp_path: Path
) -> None:
    run = watch()
    for how in ("", ", if_taken='continue'"):
        _, errors = script(f"tui_latent.watch('mine'{how})").communicate(timeout=patience(60))
        assert "is being recorded by process" in errors
        assert "number" in errors
    _, errors = script(
        "with tui_latent.watch('mine', if_taken='number') as run: run.log(0, loss=1)"
    ).communicate(timeout=patience(60))
    assert not errors
    assert read(tmp_path / "runs" / "mine-2").status.state == "finished"
    run.close()
    _, errors = script("tui_latent.watch('mine')").communicate(timeout=patience(60))
    assert "already exists" in errors


@pytest.mark.parametrize(
    "environment", [{"RANK": "1"}, {"LOCAL_RANK": "2"}, {"NODE_RANK": "1", "LOCAL_RANK": "0"}]
)
def test_other_ranks_record_nothing(
    script: Script, tmp_path: Path, environment: dict[str, str]
) -> None:
    body = """
    with tui_latent.watch("mine") as run:
        run.log(0, loss=1)
        run.latents(0, [[1.0]])
        run.wait_while_paused()
        run.checkpoint_saved(0)
        print(run.asked.stop, run.path)
    """
    output, errors = script(body, **environment).communicate(timeout=patience(60))
    assert output == "False None\n"
    assert not errors
    assert not (tmp_path / "runs").exists()


def test_the_rank_of_a_process_group_counts(script: Script, tmp_path: Path) -> None:
    body = """
    import torch.distributed as group
    from torch.multiprocessing import spawn

    def work(rank, store):
        group.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
        with tui_latent.watch("mine") as run:
            run.log(rank, loss=rank)
        group.destroy_process_group()

    if __name__ == "__main__":
        spawn(work, args=(sys.argv[0] + ".store",), nprocs=2)
    """
    _, errors = script(body).communicate(timeout=patience(120))
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["mine"], errors
    assert read(tmp_path / "runs" / "mine").status.step == 0


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_a_data_loader_record_nothing(
    script: Script, tmp_path: Path, method: str
) -> None:
    body = f"""
    import torch
    from torch.utils.data import DataLoader, Dataset

    class Images(Dataset):
        run = None
        def __len__(self): return 8
        def __getitem__(self, row):
            self.run.log(1000 + row, loss=1.0)  # as a data set that holds the run might
            tui_latent.watch("worker").log(0, loss=1.0)
            return torch.zeros(2)

    if __name__ == "__main__":
        images = Images()
        with tui_latent.watch("mine") as run:
            images.run = run
            loader = DataLoader(images, 2, num_workers=2, multiprocessing_context="{method}")
            for step, batch in enumerate(loader):
                run.log(step, loss=float(step))
        print("done")
    """
    output, errors = script(body).communicate(timeout=patience(120))
    assert output == "done\n", errors
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["mine"]
    run = read(tmp_path / "runs" / "mine")
    assert run.curves["train/loss"].steps.tolist() == [0, 1, 2, 3]
    assert run.status.state == "finished"


def test_a_fork_that_outlives_a_killed_loop_does_not_keep_its_run(
    script: Script, watch: Watch
) -> None:
    body = """
    with tui_latent.watch("mine") as run:
        run.log(0, loss=1)
        if os.fork() == 0:
            print(os.getpid(), flush=True)
            time.sleep(600)
        time.sleep(600)
    """
    process = script(body)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    try:
        process.kill()
        process.wait()
        run = watch(if_taken="continue")
        run.log(1, loss=2)
        run.close()
        assert read(run.path).status.state == "finished"
    finally:
        import os

        os.kill(child, signal.SIGKILL)


def test_importing_costs_nothing(script: Script) -> None:
    body = "print(sorted({'torch', 'textual', 'numpy', 'pydantic'} & set(sys.modules)))"
    assert script(body).communicate(timeout=patience(60))[0] == "[]\n"
    body = f"import tui_latent.watching.watch\n{body}"
    assert script(body).communicate(timeout=patience(60))[0] == "['numpy']\n"
