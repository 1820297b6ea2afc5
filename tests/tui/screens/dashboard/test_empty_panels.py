from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.foreign_runs import foreign_run
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunSnapshot
from tui_latent.tui.first_values import when_evaluated
from tui_latent.tui.screens.dashboard.empty_panels import empty_panels
from tui_latent.tui.screens.dashboard.header import header_line
from tui_latent.tui.screens.dashboard.views import failure, live_scene, measured_figures


def read(path: Path) -> RunSnapshot:
    return RunReader(path).refresh()


def test_an_unlabelled_run_has_no_panels_of_classes(tmp_path: Path) -> None:
    snapshot = read(foreign_run(tmp_path, labels=False))
    assert {"knn", "confusion"} <= empty_panels(snapshot)
    assert "loss" not in empty_panels(snapshot)
    labelled = read(foreign_run(tmp_path, "labelled"))
    assert "knn" not in empty_panels(labelled)


def test_a_live_loop_keeps_the_panels_that_it_may_still_fill(tmp_path: Path) -> None:
    snapshot = read(foreign_run(tmp_path, labels=False))
    live = replace(snapshot, status=replace(snapshot.status, state="running"))
    assert empty_panels(live) == {"knn", "confusion"}
    before = replace(live, map=None)
    assert empty_panels(before) == frozenset()


def test_view_retrieval_takes_the_place_of_knn(tmp_path: Path) -> None:
    snapshot = read(foreign_run(tmp_path, labels=False))
    loss = snapshot.curves["train/loss"]
    retrieved = replace(snapshot, curves={**snapshot.curves, "val/view_retrieval_1": loss})
    assert "knn" not in empty_panels(retrieved)
    assert "views .750" in header_line(retrieved, None, 120).plain


def test_opened_files_leave_the_map_alone_with_what_was_measured(tmp_path: Path) -> None:
    snapshot = read(foreign_run(tmp_path, origin="opened", labels=False))
    assert empty_panels(snapshot) == {"loss", "knn", "space", "log", "confusion"}
    assert "space" not in empty_panels(snapshot, measured=True)


@pytest.mark.parametrize(
    ("skipped", "said"),
    [(1, "The evaluation of this run was"), (6, "All 6 evaluations of this run")],
)
def test_a_run_whose_evaluations_were_left_out_says_so_in_their_place(
    tmp_path: Path, skipped: int, said: str
) -> None:
    watched = replace(read(foreign_run(tmp_path)), map=None, map_steps=())
    without = when_evaluated(watched, "The map")
    assert without == "This run ended before its first evaluation."
    left_out = replace(watched, status=replace(watched.status, skipped=skipped))
    assert said in when_evaluated(left_out, "The map")


def test_the_header_names_only_what_a_run_from_elsewhere_has(tmp_path: Path) -> None:
    opened = header_line(read(foreign_run(tmp_path, origin="opened")), None, 120).plain
    assert "opened" in opened
    for word in ("finished", "seed", "epoch", "trained", "%", "–"):
        assert word not in opened
    watched = read(foreign_run(tmp_path, "watched", labels=False))
    line = header_line(watched, None, 120).plain
    assert "step 300" in line and "kNN" not in line and "seed" not in line
    endless = replace(watched, status=replace(watched.status, state="running", total_steps=0))
    line = header_line(endless, None, 120).plain
    assert "left" not in line and "%" not in line


@pytest.mark.parametrize("width", [80, 120])
def test_the_header_counts_dropped_records(tmp_path: Path, width: int) -> None:
    snapshot = read(foreign_run(tmp_path))
    dropped = replace(snapshot, status=replace(snapshot.status, state="running", dropped=1234))
    assert "1,234 records left out" in header_line(dropped, None, width).plain
    skipped = replace(snapshot, status=replace(dropped.status, dropped=0, skipped=1))
    assert "1 evaluation left out" in header_line(skipped, None, width).plain
    both = replace(snapshot, status=replace(dropped.status, dropped=1, skipped=23))
    assert "24 left out" in header_line(both, None, width).plain
    assert "left out" not in header_line(snapshot, None, width).plain


@pytest.mark.parametrize("state", ["failed", "interrupted"])
def test_a_loop_that_ended_is_started_by_its_own_script(tmp_path: Path, state: str) -> None:
    snapshot = read(foreign_run(tmp_path))
    status = replace(snapshot.status, state=state, error="out of memory")  # type: ignore[arg-type]
    words = failure(replace(snapshot, status=status), {})
    assert "Start its own script again: train.py" in words
    assert "resume" not in words


def test_a_map_names_what_its_points_are(tmp_path: Path) -> None:
    for origin, kind in (("watched", "60 held-out latents"), ("opened", "60 vectors")):
        snapshot = read(foreign_run(tmp_path, origin, origin=origin))  # type: ignore[arg-type]
        scene = live_scene(snapshot.map, snapshot.origin)
        assert scene is not None and kind in scene.titles(0)[0]


def test_figures_of_an_evaluation_that_need_no_labels() -> None:
    found = measured_figures(
        {
            "clustering": {"silhouette": 0.4, "accuracy": None},
            "map": {"trustworthiness": 0.9, "continuity": None},
            "probe": 3,
        }
    )
    shown = {spec.name: value for spec, value in found.items()}
    assert shown == {"clustering/silhouette": 0.4, "map/trustworthiness": 0.9}
    assert measured_figures(None) == {} and measured_figures({"map": "damaged"}) == {}
