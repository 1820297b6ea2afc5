"""A map in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.verdict.snapshots import a_map
from tui_latent.verdict.map_words import map_sentences


def test_separate_classes_lie_apart_and_each_has_a_place() -> None:
    words = map_sentences(a_map(1000))
    assert "0, 1, 2, 3, 4, 5, 6, 7, 8 and 9 lie apart from all other classes." in words
    assert "No two classes touch." in words and words[-1] == "No image is far from all others."
    places = next(line for line in words if line.startswith("Positions on the map"))
    assert "2 and 3 at the top;" in places and "7 and 8 at the bottom;" in places
    assert "0 on the right" in places and "5 on the left" in places


def test_classes_that_overlap_touch() -> None:
    apart = a_map(1000)
    points = np.array(apart.points)
    one, eight = apart.labels == 1, apart.labels == 8
    points[eight] += points[one].mean(0) - points[eight].mean(0)
    text = " ".join(map_sentences(replace(apart, points=points)))
    assert "1 and 8 (" in text and "0, 2, 3, 4, 5, 6, 7 and 9 lie apart" in text


def test_outliers_are_numbered_and_points_without_a_place_counted() -> None:
    latent_map = a_map(1000)
    points = np.array(latent_map.points)
    points[17] = (500, 500)
    points[30] = np.nan
    text = " ".join(map_sentences(replace(latent_map, points=points)))
    assert "One image is far from all others: image 17 (7)." in text
    assert "1 of them has no finite position" in text


def test_one_point_and_a_few_points_are_said_as_they_are() -> None:
    latent_map = a_map(100)
    same = replace(latent_map, points=np.zeros_like(latent_map.points))
    assert map_sentences(same)[-1] == "All of them are at one point."
    assert map_sentences(a_map(5))[-1] == "There are too few of them to describe the map."


def test_of_many_images_a_sample_is_compared() -> None:
    assert "2,000 compared" in map_sentences(a_map(5000))[-1]
