"""Collapse, decoders that say nothing, and how faithful a map is."""

from __future__ import annotations

import pytest
import torch

from tests.verdict.snapshots import a_map, curve, kinds, only, run
from tui_latent.metrics.collapse import collapse_signs, space_figures
from tui_latent.runs.schema import Curve
from tui_latent.verdict import judge
from tui_latent.verdict.thresholds import FAITHFUL, UNFAITHFUL


def collapsed(flags: list[int], **figures: float) -> dict[str, Curve]:
    curves = {"latent/collapsed": curve(flags, 100)}
    return curves | {f"latent/{name}": curve([value], 100) for name, value in figures.items()}


def test_a_collapse_says_since_when_and_how_many_dimensions_are_left() -> None:
    curves = collapsed([0, 1, 0, 1, 1], effective_rank=1.2, uniformity=-0.1, std_mean=2.0)
    wide = {"method": {"name": "vicreg", "latent_dim": 128}}
    found = only(judge(run(curves=curves, preset=wide)), "collapse")
    assert found.severity == "bad" and found.door.step == 400
    assert "since step 400: effective rank 1.20 of 128" in found.sentence
    assert "most latents lie in one direction" in found.sentence


def test_one_point_is_another_collapse_and_may_be_there_from_the_start() -> None:
    curves = collapsed([1, 1], effective_rank=1.0, uniformity=0.0, std_mean=1e-6)
    found = only(judge(run(curves=curves)), "collapse")
    assert "from the first evaluation on, step 100" in found.sentence
    assert "all latents are one point" in found.sentence


def test_an_evaluation_finds_the_collapse_of_a_run_that_recorded_none() -> None:
    sign = "effective rank 1.20 of 128, uniformity -0.10: most latents lie in one direction"
    found = only(judge(run(), {"step": 900, "collapse": {"signs": [sign]}}), "collapse")
    assert found.sentence == f"Collapsed at step 900: {sign}."
    recorded = judge(run(curves=collapsed([0])), {"step": 900, "collapse": {"signs": [sign]}})
    assert "collapse" not in kinds(recorded), "what training recorded is newer"


def test_a_collapse_that_has_passed_is_none() -> None:
    assert "collapse" not in kinds(judge(run(curves=collapsed([1, 0]))))


def test_it_comes_before_all_else() -> None:
    verdict = judge(run(0.99, curves=collapsed([1])))
    assert verdict.findings[0].kind == "collapse" and verdict.severity == "bad"
    assert verdict.line(40).startswith("Collapsed")


def test_the_limits_named_are_those_that_training_collapses_by() -> None:
    """The threshold's numbers decide `collapse_signs`, which the trainer records."""
    one_way = torch.randn(500, 128) * 0.002
    one_way[:, 0] += 10
    assert collapse_signs(space_figures(one_way), 128)
    assert not collapse_signs(space_figures(torch.randn(500, 128)), 128)
    curves = collapsed([1])
    wide = {"method": {"name": "vicreg", "latent_dim": 128}}
    assert "below 3.00" in only(judge(run(curves=curves, preset=wide)), "collapse").threshold


@pytest.mark.parametrize(("nats", "said"), [(0.03, True), (3.0, False)])
def test_a_latent_of_no_nats_leaves_the_decoder_nothing_to_say(nats: float, said: bool) -> None:
    curves = {"val/kl": curve([nats]), "val/reconstruction": curve([0.1])}
    assert ("decoder" in kinds(judge(run(curves=curves)))) is said


def test_a_gaussian_without_a_decoder_is_left_alone() -> None:
    assert "decoder" not in kinds(judge(run(curves={"val/kl": curve([0.0])})))


@pytest.mark.parametrize(("deviation", "said"), [(0.001, True), (0.2, False)])
def test_decoded_images_that_are_all_alike_are_found(deviation: float, said: bool) -> None:
    evaluation = {"step": 1000, "decoder": {"deviation": deviation, "images": 256}}
    verdict = judge(run(), evaluation)
    assert ("decoder" in kinds(verdict)) is said
    if said:
        assert "The decoder draws the same image for every sample." in verdict.line()


@pytest.mark.parametrize(
    ("trust", "continuity", "severity", "words"),
    [
        (0.99, 0.98, "good", "The map is faithful (0.980)."),
        (0.93, 0.98, "note", "fairly faithful"),
        (0.8, 0.98, "warning", "cannot be trusted"),
        (0.98, 0.8, "warning", "tears neighbourhoods apart"),
    ],
)
def test_a_map_is_as_faithful_as_the_worse_of_two_figures(
    trust: float, continuity: float, severity: str, words: str
) -> None:
    part = {"trustworthiness": trust, "continuity": continuity, "images": 2000}
    shown = run(map=a_map(projection="pca"))
    found = only(judge(shown, {"step": 1000, "map": part}), "map")
    assert found.severity == severity and words in found.sentence
    assert str(FAITHFUL) in found.threshold and str(UNFAITHFUL) in found.threshold


def test_a_map_of_the_latents_themselves_is_not_praised() -> None:
    evaluation = {"step": 1000, "map": {"trustworthiness": 1, "continuity": 1}}
    found = only(judge(run(), evaluation), "map")
    assert not found.headline


def test_without_an_evaluation_it_says_that_it_does_not_know() -> None:
    found = only(judge(run(map=a_map(projection="pca"))), "map")
    assert "has not been measured" in found.sentence and found.door.place == "evaluation"
