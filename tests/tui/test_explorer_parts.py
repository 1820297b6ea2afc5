"""The explorer's smaller parts: time, finding, filters, colourings, thumbnails."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from textual.strip import Strip

from tests.tui.made_runs import clusters
from tui_latent.analysis.neighbourhoods import Space
from tui_latent.map_frame import Frame
from tui_latent.palettes import class_glyph
from tui_latent.runs.schema import LatentMap
from tui_latent.sources.files.columns import column_of
from tui_latent.tui.charts.scatter import map_scene, visible_points
from tui_latent.tui.charts.thumbnails import (
    HEIGHT,
    WIDTH,
    paste_thumbnails,
    thumbnail_places,
)
from tui_latent.tui.charts.window import Window
from tui_latent.tui.screens.explorer.class_filter import EXAMPLES, ClassFilter
from tui_latent.tui.screens.explorer.colorings import COLORINGS, make_coloring
from tui_latent.tui.screens.explorer.column_colors import column_coloring
from tui_latent.tui.screens.explorer.search import next_match
from tui_latent.tui.screens.explorer.views import MapResult, _column_lines, map_titles
from tui_latent.tui.time_cursor import TimeCursor

STEPS = (60, 120, 180, 240)


def test_the_titles_of_a_projection_become_shorter_by_words_and_never_by_digits() -> None:
    projection = SimpleNamespace(
        name="LDA 3-D",
        faithful="100 % of the variance between classes · trustworthiness 0.931",
    )
    titles = map_titles(cast(MapResult, SimpleNamespace(projection=projection)), 359, 0)
    assert titles[-2:] == ("LDA 3-D · trustworthiness 0.931", "LDA 3-D")
    lengths = [len(title) for title in titles]
    assert lengths == sorted(lengths, reverse=True)


def test_the_cursor_follows_the_newest_until_someone_goes_back() -> None:
    time = TimeCursor()
    assert (
        time.resolve(()) is None and time.resolve(STEPS[:2]) == 120 and time.resolve(STEPS) == 240
    )
    assert time.move(STEPS, -1) and time.resolve(STEPS) == 180
    assert time.resolve((*STEPS, 300)) == 180, "a new evaluation does not move it"
    assert time.move(STEPS, 1) and time.step is None
    assert time.resolve((*STEPS, 300)) == 300, "at the end it follows again"


def test_the_cursor_stays_within_the_evaluations() -> None:
    time = TimeCursor()
    assert not time.move(STEPS, 1)
    assert time.move(STEPS, -99) and time.resolve(STEPS) == 60
    assert not time.move(STEPS, -1)
    assert not time.move((), -1)
    assert time.resolve(()) is None


@pytest.mark.parametrize(
    ("step", "place"), [(-5, 0), (29, 0), (31, 1), (60, 1), (100, 2), (7000, 2)]
)
def test_the_cursor_finds_the_evaluation_nearest_to_any_step(step: int, place: int) -> None:
    steps, time = (0, 60, 120), TimeCursor()
    for start in steps:
        time.step = start
        assert time.position(steps) + time.distance(steps, step) == place
    assert time.distance((), step) == 0


def test_the_track_shows_the_place() -> None:
    time = TimeCursor()
    assert time.track(STEPS, 10) == "━" * 9 + "●"
    time.move(STEPS, -99)
    assert time.track(STEPS, 10) == "●" + "─" * 9
    assert len(time.track((), 10)) == len(time.track((60,), 10)) == 10


@pytest.mark.parametrize(
    ("query", "after", "found"),
    [
        ("cat", -1, 2), ("cat", 2, 5), ("cat", 5, 2), ("CAT", 0, 2), ("ca", 2, 3), ("1", -1, 1),
        ("#1", -1, 1), ("5", 0, 5), ("6", 0, None), ("dog", 0, None), ("[red]", -1, 4),
        ("", 0, None),
        ("1,000", 0, None),
    ],
)  # fmt: skip
def test_finding(query: str, after: int, found: int | None) -> None:
    names = ("car", "1", "cat", "[red]")
    labels = np.array([0, 1, 2, 0, 3, 2])
    assert next_match(query, names, labels, after) == found


def test_a_class_called_like_a_number_comes_before_the_image_of_that_number() -> None:
    names = tuple("0123456789")
    labels = np.array([5, 1, 0, 1, 7, 1])
    assert next_match("1", names, labels, 1) == 3
    assert next_match("#1", names, labels, 3) == 1


def test_one_class_alone_and_back() -> None:
    everything = ClassFilter()
    alone = everything.only(2, 4)
    assert alone.hidden == {0, 1, 3} and alone.only(2, 4) == everything
    assert everything.only(9, 4) == everything, "there is no class 9"


def test_examples_per_class_grow_fewer_and_all_come_back() -> None:
    chosen, seen = ClassFilter(frozenset({1})), []
    for _ in EXAMPLES:
        seen.append(chosen.per_class)
        assert chosen.hidden == {1}
        chosen = chosen.fewer(6000)
    assert seen == list(EXAMPLES) and chosen.per_class is None


def test_a_number_of_points_that_no_class_exceeds_is_left_out() -> None:
    first = ClassFilter().fewer(36)
    assert first.per_class == 20
    assert first.fewer(36).fewer(36) == ClassFilter()
    assert ClassFilter().fewer(5) == ClassFilter()


def test_the_first_examples_of_each_class_are_shown() -> None:
    made = clusters(400, 10)
    labels = np.random.default_rng(0).permutation(np.asarray(made.labels))
    shown = visible_points(made.points, labels, frozenset({4}), per_class=5)
    for label in range(10):
        first = np.flatnonzero(labels == label)[: 5 if label != 4 else 0]
        assert np.flatnonzero(shown & (labels == label)).tolist() == first.tolist()


def test_the_last_class_stays() -> None:
    filtered = ClassFilter().hide(0, 2)
    assert filtered.hidden == {0} and filtered.hide(1, 2) == filtered


def made_space(count: int = 300) -> Space:
    made = clusters(count, 3, spread=0.2)
    return Space(made, torch.from_numpy(made.points), None, None)


@pytest.mark.parametrize("name", COLORINGS)
def test_every_colouring_has_a_name_and_colour_for_every_point(name: str) -> None:
    coloring = make_coloring(name, made_space())
    assert len(coloring.values) == 300
    assert coloring.values.min() >= 0 and coloring.values.max() < len(coloring.names)
    for dark in (True, False):
        assert len(coloring.colors(dark)) >= len(coloring.names)


def test_clusters_of_clear_classes_are_the_classes() -> None:
    space = made_space()
    clusters_found = make_coloring("cluster", space).values
    assert clusters_found.tolist() == space.map.labels.tolist(), "and have their numbers"


def test_errors_stand_out_from_what_is_right() -> None:
    made = clusters(300, 3, spread=0.2)
    labels = np.array(made.labels)
    labels[7] = (labels[7] + 1) % 3
    wrong = LatentMap(made.step, made.points, made.indices, labels, made.class_names)
    coloring = make_coloring("kNN error", Space(wrong, torch.from_numpy(made.points), None, None))
    assert np.flatnonzero(coloring.values).tolist() == [7]
    assert coloring.names[coloring.values[7]] == f"{made.labels[7]}"


def test_a_point_far_from_all_others_is_the_strangest() -> None:
    made = clusters(300, 3, spread=0.2)
    points = made.points.copy()
    points[11] = (40, 40)
    far = LatentMap(made.step, points, made.indices, made.labels, made.class_names)
    space = Space(far, torch.from_numpy(points), None, None)
    assert int(space.anomaly_score.argmax()) == 11
    assert make_coloring("anomaly", space).values[11] == 4
    assert make_coloring("density", space).values[11] == 0


def test_equal_points_are_of_one_level() -> None:
    same = LatentMap(
        1, np.zeros((40, 2), np.float32), np.arange(40), np.zeros(40, np.int64), ("a",)
    )
    space = Space(same, torch.zeros(40, 2), None, None)
    for name in COLORINGS:
        assert len(set(make_coloring(name, space).values.tolist())) == 1


def test_thumbnails_stand_at_points_and_do_not_overlap() -> None:
    made = clusters(500, 10)
    shown = map_scene(made)
    window = Window.around(Frame(-7, 7, -7, 7), 74, 36)
    places = thumbnail_places(shown, window)
    assert len(places) > 10
    taken: set[tuple[int, int]] = set()
    for index, column, row in places:
        x, y = window.cell(*shown.points[index].tolist())
        assert column - 1 <= x <= column + WIDTH and row - 1 <= y <= row + HEIGHT
        cells = {(column + i, row + j) for i in range(WIDTH) for j in range(HEIGHT)}
        assert not cells & taken
        taken |= cells
    blank = [Strip.blank(74)] * 36
    asked: list[int] = []

    def images(indices: Sequence[int]) -> NDArray[np.uint8]:
        asked.extend(indices)
        return np.full((len(indices), 28, 28, 1), 255, np.uint8)

    shown = map_scene(made, images=images)
    pasted = paste_thumbnails(blank, shown, window, colored=True, dark=True)
    assert asked == [index for index, _, _ in places]
    assert [strip.cell_length for strip in pasted] == [74] * 36


@pytest.mark.parametrize(("classes", "colored"), [(10, False), (24, True), (24, False)])
def test_thumbnails_carry_the_character_of_their_class_where_colour_is_not_enough(
    classes: int, colored: bool
) -> None:
    made = clusters(500, classes)
    shown = map_scene(made, images=lambda indices: np.zeros((len(indices), 28, 28, 1), np.uint8))
    window = Window.around(Frame(-7, 7, -7, 7), 74, 36)
    pasted = paste_thumbnails([Strip.blank(74)] * 36, shown, window, colored=colored, dark=True)
    for index, column, row in thumbnail_places(shown, window):
        assert pasted[row].text[column] == class_glyph(int(made.labels[index]))


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["2019", "2021", "2023"], ("2019", "2021", "2023")),
        (["104532", "104533"], ("104532", "104533")),
        (["0.5", "1"], (".500", "1")),
    ],
    ids=["years", "ids", "doses"],
)
def test_whole_numbers_of_a_table_are_written_in_full(
    cells: list[str], names: tuple[str, ...]
) -> None:
    table_column = column_of("x", cells)
    assert column_coloring("x", table_column).names == names
    lines = [_column_lines([table_column], row) for row in range(len(cells))]
    assert [line.plain for some in lines for line in some] == [f"x: {name}" for name in names]
