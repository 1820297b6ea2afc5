"""Where images live on this machine, and whether more may be fetched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from tui_latent.sources.errors import DataError

_LOOKING: ContextVar[bool] = ContextVar("looking", default=False)


def data_folder() -> Path:
    """Return where datasets live: `$TUI_LATENT_DATA`, else `~/.cache/tui-latent/data`."""
    named = os.environ.get("TUI_LATENT_DATA")
    return Path(named).expanduser() if named else _home_folder()


def prepared_folders() -> tuple[Path, ...]:
    """Return where decoded images and computed features may be kept, the preferred place first.

    It is below the data folder; the home folder's serves where that one cannot be written. Only
    trying tells whether it can: rights come from groups, lists and mounts.
    """
    return tuple(dict.fromkeys(f / "prepared" for f in (data_folder(), _home_folder())))


@contextmanager
def only_looking() -> Iterator[None]:
    """Fetch nothing inside: somebody looks at a run or a preset and asked for no download."""
    token = _LOOKING.set(True)
    try:
        yield
    finally:
        _LOOKING.reset(token)


def downloads_allowed() -> bool:
    """Whether what is absent may be fetched: not when `$TUI_LATENT_OFFLINE` is set."""
    return os.environ.get("TUI_LATENT_OFFLINE", "") in ("", "0")


def refuse_download(absent: str, name: str, otherwise: str) -> None:
    """Raise DataError where `name` may not be fetched now.

    `absent` says what is missing where, `otherwise` what helps without a download.
    """
    if not downloads_allowed():
        raise DataError(
            f"{absent}, and TUI_LATENT_OFFLINE forbids downloads: unset it, {otherwise}"
        )
    if _LOOKING.get():
        raise DataError(
            f"{absent}, and looking downloads nothing: fetch it with `tui-latent fetch {name}`, "
            f"{otherwise}"
        )


def find_file(root: Path, file: str) -> Path | None:
    """Return the path of a dataset's file, plain or gzipped; None when it is absent."""
    for path in (root / file, root / f"{file}.gz"):
        if path.is_file():
            return path
    return None


def _home_folder() -> Path:
    return Path.home() / ".cache" / "tui-latent" / "data"
