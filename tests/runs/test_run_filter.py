from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tui_latent.runs.labels import NONE
from tui_latent.runs.run_filter import FilterError, parse_filter
from tui_latent.runs.schema import Labels, RunSummary, Status


def run(name: str, state: Any = "finished", labels: Labels = NONE, **more: Any) -> RunSummary:
    status = Status(state, step=30, total_steps=60, seconds=90.0, device="cpu 2 threads")
    return RunSummary(Path(name), name, "digits-vicreg", status, 0.0, labels=labels, **more)


RUNS = (
    run("good", knn_20=0.96, best_knn_20=0.97, method="vicreg", seed=1, latent_dim=8),
    run("bad", "failed", knn_20=0.4, method="vicreg", seed=2, latent_dim=2),
    run("none", "stopped", method="triplet", changes=("train.lr=0.01",)),
    run("named", labels=Labels("My best", ("paper", "x"), "for the talk"), knn_20=0.95, queued=1),
)


def found(text: str) -> list[str]:
    """Return the names of the runs that a filter finds."""
    means = parse_filter(text)
    return [each.name for each in RUNS if means(each)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["good", "bad", "none", "named"]),
        ("knn>.95", ["good"]),
        ("knn>=.95", ["good", "named"]),
        ("knn < .5", ["bad"]),
        ("best>0.96", ["good"]),
        ("state:failed", ["bad"]),
        ("state!=finished", ["bad", "none", "named"]),
        ("state:queued", ["named"]),
        ("method:vicreg seed=2", ["bad"]),
        ("METHOD:VICReg dim:8", ["good"]),
        ("tag:x", ["named"]),
        ("tag:pap", []),
        ("/^(my|go)/", ["good", "named"]),
        ("/my best/", ["named"]),
        ('"my best"', ["named"]),
        ('notes:"the talk"', ["named"]),
        ('"open', []),
        ("set:train.lr", ["none"]),
        ("done=50%", ["good", "bad", "none", "named"]),
        ("minutes>1 minutes<2 BA", ["bad"]),
        ("knn>.3 state:failed method:vicreg /b.d/", ["bad"]),
    ],
)
def test_a_filter_finds_the_matching_runs(text: str, names: list[str]) -> None:
    assert found(text) == names


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("metod:vicreg", "There is no field 'metod'. Did you mean 'method'?"),
        ("zzz:1", "There is no field 'zzz'. Use knn, best,"),
        ("knn>much", "knn>much: 'much' is not a number."),
        ("knn>", "knn> needs a number after it."),
        ("state>failed", "'state' is text: write state:failed."),
        ("/open", "/open: a regular expression ends with a second /."),
        ("/(/", "/(/ is not a regular expression: "),
    ],
)
def test_a_wrong_filter_says_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(FilterError) as error:
        parse_filter(text)
    assert str(error.value).startswith(words)


def test_a_run_without_a_value_matches_no_comparison_with_it() -> None:
    assert "none" not in found("knn<1") + found("knn>0") + found("seed!=5")
