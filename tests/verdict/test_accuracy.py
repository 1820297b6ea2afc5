"""What is said of an accuracy, beside the promise of the preset and within the noise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy.stats import binomtest

from tests.verdict.snapshots import FINISHED, curve, kinds, matrix, only, run
from tui_latent.runs.events import new_event
from tui_latent.runs.schema import Status
from tui_latent.verdict import judge


def test_a_promise_that_is_kept_is_good() -> None:
    found = only(judge(run(0.969)), "promise")
    assert found.severity == "good"
    assert found.sentence == "Good: kNN@20 0.969, the preset promises 0.967."
    interval = binomtest(1938, 2000).proportion_ci(0.95, "wilson")
    assert f"{interval.low:.3f} to {interval.high:.3f}" in found.evidence


@pytest.mark.parametrize(("images", "severity"), [(300, "good"), (10_000, "warning")])
def test_a_run_is_worse_only_beyond_the_noise_of_its_images(images: int, severity: str) -> None:
    found = only(judge(run(0.95, images=images)), "promise")
    inside = binomtest(round(0.95 * images), images).proportion_ci(0.95, "wilson").high >= 0.967
    assert found.severity == severity == ("good" if inside else "warning")
    assert ("within noise" in found.sentence) == inside


def test_a_live_run_is_not_said_to_miss_what_it_may_still_reach() -> None:
    live = replace(FINISHED, state="running", step=300)
    found = only(judge(run(0.5, status=live)), "promise")
    assert found.severity == "note" and not found.headline and "so far" in found.sentence


def test_a_promise_does_not_hold_with_other_settings_but_with_another_seed_or_devices() -> None:
    command = "tui-latent train digits --set {}"
    changed = run(0.5, provenance={"command": command.format("method.width=2")})
    assert only(judge(changed), "promise").severity == "note"
    assert "1 setting changed" in only(judge(changed), "promise").sentence
    assert "Changed from the preset: method.width." in only(judge(changed), "promise").evidence
    for same in ("train.seed=3", "train.devices=2"):
        likewise = run(0.5, provenance={"command": command.format(same)})
        assert only(judge(likewise), "promise").severity == "warning"


def test_a_promise_does_not_hold_once_settings_are_changed_during_training() -> None:
    changes = [("lr_factor", 0.5), ("method.norm_weight", 1.0)]
    events = tuple(new_event("change", 300, "", setting=key, new=new) for key, new in changes)
    found = only(judge(run(0.5, events=events)), "promise")
    assert found.severity == "note" and "2 settings changed" in found.sentence
    assert "preset: learning rate factor, method.norm_weight." in found.evidence


def test_without_a_promise_the_accuracy_is_stated_and_not_judged() -> None:
    verdict = judge(run(0.5, promised=None))
    assert only(verdict, "accuracy").severity == "note"
    assert "promise" not in kinds(verdict) and verdict.line() == ""


def test_an_accuracy_that_fell_names_the_step_of_its_best() -> None:
    fell = run(None, curves={"val/knn_20": curve([0.5, 0.97, 0.8], 100, higher=True)})
    found = only(judge(fell), "fallen")
    assert "0.970 at step 200 to 0.800" in found.sentence and found.door.step == 200
    wobbles = run(None, curves={"val/knn_20": curve([0.5, 0.97, 0.965], 100, higher=True)})
    assert "fallen" not in kinds(judge(wobbles))


def test_an_earlier_stage_in_more_dimensions_is_no_best_to_fall_from() -> None:
    stages = [{"epochs": 5}, {"epochs": 5}]
    table = {"method": {"latent_dim": 2}, "stages": stages}
    staged = run(None, curves={"val/knn_20": curve([0.99, 0.7, 0.8], 300, higher=True)})
    assert "fallen" in kinds(judge(staged))
    assert "fallen" not in kinds(judge(replace(staged, preset=table)))


def test_few_images_are_said_with_what_they_can_tell() -> None:
    found = only(judge(run(0.9, images=100)), "few images")
    low, high = binomtest(90, 100).proportion_ci(0.95, "wilson")
    assert f"±{100 * (high - low) / 2:.0f} points" in found.sentence
    assert "few images" not in kinds(judge(run(0.9, images=2000)))


def test_classes_with_few_images_are_named() -> None:
    counts = matrix()
    counts[3] = 0
    counts[3, 3] = 4
    found = only(judge(run(confusion=counts)), "few images")
    assert found.sentence == "One class has too few held-out images to judge: 3 (4)."
    assert found.evidence.startswith("1 of 10 classes has fewer") and not found.headline
    counts[5] = counts[3]
    found = only(judge(run(confusion=counts)), "few images")
    assert found.sentence.startswith("Some classes have too few held-out images to judge: 3 (4), ")


def test_what_is_missing_is_reported_with_its_reason() -> None:
    why = "there are 16 training images to choose the 20 nearest from"
    verdict = judge(run(missing={"val/knn_20": why}))
    assert only(verdict, "missing").sentence == f"Not measured: kNN@20: {why}."
    assert "promise" not in kinds(verdict) and why in verdict.line()


def test_a_run_that_has_not_begun_has_no_verdict() -> None:
    empty = run(None, map=None, confusion=None, status=Status())
    assert judge(empty).findings == ()
