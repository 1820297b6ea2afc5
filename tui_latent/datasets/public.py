"""Public datasets: find their files, download missing ones, read them into arrays."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tui_latent.datasets.download import download
from tui_latent.datasets.paths import data_folder, find_file, refuse_download
from tui_latent.datasets.progress import ProgressLog
from tui_latent.datasets.shared_files import alone, make_folder, remove_parts, whole_file
from tui_latent.sources.base import PublicDataset
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.raw import RawImages, RawSplit
from tui_latent.sources.formats import WrongFileError

_CHUNK = 1 << 20


def load_public(dataset: PublicDataset, log: Callable[[str], None]) -> RawImages:
    """Read a public dataset; download missing files to the data folder if that is allowed.

    DataError names the dataset, the folder and what to do, or a damaged file.
    """
    fetch_public(dataset, log)
    train = _read_split(dataset, dataset.training_files)
    test = _read_split(dataset, dataset.test_files) if dataset.test_files else None
    return RawImages(dataset.name, dataset.class_names, train, test)


def find_public_file(root: Path, dataset: PublicDataset, file: str) -> Path | None:
    """Return the path of a file under any of its names; None if it is missing."""
    for alias in dataset.aliases(file):
        if (found := find_file(root, alias)) is not None:
            return found
    return None


def missing_files(dataset: PublicDataset) -> list[str]:
    """Return the files of a dataset that are missing from the data folder."""
    files, root = dataset.training_files + dataset.test_files, data_folder()
    return [file for file in files if find_public_file(root, dataset, file) is None]


def require_download(dataset: PublicDataset, file: str) -> None:
    """Raise DataError if a dataset without this file cannot be downloaded now."""
    names = dict.fromkeys(Path(alias).name for alias in dataset.aliases(file))
    others = [name for name in names if name != Path(file).name]
    wanted = " or ".join([file, *others])
    problem = f"{dataset.title} is not in {data_folder()} (no {wanted}, plain or as .gz)"
    if not dataset.torchvision:
        raise DataError(f"{problem}: put its files there, or set TUI_LATENT_DATA to their folder")
    refuse_download(problem, dataset.name, "set TUI_LATENT_DATA to a folder that has it")


def fetch_public(dataset: PublicDataset, log: Callable[[str], None]) -> None:
    """Download missing files of a public dataset; DataError says why that fails."""
    root, missing = data_folder(), missing_files(dataset)
    if not missing:
        return
    require_download(dataset, missing[0])
    import torchvision.datasets  # takes a second; only its addresses and hashes are used

    known = getattr(torchvision.datasets, dataset.torchvision)
    own = vars(known)  # a subclass of MNIST without addresses of its own inherits those of MNIST
    if "tgz_md5" in own:  # one archive
        archive = root / known.filename
        download([known.url], archive, f"md5:{known.tgz_md5}", log, dataset.title)
        _unpack(archive, root, missing, log)
        return
    if "resources" not in own:
        raise DataError(
            f"torchvision does not list the files of {dataset.title}: put {', '.join(missing)} "
            f"into {root}"
        )
    folder = Path(dataset.training_files[0]).parent
    for name, md5 in known.resources:
        if find_public_file(root, dataset, str(folder / name.removesuffix(".gz"))) is None:
            urls = [mirror + name for mirror in known.mirrors]
            download(urls, root / folder / name, f"md5:{md5}", log, dataset.title)


def _unpack(archive: Path, root: Path, files: Sequence[str], log: Callable[[str], None]) -> None:
    """Extract files from an archive, each complete or absent; one process at a time."""
    try:
        with alone(
            archive, lambda: log(f"waiting for another process to unpack {archive}")
        ) as only:
            absent = [root / file for file in files if not (root / file).is_file()]
            if not absent:
                return
            log(f"unpacking {archive}")
            with tarfile.open(archive) as tar:
                for path in absent:
                    member = tar.extractfile(str(path.relative_to(root)))
                    if member is None:
                        raise KeyError(f"{path.relative_to(root)} is not a file in it")
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
            f"{archive}: cannot be unpacked ({error}): free some space and make {root} writable, "
            "or set TUI_LATENT_DATA to a folder of your own"
        ) from error


def _copy(source: IO[bytes], target: IO[bytes], what: str, log: Callable[[str], None]) -> None:
    progress, copied = ProgressLog(log), 0
    while chunk := source.read(_CHUNK):
        target.write(chunk)
        copied += len(chunk)
        progress(f"{what}: {copied / 1e6:,.0f} MB")


def _read_split(dataset: PublicDataset, files: Sequence[str]) -> RawSplit:
    root = data_folder()
    paths = [find_public_file(root, dataset, file) or root / file for file in files]
    try:
        images, labels = dataset.read(paths)
        _check(dataset, images.shape, labels)
    except ValueError as error:
        path = error.path if isinstance(error, WrongFileError) else (*paths[-1:], root)[0]
        again = "start again to download it" if dataset.torchvision else "put it there again"
        raise DataError(f"{path}: wrong content ({error}): delete it and {again}") from error
    return RawSplit(images, labels.astype(np.int64))


def _check(
    dataset: PublicDataset, shape: tuple[int, ...], labels: NDArray[np.integer[Any]]
) -> None:
    """Raise ValueError if images and labels do not fit together or are not those of the dataset."""
    if shape[0] != len(labels) or shape[0] == 0:
        raise ValueError(f"{len(labels):,} labels for {shape[0]:,} images")
    if shape[1:] != dataset.shape:
        raise ValueError(f"images of shape {shape[1:]}, not {dataset.shape}")
    if labels.max() >= len(dataset.class_names):
        raise ValueError(f"label {labels.max()}, but {len(dataset.class_names)} classes")
