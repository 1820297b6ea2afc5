"""Opens a file of vectors by its extension."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from tui_latent.nouns import listed
from tui_latent.opening.delimited import open_delimited
from tui_latent.opening.errors import OpenError
from tui_latent.opening.numpy_files import open_npy, open_npz, open_tensors
from tui_latent.opening.parquet import open_parquet
from tui_latent.opening.vectors import VectorFile

_ARRAYS: Final[dict[str, Callable[[Path, str | None], VectorFile]]] = {
    ".npy": open_npy,
    ".npz": open_npz,
    ".safetensors": open_tensors,
}
_TABLES: Final[dict[str, Callable[[Path, str | None, Collection[str]], VectorFile]]] = {
    ".parquet": open_parquet,
    ".csv": open_delimited,
    ".tsv": open_delimited,
}
_PICKLES: Final = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib")


def open_file(named: str, taken: Collection[str] = ()) -> VectorFile:
    """Open FILE or FILE:NAME, where NAME is an array or a column; OpenError says why not.

    `taken` names columns that are not part of the vectors, although they may be numbers.
    """
    path, name = Path(named), None
    if not path.exists() and ":" in named:
        start, _, end = named.rpartition(":")
        if Path(start).exists():
            path, name = Path(start), end
    ending = path.suffix.casefold()
    if path.is_dir():
        raise OpenError(f"{path}: is a folder: name the file in it that has the vectors")
    if ending in _PICKLES:
        raise OpenError(
            f"{path}: is a pickle, which can run any program when it is read: save the vectors "
            "with numpy.save(file, vectors) or safetensors.numpy.save_file, then open that"
        )
    known = [*_ARRAYS, *_TABLES]
    if ending not in known:
        raise OpenError(f"{path}: only {listed(known)} files can be opened")
    try:
        if ending in _ARRAYS:
            return _ARRAYS[ending](path, name)
        return _TABLES[ending](path, name, taken)
    except OSError as error:
        raise OpenError(f"{path}: cannot be read: {error.strerror or error}") from error
