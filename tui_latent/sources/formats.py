"""File formats that several public datasets share, read into arrays; numpy is loaded only then."""

from __future__ import annotations

import gzip
import io
import math
import pickle
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_latent.sources.base import Split

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_IDX_IMAGES, _IDX_LABELS = 2051, 2049


class WrongFileError(ValueError):
    """A file that is not what it should be."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(why)
        self.path = path


def content(path: Path) -> NDArray[np.uint8]:
    """Return the bytes of a file, plain or gzipped."""
    import numpy as np

    try:
        read = path.read_bytes()
        plain = gzip.decompress(read) if path.suffix == ".gz" else read
        return np.frombuffer(bytearray(plain), np.uint8)
    except (EOFError, zlib.error, OSError) as error:
        raise WrongFileError(path, str(error)) from error


def read_idx(paths: Sequence[Path]) -> Split:
    """Read images and labels in the format of MNIST."""
    images, labels = paths
    return _read_idx(images, _IDX_IMAGES)[:, None], _read_idx(labels, _IDX_LABELS)


def idx_files(folder: str, split: str) -> tuple[str, str]:
    """Return the files of a split as torchvision lays them out."""
    return f"{folder}/raw/{split}-images-idx3-ubyte", f"{folder}/raw/{split}-labels-idx1-ubyte"


def idx_aliases(file: str) -> tuple[str, ...]:
    """Return the paths under which mirrors and archives have a file of MNIST's format.

    `train-images-idx3-ubyte` is also called `train-images.idx3-ubyte`, and is also found outside
    `raw/` and in a folder of its own name, as one archive unpacks it.
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
    """Reads arrays, lists and strings only: a pickle may otherwise run any code."""

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
