"""What only a run trained here can do is refused for others, with what can be done instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.foreign_runs import foreign_run
from tui_latent.cli.main import main
from tui_latent.launch.background import start_in_background
from tui_latent.launch.queue import queue_run
from tui_latent.runs.control import read_request
from tui_latent.runs.labels import read_labels
from tui_latent.runs.manifest import PRESET_FILE
from tui_latent.runs.queue import queued_runs
from tui_latent.runs.run_filter import parse_filter
from tui_latent.runs.run_list import delete_run, list_runs
from tui_latent.runs.schema import RunError
from tui_latent.runs.status import read_status, write_status


def cli(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(words))
    return result.exit_code, result.output


@pytest.mark.parametrize(
    "words",
    [
        ("resume",),
        ("resume", "--epochs", "4"),
        ("resume", "--slower"),
        ("resume", "--background"),
        ("fork",),
        ("tune", "train.lr=0.1"),
    ],
)
def test_a_run_from_elsewhere_says_what_to_do_instead(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    watched = foreign_run(tmp_path, "loop")
    opened = foreign_run(tmp_path, "vectors", origin="opened")
    command, *rest = words
    before = (watched / PRESET_FILE).read_bytes()
    code, text = cli(command, str(watched), *rest)
    assert code != 0 and "a training loop of your own" in text
    assert "run that loop again (train.py)" in text
    code, text = cli(command, str(opened), *rest)
    assert code != 0 and "opened from files" in text and "tui-latent open FILE" in text
    assert (watched / PRESET_FILE).read_bytes() == before
    assert read_status(watched).state == "finished"


def test_a_run_from_elsewhere_is_not_queued_or_trained_in_the_background(tmp_path: Path) -> None:
    run = foreign_run(tmp_path)
    for start in (queue_run, start_in_background):
        with pytest.raises(RunError, match="run that loop again"):
            start(run)
    assert queued_runs(tmp_path) == []


def test_a_loop_is_asked_only_what_it_obeys(tmp_path: Path) -> None:
    run = foreign_run(tmp_path, obeys=("stop",))
    write_status(run, read_status(run).__class__(state="running"))
    code, text = cli("control", str(run), "pause")
    assert code == 1 and "obeys stop only" in text and 'obeys=("stop", "pause")' in text
    code, text = cli("control", str(run), "lr", "0.5")
    assert code == 1 and "to obey lr too" in text
    assert read_request(run).serial == 0
    deaf = foreign_run(tmp_path, "deaf", obeys=())
    assert "obeys no requests" in cli("control", str(deaf), "stop")[1]
    opened = foreign_run(tmp_path, "vectors", origin="opened")
    assert "there is nothing to pause" in cli("control", str(opened), "pause")[1]


def test_the_list_says_where_runs_come_from(tmp_path: Path) -> None:
    foreign_run(tmp_path, "loop")
    foreign_run(tmp_path, "vectors", origin="opened", labels=False)
    code, text = cli("runs", "--runs", str(tmp_path))
    assert code == 0
    lines = {line.split()[-2]: line.split()[-1] for line in text.splitlines()}
    assert lines == {"loop": "watched", "vectors": "opened"}
    matches = parse_filter("method:opened")
    assert [run.name for run in list_runs(tmp_path) if matches(run)] == ["vectors"]
    assert not any(run.problem for run in list_runs(tmp_path))


def test_a_run_from_elsewhere_is_explained_evaluated_and_deleted(tmp_path: Path) -> None:
    run = foreign_run(tmp_path, labels=False, bank=False)
    code, text = cli("evaluate", str(run))
    assert code == 0 and "silhouette" in text
    code, text = cli("explain", str(run))
    assert code == 0 and "no accuracy is known" in text
    assert read_labels(run).name == ""
    delete_run(run)
    assert not run.exists()
