"""Runs beside each other: their numbers, what differs in their presets, their maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.foreign_runs import foreign_run
from tests.tui.made_runs import clusters
from tui_latent.compared_maps import compared_maps
from tui_latent.comparison import compare, short_names
from tui_latent.differing_settings import differing_settings, setting_text
from tui_latent.runs.events import new_event
from tui_latent.runs.reader import RunReader
from tui_latent.runs.row_ids import RowIds, write_row_ids
from tui_latent.runs.schema import RunSnapshot
from tui_latent.runs.writer import RunWriter

PRESET: dict[str, Any] = {
    "title": "Digits",
    "data": {"source": "digits", "classes": []},
    "augment": {"rotate": 15.0},
    "method": {"name": "contrastive", "latent_dim": 2, "norm_weight": 0.01},
    "train": {"lr": 0.001, "seed": 0},
    "stages": [],
}


def run_of(
    runs: Path, name: str, knn: list[float], loss: list[float], **tables: Mapping[str, Any]
) -> RunSnapshot:
    preset = PRESET | {key: PRESET[key] | dict(table) for key, table in tables.items()}
    writer = RunWriter.create(runs, "digits", preset, {"preset": "digits"}, name)
    for step, (accuracy, value) in enumerate(zip(knn, loss, strict=True), start=1):
        values = {"train/loss": value, "val/knn_20": accuracy, "latent/std_min": 1.0 / step}
        writer.metrics(step, step, step, values | {"train/lr": 1e-3})
    writer.close()
    return RunReader(writer.path).refresh()


def test_final_and_best_numbers_stand_beside_each_other(tmp_path: Path) -> None:
    one = run_of(tmp_path, "one", [0.5, 0.9, 0.8], [3.0, 2.0, 2.5])
    other = run_of(tmp_path, "other", [0.4, 0.7, 0.85], [3.0, 1.0, 1.5], train={"lr": 0.01})
    comparison = compare([one, other])
    rows = {row.metric: row for row in comparison.metrics}
    assert list(rows) == ["val/knn_20", "train/loss", "latent/std_min"]
    knn, loss = rows["val/knn_20"], rows["train/loss"]
    assert knn.last == (0.8, 0.85) and knn.best == (0.9, 0.85)
    np.testing.assert_allclose(np.array(knn.differences(), float), [0, 0.05])
    assert knn.winners() == {0}, "by the best value"
    assert knn.ahead_now() == {1}, "by the newest value"
    assert loss.best == (2.0, 1.0) and loss.winners() == {1}, "the smaller loss is the better one"
    assert rows["latent/std_min"].best == (None, None)
    assert not rows["latent/std_min"].winners() | rows["latent/std_min"].ahead_now()
    assert not comparison.notes


def test_what_one_run_has_not_recorded_is_not_known(tmp_path: Path) -> None:
    begun = run_of(tmp_path, "begun", [], [])
    row = compare([begun, run_of(tmp_path, "other", [0.5], [1.0])]).metrics[0]
    assert row.last == (None, 0.5) and row.differences() == (None, None)
    assert not row.winners(), "one alone has won nothing"
    assert compare([begun, begun]).metrics == ()


def test_values_that_are_not_finite_win_nothing(tmp_path: Path) -> None:
    lost = run_of(tmp_path, "lost", [0.5], [float("nan")])
    runs = [lost, run_of(tmp_path, "a", [0.5], [2.0]), run_of(tmp_path, "b", [0.5], [1.0])]
    rows = {row.metric: row for row in compare(runs).metrics}
    assert rows["train/loss"].winners() == {2}
    assert not rows["val/knn_20"].winners(), "all alike"


@pytest.mark.parametrize(
    ("tables", "knn_judged", "loss_judged"),
    [
        ({"method": {"latent_dim": 8}, "train": {"seed": 1}}, True, True),
        ({"method": {"norm_weight": 0.1}}, True, False),
        ({"method": {"name": "vicreg"}}, True, False),
        ({"data": {"classes": ["3", "5"]}}, False, False),
        ({"data": {"per_class": 10}}, True, True),
    ],
)
def test_only_numbers_of_the_same_thing_are_judged(
    tmp_path: Path, tables: dict[str, Any], knn_judged: bool, loss_judged: bool
) -> None:
    one = run_of(tmp_path, "one", [0.5], [2.0])
    comparison = compare([one, run_of(tmp_path, "other", [0.6], [1.0], **tables)])
    rows = {row.metric: row for row in comparison.metrics}
    assert bool(rows["val/knn_20"].winners()) == knn_judged
    assert bool(rows["train/loss"].winners()) == loss_judged
    assert bool(comparison.notes) == (not loss_judged)


def test_the_settings_that_differ_come_in_the_order_of_the_preset() -> None:
    stage = {"title": "8-D", "epochs": 3}
    rows = differing_settings(
        [
            PRESET,
            PRESET | {"title": "Other words", "train": {"seed": 1, "lr": 0.001}},
            PRESET | {"method": {"name": "vicreg", "gamma": 1.0}, "stages": [stage, stage]},
        ]
    )
    assert {row.key: row.values for row in rows} == {
        "method.name": ("contrastive", "contrastive", "vicreg"),
        "method.latent_dim": (2, 2, None),
        "method.norm_weight": (0.01, 0.01, None),
        "method.gamma": (None, None, 1.0),
        "train.seed": (0, 1, 0),
        "stages.0.epochs": (None, None, 3),
        "stages.1.epochs": (None, None, 3),
    }
    assert [row.key.partition(".")[0] for row in rows] == ["method"] * 4 + ["train"] + [
        "stages"
    ] * 2
    assert differing_settings([PRESET, PRESET]) == ()


def test_maps_of_the_same_images_are_turned_onto_the_first() -> None:
    first = clusters(60, 3)
    turned = np.stack([-first.points[:, 1] * 3 + 7, first.points[:, 0] * 3], axis=1)
    own, other = compared_maps([first, replace(first, points=turned)])
    assert own.map is first and own.onto is None and not own.problem
    assert other.map is not None and other.onto == 0
    assert other.disparity == pytest.approx(0, abs=1e-6)
    centred = first.points - first.points.mean(axis=0)
    np.testing.assert_allclose(
        other.map.points - other.map.points.mean(axis=0), 3 * centred, atol=1e-4
    )


def test_maps_of_other_images_stay_as_they_are_and_say_so() -> None:
    first = clusters(60, 3)
    others = {
        "30 images": clusters(30, 3),
        "its classes differ": replace(first, class_names=("a", "b", "c")),
        "its held-out images differ": replace(first, labels=first.labels[::-1].copy()),
    }
    compared = compared_maps([None, first, *others.values()])
    assert "no evaluation has made a map" in compared[0].problem
    assert compared[1].map is first and not compared[1].problem
    for words, given, shown in zip(others, others.values(), compared[2:], strict=True):
        assert words in shown.problem
        assert shown.map is given and shown.onto is None and shown.disparity is None


def test_a_map_without_finite_points_is_not_a_reference() -> None:
    first = clusters(60, 3)
    lost = replace(first, points=np.full_like(first.points, np.nan))
    compared = compared_maps([lost, first, first])
    assert "diverged" in compared[0].problem
    assert compared[1].onto is None and compared[2].onto == 1
    still = replace(first, points=np.ones_like(first.points))
    assert compared_maps([still, first])[1].disparity is None, "a point is like nothing"


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (("20261122-134500-digits", "20261122-140000-mnist"), ("digits", "mnist")),
        (("20261122-134500-digits", "20261122-140000-digits"), ("134500-digits", "140000-digits")),
        (("digits-vicreg", "digits-triplet-2d"), ("vicreg", "triplet-2d")),
        (("digits", "digits-2d"), ("digits", "digits-2d")),
    ],
)
def test_names_lose_what_does_not_tell_them_apart(
    names: tuple[str, ...], short: tuple[str, ...]
) -> None:
    assert short_names(names) == short


def test_settings_are_written_in_one_line() -> None:
    values: tuple[Any, ...] = (None, True, 0.001, [128, 64], [], "", "a\nb", 3)
    shown = ("–", "yes", "0.001", "128, 64", "none", "none", "a b", "3")
    assert tuple(map(setting_text, values)) == shown


def test_a_metric_without_a_row_is_shown_and_judged_by_nobody(tmp_path: Path) -> None:
    runs = []
    for name, norm in (("one", 1.0), ("other", 9.0)):
        writer = RunWriter.create(tmp_path, "digits", PRESET, {"preset": "digits"}, name)
        writer.metrics(1, 1.0, 1.0, {"train/loss": 1.0, "train/grad_norm": norm, "train/lr": 0.1})
        writer.close()
        runs.append(RunReader(writer.path).refresh())
    rows = {row.metric: row for row in compare(runs).metrics}
    assert list(rows) == ["train/loss", "train/grad_norm"]
    assert rows["train/grad_norm"].last == (1.0, 9.0)
    assert rows["train/grad_norm"].best == (None, None) and not rows["train/grad_norm"].winners()


def test_a_failed_run_is_noted_with_its_step_and_its_reason(tmp_path: Path) -> None:
    one = run_of(tmp_path, "one", [0.5], [3.0])
    other = run_of(tmp_path, "other", [0.4], [3.0])
    status = replace(other.status, state="failed", step=1, error="the loss became nan")
    assert compare([one, replace(other, status=status)]).notes == (
        "other: The run failed at step 1, and its results end there: the loss became nan",
    )


def test_settings_that_were_changed_while_a_run_trained_are_noted(tmp_path: Path) -> None:
    one = run_of(tmp_path, "one", [0.5], [3.0])
    other = run_of(tmp_path, "other", [0.4], [3.0])
    events = tuple(
        new_event("change", step, "", setting=setting, old=1.0, new=new)
        for step, setting, new in (
            (1, "train.lr", 0.5),
            (2, "lr_factor", 2.0),
            (3, "train.lr", 0.25),
        )
    )
    status = replace(other.status, step=3)
    assert compare([one, replace(other, status=status, events=events)]).notes == (
        "other: changed during training: train.lr 0.25, learning rate × 2",
    )


def test_runs_from_elsewhere_are_compared_by_their_maps(tmp_path: Path) -> None:
    one, other = (RunReader(foreign_run(tmp_path, name)).refresh() for name in ("one", "other"))
    shown = compare([one, other])
    assert not shown.notes and not shown.settings and not shown.compares_settings
    assert shown.maps[1].onto == 0 and shown.maps[1].disparity == pytest.approx(0, abs=1e-6)
    assert {row.metric: row.comparable for row in shown.metrics}["train/loss"]


def test_without_labels_nothing_tells_that_maps_show_the_same_images(tmp_path: Path) -> None:
    known = RunReader(foreign_run(tmp_path, "known")).refresh()
    unknown = RunReader(foreign_run(tmp_path, "unknown", labels=False)).refresh()
    larger = RunReader(foreign_run(tmp_path, "larger", images=90)).refresh()
    shown = compare([known, unknown])
    assert any("same images" in note for note in shown.notes)
    assert shown.maps[1].onto == 0, "there are as many of them"
    shown = compare([known, larger])
    assert any("different data (90 images" in note for note in shown.notes)
    assert not any(row.comparable for row in shown.metrics)


def opened(runs: Path, name: str, ids: Sequence[str] = (), command: str = "") -> RunSnapshot:
    path = foreign_run(runs, name, origin="opened", labels=False, bank=False, images=6)
    if ids:
        write_row_ids(path, {"val": RowIds(np.arange(6), tuple(ids))})
    return replace(RunReader(path).refresh(), provenance={"origin": "opened", "command": command})


@pytest.mark.parametrize(
    ("ids", "command", "note", "aligned"),
    [
        (("abcdef", "abcdef"), "", "the same ids in all", True),
        (("abcdef", "fabcde"), "", "the same ids in another order", False),
        (("abcdef", "abcxyz"), "", "different data (3 ids in common)", False),
        (("", ""), "tui-latent open a b --as runs", "opened together", True),
        (("abcdef", ""), "", "without ids in all, there is no way to tell", True),
    ],
    ids=["same", "other order", "other ids", "together", "unknown"],
)
def test_opened_runs_say_whether_they_show_the_same_rows(
    tmp_path: Path, ids: tuple[str, str], command: str, note: str, aligned: bool
) -> None:
    commands = [command] * 2 if command else ["one", "two"]
    runs = [opened(tmp_path, f"v{i}", ids[i], commands[i]) for i in range(2)]
    found = compare(runs)
    assert note in " ".join(found.notes)
    assert (found.maps[1].onto == 0) == aligned
    assert bool(found.maps[1].problem) != aligned


def test_a_loop_of_ones_own_and_a_preset_have_other_losses(tmp_path: Path) -> None:
    ours = run_of(tmp_path, "ours", [0.5], [3.0])
    theirs = RunReader(foreign_run(tmp_path)).refresh()
    shown = compare([ours, theirs])
    assert any("different training programs" in note for note in shown.notes)
    rows = {row.metric: row.comparable for row in shown.metrics}
    assert not rows["train/loss"] and rows["val/knn_20"]
    assert not shown.settings, "one preset has nothing to differ from"


def test_what_loops_say_of_themselves_is_compared(tmp_path: Path) -> None:
    runs = []
    for name, rate in (("one", 0.1), ("other", 0.2)):
        path = foreign_run(tmp_path, name)
        file = path / "preset.toml"
        file.write_text(f"[config]\nlr = {rate}\nbatch = 64\n{file.read_text()}")
        runs.append(RunReader(path).refresh())
    ours = run_of(tmp_path, "ours", [0.5], [3.0])
    shown = compare([*runs, ours])
    assert {row.key: row.values for row in shown.settings} == {"config.lr": (0.1, 0.2, None)}
