"""The files of the public datasets, read straight into arrays, and fetched where absent."""

from __future__ import annotations

import gzip
import io
import math
import pickle
import tarfile
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tui_latent.datasets.download import download
from tui_latent.datasets.errors import DataError
from tui_latent.datasets.paths import data_folder, refuse_download
from tui_latent.datasets.raw import RawImages, RawSplit
from tui_latent.datasets.registry import (
    PUBLIC_DATASETS,
    PublicDataset,
    find_dataset_file,
    wanted_file,
)
from tui_latent.datasets.shared_files import alone, make_folder, remove_parts, whole_file

_TORCHVISION = {
    "mnist": "MNIST",
    "fashion-mnist": "FashionMNIST",
    "kmnist": "KMNIST",
    "cifar10": "CIFAR10",
    "cifar100": "CIFAR100",
    "stl10": "STL10",
}
_CHUNK = 1 << 20
_SECONDS_BETWEEN_LINES = 2.0
_IDX_IMAGES, _IDX_LABELS = 2051, 2049


def load_public(source: str, log: Callable[[str], None]) -> RawImages:
    """Read a public dataset from the data folder, fetching what is absent where that is allowed.

    DataError names the dataset, the folder and what to do, or the file that is not what it
    should be.
    """
    dataset = PUBLIC_DATASETS[source]
    root = data_folder()
    fetch_public(source, log)
    return RawImages(
        source,
        dataset.class_names,
        _read_split(source, dataset, root, dataset.training_files),
        _read_split(source, dataset, root, dataset.test_files),
    )


def fetch_public(source: str, log: Callable[[str], None]) -> None:
    """Fetch what is absent of a public dataset; DataError says why it cannot be, and what to do."""
    dataset, root = PUBLIC_DATASETS[source], data_folder()
    files = dataset.training_files + dataset.test_files
    absent = [file for file in files if find_dataset_file(root, file) is None]
    if not absent:
        return
    refuse_download(
        f"{dataset.title} is not in {root} ({wanted_file(absent[0])})",
        source,
        "or set TUI_LATENT_DATA to a folder that has it",
    )
    import torchvision.datasets  # a second to import, and only its addresses and hashes are used

    known = getattr(torchvision.datasets, _TORCHVISION[source])
    if "idx3" in files[0]:
        folder = root / Path(files[0]).parent
        for name, md5 in known.resources:
            if (
                find_dataset_file(root, str(Path(files[0]).parent / name.removesuffix(".gz")))
                is None
            ):
                urls = [mirror + name for mirror in known.mirrors]
                download(urls, folder / name, f"md5:{md5}", log, dataset.title)
        return
    archive = root / known.filename
    download([known.url], archive, f"md5:{known.tgz_md5}", log, dataset.title)
    _unpack(archive, root, absent, log)


def _unpack(archive: Path, root: Path, files: Sequence[str], log: Callable[[str], None]) -> None:
    """Take files out of an archive, each whole or absent; one process at a time."""
    try:
        with alone(archive, lambda: log(f"waiting for another process with {archive}")) as only:
            absent = [root / file for file in files if not (root / file).is_file()]
            if not absent:
                return
            log(f"unpacking {archive}")
            with tarfile.open(archive) as tar:
                for path in absent:
                    member = tar.extractfile(str(path.relative_to(root)))
                    if member is None:
                        raise KeyError(f"{path.relative_to(root)} is no file in it")
                    make_folder(path.parent)
                    if only:
                        remove_parts(path)
                    with whole_file(path) as file:
                        _copy(member, file, f"unpacking {path.name}", log)
    except (tarfile.TarError, KeyError, EOFError, zlib.error) as error:
        raise DataError(
            f"{archive}: cannot be unpacked ({error}): delete it and start again"
        ) from error
    except OSError as error:
        raise DataError(
            f"{archive}: cannot be unpacked ({error}): make room and make {root} writable, or "
            "set TUI_LATENT_DATA to a folder of your own"
        ) from error


def _copy(source: IO[bytes], target: IO[bytes], what: str, log: Callable[[str], None]) -> None:
    told, copied = time.monotonic(), 0
    while chunk := source.read(_CHUNK):
        target.write(chunk)
        copied += len(chunk)
        if time.monotonic() - told >= _SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            log(f"{what}: {copied / 1e6:,.0f} MB")


def _read_split(source: str, dataset: PublicDataset, root: Path, files: Sequence[str]) -> RawSplit:
    paths = [find_dataset_file(root, file) or root / file for file in files]
    if source.startswith("cifar"):
        parts = [_read_cifar(path, dataset) for path in paths]
        return RawSplit(
            np.concatenate([part.images for part in parts]),
            np.concatenate([part.labels for part in parts]),
        )
    if source == "stl10":
        images, labels = _read_stl(paths[0]), _content(paths[1])
        # saved column by column, labels from 1
        return _checked(paths[1], np.ascontiguousarray(images.swapaxes(2, 3)), labels - 1, dataset)
    images = _read_idx(paths[0], _IDX_IMAGES)[:, None]
    return _checked(paths[1], images, _read_idx(paths[1], _IDX_LABELS), dataset)


def _checked(
    path: Path, images: NDArray[np.uint8], labels: NDArray[np.uint8], dataset: PublicDataset
) -> RawSplit:
    """Return images with their labels; DataError when the two cannot belong together."""
    if len(images) != len(labels) or len(images) == 0:
        raise _wrong(path, f"{len(labels):,} labels for {len(images):,} images")
    if images.shape[1:] != dataset.shape:
        raise _wrong(path, f"images of shape {images.shape[1:]}, not {dataset.shape}")
    if labels.max() >= len(dataset.class_names):
        raise _wrong(path, f"label {labels.max()}, but {len(dataset.class_names)} classes")
    return RawSplit(images, labels.astype(np.int64))


def _content(path: Path) -> NDArray[np.uint8]:
    try:
        content = path.read_bytes()
        plain = gzip.decompress(content) if path.suffix == ".gz" else content
        return np.frombuffer(bytearray(plain), np.uint8)
    except (EOFError, zlib.error, OSError) as error:
        raise _wrong(path, str(error)) from error


def _read_idx(path: Path, magic: int) -> NDArray[np.uint8]:
    """Read the format of MNIST: magic number and sizes as big-endian int32, then bytes."""
    content = _content(path)
    header = 4 * (1 + (magic & 255))
    if len(content) < header:
        raise _wrong(path, f"{len(content)} bytes, shorter than its header")
    found, *shape = (int(value) for value in content[:header].view(">i4"))
    if found != magic:
        raise _wrong(path, f"starts with {found}, not with {magic}")
    if len(content) - header != math.prod(shape):
        raise _wrong(path, f"{len(content) - header:,} bytes for {math.prod(shape):,} values")
    return content[header:].reshape(shape)


def _read_stl(path: Path) -> NDArray[np.uint8]:
    content = _content(path)
    if len(content) % (3 * 96 * 96):
        raise _wrong(path, f"{len(content):,} bytes are no whole number of images")
    return content.reshape(-1, 3, 96, 96)


def _read_cifar(path: Path, dataset: PublicDataset) -> RawSplit:
    try:
        entry = _ArrayUnpickler(io.BytesIO(_content(path).tobytes()), encoding="latin1").load()
        data = np.asarray(entry["data"], dtype=np.uint8)
        labels = entry["fine_labels"] if "fine_labels" in entry else entry["labels"]
        return _checked(path, data.reshape(-1, 3, 32, 32), np.array(labels, "u1"), dataset)
    except (pickle.UnpicklingError, EOFError, KeyError, ValueError, TypeError) as error:
        raise _wrong(path, str(error)) from error


class _ArrayUnpickler(pickle.Unpickler):
    """Reads arrays, lists and strings only: a pickle may otherwise run any code."""

    _ALLOWED = {
        "_reconstruct": np.empty(0).__reduce__()[0],
        "ndarray": np.ndarray,
        "dtype": np.dtype,
        "encode": str.encode,
    }

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] in ("numpy", "_codecs") and name in self._ALLOWED:
            return self._ALLOWED[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in an array of images")


def _wrong(path: Path, why: str) -> DataError:
    return DataError(
        f"{path}: not what it should be ({why}): delete it and start again to fetch it"
    )
