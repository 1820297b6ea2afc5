"""Fetching a file once: checked by its hash, whole or absent, progress told line by line."""

from __future__ import annotations

import hashlib
import time
import urllib.request
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path

from tui_latent.data.errors import DataError

_CHUNK = 1 << 20
_SECONDS_BETWEEN_LINES = 2.0


def download(
    urls: Sequence[str], path: Path, checksum: str, log: Callable[[str], None], what: str
) -> None:
    """Fetch `path` from the first of `urls` that works, unless it is there already.

    `checksum` is "md5:<hex>" or "sha256:<first hex digits>". DataError says what could not be
    fetched, from where, and what to do.
    """
    if path.is_file():
        return
    failures = []
    for url in urls:
        try:
            _fetch(url, path, checksum, log)
            return
        except (OSError, HTTPException, ValueError) as error:
            failures.append(f"{url}: {error}")
    raise DataError(
        f"{what} is not in {path.parent} and could not be downloaded ({'; '.join(failures)}): "
        f"put {path.name} there by hand, or set TUI_LATENT_DATA to a folder that has it"
    )


def _fetch(url: str, path: Path, checksum: str, log: Callable[[str], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    algorithm, expected = checksum.split(":")
    digest = hashlib.new(algorithm)
    log(f"downloading {url}")
    try:
        with urllib.request.urlopen(url, timeout=30) as response, part.open("wb") as file:
            total = int(response.headers.get("Content-Length") or 0)
            told, received = time.monotonic(), 0
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                digest.update(chunk)
                received += len(chunk)
                if time.monotonic() - told >= _SECONDS_BETWEEN_LINES:
                    told = time.monotonic()
                    log(f"downloading {path.name}: {_progress(received, total)}")
        if not digest.hexdigest().startswith(expected):
            raise ValueError(f"{received:,} bytes arrived, which are not the file ({algorithm})")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _progress(received: int, total: int) -> str:
    share = f" of {total / 1e6:.0f} MB ({received / total:.0%})" if total else " MB"
    return f"{received / 1e6:.0f}{share}"
