"""Sentences on two runs, image by image."""

from __future__ import annotations

from tui_latent.analysis.paired_runs import PairedRun
from tui_latent.analysis.paired_words import paired_sentences
from tui_latent.metrics.paired_shares import PairedShares

IMAGES = "held-out images"


def shares(only_first: int, only_second: int, p: float) -> PairedShares:
    return PairedShares(only_first, only_second, 359, 0.0, 0.0, 0.0, p)


def said(found: PairedRun) -> str:
    return " ".join(paired_sentences("slow", "fast", found, IMAGES))


def test_a_difference_is_called_chance_or_more_than_chance() -> None:
    chance = said(PairedRun(shares(5, 9, 0.42), cka=0.953, overlap=0.61, chance=0.056))
    assert chance == (
        "Of the same 359 held-out images, kNN@20 recognises 9 only in fast and 5 only in slow: "
        "chance explains that (McNemar's test, p = 0.42). fast and slow arrange the held-out "
        "images alike (CKA 0.95; 61 % of the nearest neighbours in common, 6 % by chance)."
    )
    beyond = said(PairedRun(shares(2, 20, 0.0001), overlap=0.5, chance=0.05))
    assert "2 only in slow: more than chance explains (McNemar's test, p = 1.0e-4)" in beyond


def test_the_same_answers_need_no_test() -> None:
    words = said(PairedRun(shares(0, 0, 1.0), overlap=1.0, chance=0.05))
    assert "kNN@20 recognises the same ones in fast as in slow." in words


def test_spaces_are_alike_partly_alike_or_different() -> None:
    def how(cka: float) -> str:
        return said(PairedRun(shares(0, 0, 1.0), cka=cka, overlap=0.5, chance=0.05))

    assert "arrange the held-out images alike" in how(0.9)
    assert "arrange the held-out images partly alike" in how(0.7)
    assert "arrange the held-out images differently" in how(0.49)


def test_a_reason_stands_in_the_place_of_what_is_missing() -> None:
    both = PairedRun(no_accuracy="other images", no_space="other images")
    assert said(both) == "fast cannot be compared with slow image by image: other images."
    words = said(PairedRun(no_accuracy="no labels", overlap=0.5, chance=0.05))
    assert "The accuracies of fast and slow cannot be compared: no labels." in words
    assert "50 % of the nearest neighbours in common" in words
