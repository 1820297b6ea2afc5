"""Download a file once: verified by its hash, complete or absent, with progress in the log.

torchvision's downloads write under the final name, without a lock between processes, and report
to the terminal instead of the log, whose lines are where a stop request is noticed.
"""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path

from tui_latent.datasets.progress import ProgressLog
from tui_latent.datasets.shared_files import alone, make_folder, remove_parts, whole_file
from tui_latent.sources.errors import DataError

_CHUNK = 1 << 20


def download(
    urls: Sequence[str], path: Path, checksum: str, log: Callable[[str], None], what: str
) -> None:
    """Download `path` from the first of `urls` that works, unless it already exists.

    If several processes need it, one downloads it and the others wait. `checksum` is "md5:<hex>"
    or "sha256:<first hex digits>". DataError says what could not be downloaded, from where, and
    what to do.
    """
    if path.is_file():
        return
    try:
        make_folder(path.parent)
        with alone(
            path, lambda: log(f"waiting for {path}: another process is downloading it")
        ) as only:
            if path.is_file():
                return
            if only:
                remove_parts(path)
            failures = []
            for url in urls:
                try:
                    _fetch(url, path, checksum, log)
                    return
                except (OSError, HTTPException, ValueError) as error:
                    failures.append(f"{url}: {error}")
    except OSError as error:
        raise DataError(
            f"{what} is not in {path.parent}, and that folder cannot be written "
            f"({error.strerror or error}): make it writable, or set TUI_LATENT_DATA to a folder "
            "of your own"
        ) from error
    raise DataError(
        f"{what} is not in {path.parent} and could not be downloaded ({'; '.join(failures)}): "
        f"put {path.name} there by hand, or set TUI_LATENT_DATA to a folder that has it"
    )


def _fetch(url: str, path: Path, checksum: str, log: Callable[[str], None]) -> None:
    algorithm, expected = checksum.split(":")
    digest = hashlib.new(algorithm)
    log(f"downloading {url}")
    with urllib.request.urlopen(url, timeout=30) as response, whole_file(path) as file:
        total = int(response.headers.get("Content-Length") or 0)
        progress, received = ProgressLog(log), 0
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
            received += len(chunk)
            progress(f"downloading {path.name}: {_amount(received, total)}")
        if not digest.hexdigest().startswith(expected):
            raise ValueError(f"{received:,} bytes arrived, with the wrong {algorithm} checksum")


def _amount(received: int, total: int) -> str:
    share = f" of {total / 1e6:.0f} MB ({received / total:.0%})" if total else " MB"
    return f"{received / 1e6:.0f}{share}"
