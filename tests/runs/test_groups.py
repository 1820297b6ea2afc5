from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.foreign_runs import foreign_run
from tui_latent.runs.groups import GROUPS_FILE, group_of_each, name_images, read_groups
from tui_latent.runs.schema import RunError


def images_by_name(run: Path) -> dict[str, list[int]]:
    return {group.name: group.images.tolist() for group in read_groups(run)}


def test_a_name_stays_with_its_images(tmp_path: Path) -> None:
    run = foreign_run(tmp_path)
    assert read_groups(run) == ()
    name_images(run, "  round   ones ", np.array([5, 3, 4, 59, 3]))
    assert images_by_name(run) == {"round ones": [3, 4, 5, 59]}


def test_an_image_is_in_the_group_that_it_was_given_last(tmp_path: Path) -> None:
    run = foreign_run(tmp_path)
    name_images(run, "round", np.arange(10))
    name_images(run, "thin", np.array([2, 3, 11]))
    assert images_by_name(run) == {"round": [0, 1, 4, 5, 6, 7, 8, 9], "thin": [2, 3, 11]}
    groups = read_groups(run)
    assert group_of_each(groups, np.array([3, 0, 40])).tolist() == [1, 0, -1]
    # A name given again says which images have it now.
    name_images(run, "thin", np.array([20]))
    assert images_by_name(run)["thin"] == [20]


def test_an_empty_name_takes_names_away(tmp_path: Path) -> None:
    run = foreign_run(tmp_path)
    name_images(run, "round", np.arange(10))
    name_images(run, " ", np.arange(1, 10))
    assert images_by_name(run) == {"round": [0]}
    name_images(run, "", np.array([0]))
    assert images_by_name(run) == {}


def test_names_are_shown_as_one_line_without_escapes(tmp_path: Path) -> None:
    run = foreign_run(tmp_path)
    name_images(run, "a\x1b[31m\nb", np.array([1]))
    (name,) = images_by_name(run)
    assert name.isprintable()


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"groups": 3}',
        '{"groups": [3, {"name": 1, "images": []}]}',
        '{"groups": [{"name": "x", "images": [[3]]}, {"name": "y", "images": [[5, 2]]}]}',
        '{"groups": [{"name": "x", "images": [[0, 99999999999]]}]}',
        '{"groups": [{"name": "x", "images": ' + str([[0, 9_999_999]] * 50) + "}]}",
        "[" * 100_000,
    ],
)
def test_a_damaged_file_has_no_groups(tmp_path: Path, content: str) -> None:
    run = foreign_run(tmp_path)
    (run / GROUPS_FILE).write_text(content)
    assert read_groups(run) == ()
    name_images(run, "round", np.array([1]))
    assert images_by_name(run) == {"round": [1]}


@pytest.mark.slow
def test_many_images_take_little_room(tmp_path: Path) -> None:
    run = foreign_run(tmp_path)
    name_images(run, "all", np.arange(1_000_000))
    assert (run / GROUPS_FILE).stat().st_size < 100
    assert json.loads((run / GROUPS_FILE).read_text())["groups"][0]["images"] == [[0, 999_999]]
    assert len(read_groups(run)[0].images) == 1_000_000


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="the names of groups cannot be written"):
        name_images(tmp_path / "gone", "x", np.array([1]))
