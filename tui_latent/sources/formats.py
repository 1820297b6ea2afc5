"""File formats that several public datasets share; numpy is imported only to read them.

torchvision's readers take the same time (0.26 s against 0.28 s for MNIST) but are not used: they
run whatever a pickle of CIFAR contains, accept each file under one name and in one place only, and
say no more than that a dataset is "not found or corrupted".
"""

from __future__ import annotations

import io
import math
import pickle
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_latent.sources.base import PublicDataset, Split

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_IDX_IMAGES, _IDX_LABELS = 2051, 2049


class WrongFileError(ValueError):
    """A file with the wrong content."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(why)
        self.path = path


def content(path: Path) -> NDArray[np.uint8]:
    """Return the bytes of a file, plain or gzipped."""
    import gzip

    import numpy as np

    try:
        read = path.read_bytes()
        plain = gzip.decompress(read) if path.suffix == ".gz" else read
        return np.frombuffer(bytearray(plain), np.uint8)
    except (EOFError, zlib.error, OSError) as error:
        raise WrongFileError(path, str(error)) from error


def mnist_like(
    name: str, title: str, folder: str, class_names: tuple[str, ...], megabytes: int
) -> PublicDataset:
    """Describe a dataset with the files of MNIST in `folder`, as torchvision stores them.

    `folder` is also the name of the class in `torchvision.datasets`.
    """
    return PublicDataset(
        name=name,
        heading=title,
        title=title,
        shape=(1, 28, 28),
        class_names=class_names,
        train=60_000,
        held_out=10_000,
        read=read_idx,
        training_files=_idx_files(folder, "train"),
        test_files=_idx_files(folder, "t10k"),
        torchvision=folder,
        aliases=_idx_aliases,
        megabytes=megabytes,
    )


def read_idx(paths: Sequence[Path]) -> Split:
    """Read images and labels in the format of MNIST."""
    images, labels = paths
    return _read_idx(images, _IDX_IMAGES)[:, None], _read_idx(labels, _IDX_LABELS)


def _idx_files(folder: str, split: str) -> tuple[str, str]:
    return f"{folder}/raw/{split}-images-idx3-ubyte", f"{folder}/raw/{split}-labels-idx1-ubyte"


def _idx_aliases(file: str) -> tuple[str, ...]:
    """Return the paths under which mirrors and archives provide a file in the format of MNIST.

    `train-images-idx3-ubyte` is also called `train-images.idx3-ubyte`. Either may be outside of
    `raw/`, or in a folder of the same name, which is how one archive unpacks.
    """
    folder, name = Path(file).parent, Path(file).name
    return tuple(
        str(place / below)
        for place in (folder, folder.parent)
        for called in (name, name.replace("-idx", ".idx"))
        for below in (called, f"{called}/{called}")
    )


def read_cifar(paths: Sequence[Path]) -> Split:
    """Read the pickled batches of CIFAR-10 or CIFAR-100, one after another."""
    import numpy as np

    parts = [_read_cifar(path) for path in paths]
    return np.concatenate([i for i, _ in parts]), np.concatenate([labels for _, labels in parts])


def _read_idx(path: Path, magic: int) -> NDArray[np.uint8]:
    """Read a magic number and sizes as big-endian int32, then bytes."""
    read = content(path)
    header = 4 * (1 + (magic & 255))
    if len(read) < header:
        raise WrongFileError(path, f"{len(read)} bytes, shorter than its header")
    found, *shape = (int(value) for value in read[:header].view(">i4"))
    if found != magic:
        raise WrongFileError(path, f"starts with {found}, not with {magic}")
    if len(read) - header != math.prod(shape):
        why = f"{len(read) - header:,} bytes for {math.prod(shape):,} values"
        raise WrongFileError(path, why)
    return read[header:].reshape(shape)


def _read_cifar(path: Path) -> Split:
    import numpy as np

    try:
        entry = _ArrayUnpickler(io.BytesIO(content(path).tobytes()), encoding="latin1").load()
        data = np.asarray(entry["data"], dtype=np.uint8)
        labels = np.array(entry["fine_labels"] if "fine_labels" in entry else entry["labels"], "u1")
        images = data.reshape(-1, 3, 32, 32)
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, WrongFileError):
            raise
        raise WrongFileError(path, str(error)) from error
    if len(images) != len(labels):
        raise WrongFileError(path, f"{len(labels):,} labels for {len(images):,} images")
    return images, labels


class _ArrayUnpickler(pickle.Unpickler):
    """Reads only arrays, lists and strings: an unrestricted pickle can run any code."""

    def find_class(self, module: str, name: str) -> Any:
        import numpy as np

        allowed = {
            "_reconstruct": np.empty(0).__reduce__()[0],
            "ndarray": np.ndarray,
            "dtype": np.dtype,
            "encode": str.encode,
        }
        if module.partition(".")[0] in ("numpy", "_codecs") and name in allowed:
            return allowed[name]
        raise pickle.UnpicklingError(f"{module}.{name} does not belong in an array of images")
