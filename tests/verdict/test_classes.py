"""The worst confusion, and how sure of it the images make one."""

from __future__ import annotations

import numpy as np

from tests.verdict.snapshots import kinds, matrix, only, run
from tui_latent.verdict import judge


def test_a_clear_confusion_names_the_classes_and_the_share() -> None:
    found = only(judge(run(confusion=matrix(_8_1=22, _3_5=6))), "confusion")
    assert found.sentence == "8 is taken for 1 in 11 % of its images."
    assert found.severity == "warning" and (found.door.truth, found.door.called) == (8, 1)
    assert "22 of 200" in found.evidence


def test_the_same_share_of_few_images_is_counted_and_no_claim() -> None:
    found = only(judge(run(confusion=matrix(35, _8_1=4))), "confusion")
    assert found.sentence == "8 is most often taken for 1 (4 of 35)."
    assert found.severity == "note" and found.headline


def test_a_rare_confusion_is_not_a_headline() -> None:
    found = only(judge(run(confusion=matrix(_8_1=4))), "confusion")
    assert not found.headline


def test_a_class_of_two_images_is_not_the_worst() -> None:
    counts = matrix(_8_1=22)
    counts[3] = 0
    counts[3, 5] = 2
    assert only(judge(run(confusion=counts)), "confusion").door.truth == 8


def test_of_random_votes_within_the_noise_no_pair_is_accused() -> None:
    """1.5 % wrong in every pair: the worst of 90 looks worse, by chance alone."""
    random, accused = np.random.default_rng(0), 0
    for _ in range(200):
        rows = [random.multinomial(200, np.full(10, 0.015) + 0.85 * (np.arange(10) == c))
                for c in range(10)]  # fmt: skip
        found = only(judge(run(confusion=np.array(rows))), "confusion")
        accused += found.severity == "warning"
    assert accused <= 2


def test_no_error_is_said_and_one_class_says_nothing() -> None:
    assert "No held-out image" in only(judge(run()), "confusion").sentence
    assert "confusion" not in kinds(judge(run(confusion=np.array([[9]]))))
