"""One table of metrics, which everything that shows a metric reads."""

from __future__ import annotations

import pytest

from tui_latent.metrics.collapse import FIGURES
from tui_latent.metrics.knn import KS
from tui_latent.metrics.view_retrieval import KS as RETRIEVED
from tui_latent.runs.metric_specs import (
    EVALUATION_FIGURES,
    METRICS,
    TERMS,
    higher_is_better,
    in_group,
    spec_in_run,
    spec_of,
    term_names,
)


def test_what_training_records_has_a_row() -> None:
    names = {spec.name for spec in METRICS}
    assert {f"val/knn_{k}" for k in KS} | {f"latent/{name}" for name in FIGURES} <= names
    assert {"train/loss", "val/loss", "train/lr", "train/images_per_second"} <= names


def test_every_row_says_what_its_metric_means() -> None:
    for spec in (*METRICS, *EVALUATION_FIGURES):
        assert spec.title and spec.short and spec.meaning.endswith("."), spec.name
        assert len(spec.meaning) < 160, "one sentence"
    for spec in in_group("space"):
        assert len(spec.short) <= 11, "the dashboard's space panel has no more room"


def test_only_accuracies_and_view_retrieval_are_better_when_higher() -> None:
    assert {spec.name for spec in METRICS if higher_is_better(spec.name)} == {
        *(f"val/knn_{k}" for k in KS),
        *(f"val/view_retrieval_{k}" for k in RETRIEVED),
    }
    assert higher_is_better("val/knn_7"), "whatever k an older run has recorded"


@pytest.mark.parametrize("metric", ["train/grad_norm", "val/new", "mine"])
def test_a_metric_without_a_row_is_neither_a_loss_nor_better_when_lower(metric: str) -> None:
    spec = spec_of(metric)
    assert (spec.group, spec.direction) == ("other", "")
    assert spec.name == metric and spec.title


def test_terms_are_those_of_the_method_else_those_known_or_recorded_of_both_splits() -> None:
    recorded = ["train/lr", "train/loss", "train/norm", "train/barlow", "train/grad_norm"]
    assert term_names(recorded) == ["norm"]
    evaluated = [*recorded, "val/loss", "val/barlow", "val/knn_20"]
    assert term_names(evaluated) == ["norm", "barlow"]
    assert term_names(evaluated, declared=["barlow", "grad_norm"]) == ["barlow", "grad_norm"]
    assert term_names(evaluated, declared=["loss", "lr"]) == []


def test_a_term_without_a_row_is_better_when_lower() -> None:
    spec = spec_in_run("val/barlow", ["barlow"])
    assert (spec.group, spec.direction, spec.title) == ("term", "lower", "barlow, held out")
    assert spec_in_run("latent/barlow", ["barlow"]).group == "other"
    assert set(TERMS) == {spec.name.partition("/")[2] for spec in in_group("term")}


def test_values_are_written_with_their_units() -> None:
    assert spec_of("train/images_per_second").text(12431.4) == "12,431 images/s"
    assert spec_of("train/screen_share").text(0.0123) == "1.2%"
    assert spec_of("val/knn_20").text(0.9712) == "0.971"
    assert spec_of("val/knn_20").text(None) == "–"
