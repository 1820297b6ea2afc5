from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runs.conftest import MakeMap
from tui_latent.runs.maps import MapError, map_file, map_step, read_map, write_map
from tui_latent.runs.schema import LatentMap


@pytest.mark.parametrize(
    ("scale", "offset"), [(1, 0), (1e-9, 0), (1e6, 0), (1e30, 0), (1, 5000), (1e-3, 1), (0, 7)]
)
def test_a_map_comes_back_finer_than_a_screen_can_show(
    tmp_path: Path, make_map: MakeMap, scale: float, offset: float
) -> None:
    written = make_map(120, points=300, scale=scale, offset=offset)
    write_map(tmp_path, written, np.eye(2, dtype=np.int64))
    back = read_map(map_file(tmp_path, 120), 120)
    across = float(written.points.max() - written.points.min())
    assert back.map.points.dtype == np.float32
    assert np.abs(back.map.points - written.points).max() <= across / 2000
    assert np.array_equal(back.map.indices, written.indices)
    assert np.array_equal(back.map.labels, written.labels)
    assert back.map.class_names == ("[red]", "ß 2")
    assert back.map.projection == "native"
    assert back.confusion is not None and back.confusion.tolist() == [[1, 0], [0, 1]]


def test_points_that_are_not_finite_stay_so(tmp_path: Path) -> None:
    points = np.array([[np.nan, 1], [np.inf, -np.inf], [2, 3]], dtype=np.float32)
    for step, shown in enumerate((points, points[:2])):
        rows = np.arange(len(shown))
        write_map(tmp_path, LatentMap(step, shown, rows, rows, ("a", "b", "c")), None)
        back = read_map(map_file(tmp_path, step), step)
        assert np.array_equal(back.map.points, shown, equal_nan=True)
        assert back.confusion is None


def test_ten_thousand_points_take_little_disk(tmp_path: Path, make_map: MakeMap) -> None:
    write_map(tmp_path, make_map(1, points=10_000), None)
    assert map_file(tmp_path, 1).stat().st_size < 80_000


def test_an_empty_map_is_a_map(tmp_path: Path) -> None:
    nothing = np.empty(0, dtype=np.int64)
    write_map(tmp_path, LatentMap(1, np.empty((0, 2), np.float32), nothing, nothing, ()), None)
    assert read_map(map_file(tmp_path, 1), 1).map.points.shape == (0, 2)


def test_only_finished_maps_have_a_step(tmp_path: Path) -> None:
    assert map_file(tmp_path, 120).name == "step-000000120.npz"
    assert map_step("step-000000120.npz") == 120
    assert map_step(map_file(tmp_path, 12_345_678_901).name) == 12_345_678_901
    for other in ("last.safetensors", ".step-000000120.npz.1-2.tmp", "step-12.npz", "last.tmp"):
        assert map_step(other) is None


@pytest.mark.slow
@given(st.data())
def test_a_torn_map_is_an_error_that_names_it(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    rows = np.arange(3)
    write_map(folder, LatentMap(1, np.ones((3, 2), np.float32), rows, rows, ("a",)), None)
    path = map_file(folder, 1)
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(MapError, match=r"latents/step-000000001\.npz is damaged"):
        read_map(path, 1)


@pytest.mark.parametrize("content", [b"", b"text", b"\x93NUMPY", b"PK\x03\x04", b"\x80\x04."])
def test_what_is_no_map_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = map_file(tmp_path, 1)
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(MapError):
        read_map(path, 1)


def test_arrays_that_do_not_fit_each_other_are_an_error(tmp_path: Path) -> None:
    path = map_file(tmp_path, 1)
    path.parent.mkdir()
    good = {"points": np.ones((2, 2)), "indices": np.arange(2), "labels": np.arange(2)}
    good |= {"class_names": np.array(["a"]), "projection": np.array("pca")}
    for wrong in ({"labels": np.arange(3)}, {"points": np.ones(2)}, {"points": np.ones((2, 3))}):
        np.savez(path, allow_pickle=False, **{**good, **wrong})
        with pytest.raises(MapError):
            read_map(path, 1)
    np.save(path, np.ones(3))
    (path.parent / (path.name + ".npy")).rename(path)
    with pytest.raises(MapError):
        read_map(path, 1)
