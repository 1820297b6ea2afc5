"""Downloads: checked, complete or absent, reported in the log; file:// stands for the network."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.download import download
from tui_latent.datasets.sources import load_dataset
from tui_latent.sources.errors import DataError

from .conftest import write_mnist


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def online(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TUI_LATENT_OFFLINE")
    return data_folder


def test_the_second_address_is_tried_and_the_file_is_whole(tmp_path: Path) -> None:
    origin, target = tmp_path / "origin", tmp_path / "deep" / "target"
    origin.write_bytes(b"images")
    log: list[str] = []
    urls = [(tmp_path / "absent").as_uri(), origin.as_uri()]
    download(urls, target, f"md5:{md5(origin)}", log.append, "Toy")
    assert target.read_bytes() == b"images"
    assert [path.name for path in target.parent.iterdir()] == ["target"]
    assert log == [f"downloading {url}" for url in urls]


def test_other_bytes_than_expected_leave_nothing(tmp_path: Path) -> None:
    origin, target = tmp_path / "origin", tmp_path / "data" / "target"
    origin.write_bytes(b"<html>please log in</html>")
    with pytest.raises(DataError) as caught:
        download([origin.as_uri()], target, "md5:00", lambda line: None, "Toy")
    assert list(target.parent.iterdir()) == []
    for part in ("Toy", str(target.parent), "wrong md5 checksum", "TUI_LATENT_DATA"):
        assert part in str(caught.value)


def test_a_dataset_is_fetched_where_allowed(
    online: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mnist(tmp_path)
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    resources = []
    for path in (tmp_path / "MNIST" / "raw").iterdir():
        packed = mirror / f"{path.name}.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        resources.append((packed.name, md5(packed)))
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", resources)
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [mirror.as_uri() + "/"])
    log: list[str] = []
    dataset = load_dataset(DataSettings(source="mnist"), 0, log.append)
    assert len(dataset.train) == 30
    assert sum(line.startswith("downloading") for line in log) == 4
    log.clear()
    load_dataset(DataSettings(source="mnist"), 0, log.append)
    assert not any(line.startswith("downloading") for line in log)


def test_an_archive_is_unpacked_as_far_as_needed(
    online: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "stl10_binary.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in (
            ("train_X.bin", np.zeros(10 * 3 * 96 * 96, np.uint8).tobytes()),
            ("test_X.bin", np.zeros(10 * 3 * 96 * 96, np.uint8).tobytes()),
            ("train_y.bin", bytes(range(1, 11))),
            ("test_y.bin", bytes(range(1, 11))),
            ("unlabeled_X.bin", b"two gigabytes"),
        ):
            member = tarfile.TarInfo(f"stl10_binary/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    monkeypatch.setattr(torchvision.datasets.STL10, "url", archive.as_uri())
    monkeypatch.setattr(torchvision.datasets.STL10, "tgz_md5", md5(archive))
    assert len(load_dataset(DataSettings(source="stl10"), 0).train) == 10
    unpacked = sorted(path.name for path in (online / "stl10_binary").iterdir())
    assert unpacked == ["test_X.bin", "test_y.bin", "train_X.bin", "train_y.bin"]


def test_a_torn_archive_is_named(online: Path) -> None:
    (online / "cifar-10-python.tar.gz").write_bytes(b"half of it")
    with pytest.raises(DataError, match=r"cifar-10-python.tar.gz: cannot be unpacked"):
        load_dataset(DataSettings(source="cifar10"), 0)
