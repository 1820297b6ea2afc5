"""A report's numbers are the run's."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.reports.conftest import PRESET, PROVENANCE, STEPS, MakeRun
from tui_latent.reports.confusion import knn_confusion
from tui_latent.reports.map_frame import map_frame
from tui_latent.reports.numbers import ReportNumbers, as_json, report_numbers
from tui_latent.reports.panels.components import others_height
from tui_latent.reports.samples import Samples, collect_samples
from tui_latent.reports.terms import loss_terms
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import LatentMap, RunSnapshot


def numbers_of(run: Path) -> tuple[RunSnapshot, ReportNumbers]:
    snapshot = RunReader(run).refresh()
    return snapshot, report_numbers(snapshot, collect_samples(run, len(snapshot.class_names), 3))


def test_a_run_says_what_it_is(make_run: MakeRun) -> None:
    about = numbers_of(make_run(name="mine"))[1].about
    assert (about.run, about.preset, about.title) == ("mine", "blobs-2d", PRESET["title"])
    assert (about.dataset, about.method, about.latent_dim) == ("digits", "contrastive", 2)
    assert (about.state, about.step, about.total_steps, about.seconds) == (
        "finished",
        200,
        200,
        133,
    )
    assert (about.device, about.seed) == ("cpu (2 threads)", 3)
    assert about.command == PROVENANCE["command"]
    assert about.versions == PROVENANCE["versions"]


def test_a_run_that_says_little_leaves_gaps(make_run: MakeRun) -> None:
    about = numbers_of(make_run(provenance={}, evaluated=False))[1].about
    assert about.command == "" and about.seed is None and about.versions == {}


@pytest.mark.parametrize(
    ("created", "day"),
    [("2026-11-22T13:45:00+01:00", "2026-11-22T13:45:00+01:00"), (1.7e9, "2023-11-1"), ("?", "")],
)
def test_when_it_began(make_run: MakeRun, created: object, day: str) -> None:
    run = make_run(provenance={"created": created}, evaluated=False)
    began = numbers_of(run)[1].about.created
    assert began.startswith(day) and bool(began) == bool(day)


def test_curves_and_metrics_are_those_recorded(make_run: MakeRun) -> None:
    snapshot, numbers = numbers_of(make_run())
    assert numbers.metrics == {name: curve.last for name, curve in snapshot.curves.items()}
    assert [term.name for term in numbers.loss] == ["loss", "info_nce", "norm"]
    total = numbers.loss[0]
    assert total.train is not None and total.val is not None
    assert total.train.steps.tolist() == list(STEPS)
    np.testing.assert_allclose(total.val.means, total.train.means + 0.2)
    assert numbers.loss[2].val is None
    assert [term.weights for term in numbers.loss] == [(), ((0.0, 1.0),), ((0.0, 0.01),)]
    assert [accuracy.k for accuracy in numbers.knn] == [1, 5, 20]
    best = numbers.knn[2].line
    assert best.best == best.last == snapshot.curves["val/knn_20"].last


def test_the_neighbours_are_those_of_one_image_per_class(make_run: MakeRun) -> None:
    _, numbers = numbers_of(make_run())
    assert not isinstance(numbers.neighbours, str)
    assert [sample.label for sample in numbers.neighbours] == list("0123456789")
    wrong = 0
    for sample in numbers.neighbours:
        distances = [neighbour.distance for neighbour in sample.neighbours]
        assert len(distances) == 5 and distances == sorted(distances)
        for neighbour in sample.neighbours:
            assert neighbour.wrong == (neighbour.label != sample.label)
            assert neighbour.label == str(neighbour.training_image % 10)
            wrong += neighbour.wrong
    assert 0 < wrong < 50


@pytest.mark.parametrize(
    ("classes", "shown"),
    [(1, ["0"] * 10), (3, ["0"] * 3 + ["1"] * 3 + ["2"] * 3), (7, list("0123456"))],
)
def test_few_classes_have_several_images_each(
    make_run: MakeRun, classes: int, shown: list[str]
) -> None:
    _, numbers = numbers_of(make_run(tuple("0123456789"[:classes])))
    assert not isinstance(numbers.neighbours, str)
    assert [sample.label for sample in numbers.neighbours] == shown


def test_of_many_classes_ten_that_lie_apart_are_shown(make_run: MakeRun) -> None:
    _, numbers = numbers_of(make_run(tuple(str(number) for number in range(100)), each=2))
    assert not isinstance(numbers.neighbours, str)
    shown = [int(sample.label) for sample in numbers.neighbours]
    assert len(shown) == 10 and shown[0] == 0 and shown[-1] == 99
    assert all(10 <= b - a <= 12 for a, b in pairwise(shown))


def test_without_an_evaluation_the_reasons_stand_in(make_run: MakeRun) -> None:
    _, numbers = numbers_of(make_run(evaluated=False))
    assert numbers.map is None and numbers.confusion is None and numbers.knn == ()
    assert isinstance(numbers.neighbours, str) and "no latents yet" in numbers.neighbours
    assert not isinstance(numbers.views, str), "views need no latents"


METHODS: list[tuple[dict[str, Any], list[str], list[str]]] = [
    ({"name": "contrastive", "norm_weight": 0.0}, ["info_nce", "norm"], ["info_nce"]),
    (
        {"name": "contrastive", "norm_weight": 0.1, "gaussian": True},
        ["info_nce", "norm", "kl"],
        ["info_nce", "norm"],
    ),
    ({"name": "vicreg", "variance_weight": 0.0}, ["invariance", "variance"], ["invariance"]),
    ({"name": "siamese", "metric_weight": 1.0}, ["pairwise", "reconstruction"], ["pairwise"]),
    (
        {"name": "siamese", "metric_weight": 0.0, "pairing": "triplets"},
        ["triplet", "reconstruction"],
        ["reconstruction"],
    ),
    (
        {"name": "autoencoder", "variational": True, "beta": 0.0},
        ["reconstruction", "kl"],
        ["reconstruction"],
    ),
    ({"name": "triplet"}, ["triplet", "grad_norm"], ["triplet"]),
    ({"name": "of a later version"}, ["triplet", "grad_norm"], ["triplet"]),
]


@pytest.mark.parametrize(("method", "recorded", "shown"), METHODS)
def test_terms_without_weight_are_left_out(
    method: dict[str, Any], recorded: list[str], shown: list[str]
) -> None:
    metrics = ["train/lr", "train/loss", *(f"train/{term}" for term in recorded)]
    metrics += ["train/images_per_second", "val/loss", "val/knn_20", "latent/std_min"]
    preset = {"method": {"latent_dim": 2, **method}}
    assert loss_terms(preset, metrics) == ["loss", *shown]


def test_nothing_recorded_is_not_a_term() -> None:
    assert loss_terms({}, []) == []


def test_the_confusion_is_in_percent_of_the_truth() -> None:
    counts = np.array([[8, 2, 0], [0, 0, 0], [3, 0, 1]])
    confusion = knn_confusion(counts, ("a", "b", "c"))
    np.testing.assert_allclose(confusion.percent[0], [80, 20, 0])
    assert np.isnan(confusion.percent[1]).all(), "no image of b is held out"
    np.testing.assert_allclose(confusion.percent[2], [75, 0, 25])
    pairs = [(p.truth, p.taken_for, p.images, p.percent) for p in confusion.most_confused]
    assert pairs == [("c", "a", 3, 75.0), ("a", "b", 2, 20.0)]


def latent_map(points: list[tuple[float, float]], labels: list[int]) -> LatentMap:
    count = len(points)
    array = np.array(points, dtype=np.float32).reshape(count, 2)
    return LatentMap(7, array, np.arange(count), np.array(labels, dtype=np.int64), ("a", "b"))


def test_the_frame_is_a_square_around_all_points() -> None:
    frame = map_frame(latent_map([(0, 0), (4, 0), (4, 2), (0, 2)], [0, 0, 0, 1]))
    assert frame.centre == (2, 1)
    assert 2 < frame.half_width < 2.3
    assert (frame.images, frame.outside, frame.not_finite) == (4, 0, 0)
    a, b = frame.classes
    assert (a.name, a.images, a.x, a.y) == ("a", 3, 4.0, 0.0)
    assert (b.name, b.images, b.x, b.y) == ("b", 1, 0.0, 2.0)


def test_a_far_outlier_does_not_shrink_the_map() -> None:
    random = np.random.default_rng(0).standard_normal((1000, 2))
    points = [(float(x), float(y)) for x, y in random] + [(1e6, 0.0)]
    frame = map_frame(latent_map(points, [0] * 1001))
    assert frame.half_width < 20
    assert frame.outside == 1


def test_points_without_spread_or_without_end_have_a_frame() -> None:
    same = map_frame(latent_map([(3, 3)] * 5, [0] * 5))
    assert same.centre == (3, 3) and same.half_width > 0 and same.outside == 0
    lost = map_frame(latent_map([(math.nan, 0), (0, math.inf)], [0, 1]))
    assert lost.not_finite == 2 and lost.classes == () and lost.half_width > 0
    assert map_frame(latent_map([], [])).images == 0


def test_json_has_null_where_there_is_not_a_number() -> None:
    numbers = {"nan": math.nan, "list": [1.5, math.inf], "array": np.array([[1, 2]]), "none": None}
    assert as_json(numbers) == {"nan": None, "list": [1.5, None], "array": [[1, 2]], "none": None}


def test_the_whole_is_plain_json(make_run: MakeRun) -> None:
    _, numbers = numbers_of(make_run())
    text = json.dumps(as_json(numbers), allow_nan=False)
    assert json.loads(text)["about"]["run"] == numbers.about.run


def test_images_that_are_gone_are_reported(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui_latent.sources.errors import DataError

    run = make_run()

    def load(*_: object) -> None:
        raise DataError("blobs are not in /data: get them")

    monkeypatch.setattr("tui_latent.datasets.sources.load_dataset", load)
    samples = collect_samples(run, 10, 0)
    why = "blobs are not in /data: get them"
    assert samples.views == why and samples.neighbours == why
    assert isinstance(samples, Samples)


def test_a_metric_without_a_row_has_a_chart_of_its_own_and_is_not_a_term(make_run: MakeRun) -> None:
    snapshot, _ = numbers_of(make_run())
    curves = {**snapshot.curves, "train/grad_norm": snapshot.curves["train/loss"]}
    numbers = report_numbers(replace(snapshot, curves=curves), Samples("", ""))
    assert [line.metric for line in numbers.others] == ["train/grad_norm"]
    assert "grad_norm" not in [term.name for term in numbers.loss]
    assert others_height(numbers.others) > others_height([]) == 0
