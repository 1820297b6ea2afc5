from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs.conftest import MakeRun
from tui_latent.runs.labels import NONE, change_labels, read_labels, tags_in
from tui_latent.runs.run_list import find_run, list_runs
from tui_latent.runs.schema import RunError


def test_labels_are_kept_beside_a_run_that_trains(make_run: MakeRun) -> None:
    run = make_run()
    run.lock()
    run.status(state="running", step=3)
    assert read_labels(run.path) == NONE
    change_labels(run.path, name="  for the   talk ", tags=tags_in("#x, paper x"))
    change_labels(run.path, notes="a\nb", archived=True)
    run.check()  # the folder is still the trainer's own
    run.status(state="paused", step=4)
    (listed,) = list_runs(run.path.parent)
    assert listed.title == "for the talk"
    assert listed.name == run.path.name
    assert (listed.labels.tags, listed.labels.notes) == (("paper", "x"), "a\nb")
    assert listed.labels.archived and listed.status.step == 4
    run.close()


def test_a_run_is_found_by_the_name_that_it_was_given(make_run: MakeRun) -> None:
    first, second = make_run(name="first"), make_run(name="second")
    change_labels(second.path, name="Best so far")
    assert find_run(first.path.parent, "best so far") == second.path
    change_labels(first.path, name="best so far")
    with pytest.raises(RunError, match="several runs have this name: first, second"):
        find_run(first.path.parent, "Best so far")


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[1]", b'{"name": 3, "tags": "x", "notes": [], "archived": "yes"}', b"\xff"],
)
def test_a_damaged_file_gives_no_labels(make_run: MakeRun, text: bytes) -> None:
    run = make_run()
    (run.path / "labels.json").write_bytes(text)
    assert read_labels(run.path) == NONE
    assert list_runs(run.path.parent)[0].problem == ""


def test_nothing_in_a_label_moves_the_cursor(make_run: MakeRun) -> None:
    run = make_run()
    labels = change_labels(run.path, name="a\x1b[2Jb", tags=("t\x07",), notes="n\x1b]0;x\x07")
    assert all(text.replace("\n", "").isprintable() for text in (labels.name, labels.notes))
    assert all(tag.isprintable() for tag in labels.tags)


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be written: No such file"):
        change_labels(tmp_path / "gone", name="x")
