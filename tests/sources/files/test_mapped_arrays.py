"""Large arrays stay in their file: same images, same identity, and memory that does not grow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.datasets.conftest import data_folder  # noqa: F401  (a fixture)
from tui_latent.config.settings import DataSettings
from tui_latent.datasets import sources
from tui_latent.datasets.identity import DataIdentity, changes
from tui_latent.datasets.image_set import Dataset, in_chunks, pixels
from tui_latent.datasets.sources import DataError, load_dataset
from tui_latent.runtime import array_files

pytestmark = pytest.mark.usefixtures("data_folder")
LAYOUTS = {"grey": (9, 8), "channels last": (9, 8, 3), "channels first": (3, 9, 8)}


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (array_files, sources):
        monkeypatch.setattr(module, "MAPPED_FROM", 0)


def saved(path: Path, shape: tuple[int, ...], seed: int = 0) -> Path:
    random = np.random.default_rng(seed)
    x, y = random.integers(0, 256, (60, *shape), np.uint8), np.arange(60) % 3
    np.savez(path, x_train=x, y_train=y, x_test=x[:30] ^ 255, y_test=y[:30])
    return path


def load(path: Path, **changed: object) -> tuple[Dataset, DataIdentity]:
    identities: list[DataIdentity] = []
    chosen = DataSettings.model_validate({"source": "arrays", "path": str(path)} | changed)
    dataset = load_dataset(chosen, 0, found=identities.append)
    return dataset, identities[0]


def assert_same(mapped: Dataset, read: Dataset) -> None:
    rows = torch.tensor([7, 2, 2, 19])
    for one, other in ((mapped.train, read.train), (mapped.val, read.val)):
        assert one.file is not None and other.file is None
        assert one.shape == other.shape and len(one) == len(other)
        assert torch.equal(pixels(one, rows), pixels(other, rows))
        assert torch.equal(torch.cat(list(in_chunks(one, 7))), other.images)
        assert torch.equal(one.labels, other.labels)
        assert torch.equal(one.to("cpu").images, other.images)
    assert torch.equal(mapped.mean, read.mean) and torch.equal(mapped.std, read.std)


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS, ids=list(LAYOUTS))
@pytest.mark.parametrize(
    "changed",
    [{}, {"size": 6}, {"classes": ["0", "2"]}, {"per_class": 9}, {"val_fraction": 0.5}],
    ids=["all", "size", "classes", "per class", "held out"],
)
def test_a_mapped_archive_has_the_images_of_one_that_was_read(
    tmp_path: Path, request: pytest.FixtureRequest, layout: str, changed: dict[str, object]
) -> None:
    path = saved(tmp_path / "x.npz", LAYOUTS[layout])
    read, before = load(path, **changed)
    request.getfixturevalue("everything_is_large")
    mapped, now = load(path, **changed)
    assert_same(mapped, read)
    assert now.same_as(before)


@pytest.mark.usefixtures("everything_is_large")
def test_a_changed_image_of_a_mapped_archive_is_found(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.npz", (9, 8))
    _, before = load(path)
    with np.load(path) as arrays:
        parts = {name: arrays[name] for name in arrays.files}
    parts["x_train"][41, 3, 3] ^= 1
    np.savez(path, **parts)
    _, now = load(path)
    assert changes(before, now) == ("training images: 1 changed (number 41); the run had 60")


@pytest.mark.usefixtures("everything_is_large")
def test_digests_of_an_archive_that_is_as_it_was_are_not_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "x.npz", (9, 8))
    _, before = load(path)

    def fail(*arguments: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("tui_latent.datasets.row_digests.digest_of", fail)
    assert load(path)[1].same_as(before)


@pytest.mark.parametrize("layout", LAYOUTS, ids=list(LAYOUTS))
def test_a_compressed_archive_is_unpacked_into_a_file(
    tmp_path: Path, request: pytest.FixtureRequest, layout: str
) -> None:
    path = saved(tmp_path / "x.npz", LAYOUTS[layout])
    with np.load(path) as arrays:
        np.savez_compressed(path, **{name: arrays[name] for name in arrays.files})
    read, before = load(path)
    request.getfixturevalue("everything_is_large")
    mapped, now = load(path)
    assert_same(mapped, read)
    assert now.same_as(before)


@pytest.mark.usefixtures("everything_is_large")
def test_an_archive_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, x_train=np.random.default_rng(0).integers(0, 256, (40, 5, 5), "u1"))
    _, before = load(path)

    def fail(*arguments: object) -> Iterator[np.ndarray]:
        raise AssertionError("unpacked again")
        yield

    monkeypatch.setattr("tui_latent.sources.files.array_holders.unpacked_rows", fail)
    assert load(path)[1].same_as(before)


@pytest.mark.usefixtures("everything_is_large")
def test_a_damaged_archive_is_named_and_leaves_nothing(tmp_path: Path, data_folder: Path) -> None:  # noqa: F811
    path = tmp_path / "x.npz"
    np.savez_compressed(path, x_train=np.random.default_rng(0).integers(0, 256, (40, 50, 50), "u1"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x_train cannot be read .*save the file again"):
        load(path)
    assert not [file for file in data_folder.rglob("*") if file.is_file()]


@pytest.mark.usefixtures("everything_is_large")
def test_images_of_16_bits_are_mapped_where_they_lie(tmp_path: Path, data_folder: Path) -> None:  # noqa: F811
    x = np.random.default_rng(0).integers(0, 65536, (40, 5, 5), np.uint16)
    x[0, 0, 0] = 65535
    np.savez(tmp_path / "x.npz", x_train=x)
    dataset, _ = load(tmp_path / "x.npz")
    file = dataset.train.file
    assert file is not None and file.path == str(tmp_path / "x.npz")
    assert not list(data_folder.rglob("array-*"))
    both = [file.read(part.rows.numpy()) for part in (dataset.train, dataset.val)]  # type: ignore[union-attr]
    assert sorted(np.concatenate(both).tobytes()) == sorted(x.tobytes())
