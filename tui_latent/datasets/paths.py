"""Folders of datasets on this machine, and whether downloads are allowed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from tui_latent.sources.errors import DataError

_LOOKING: ContextVar[bool] = ContextVar("looking", default=False)


def data_folder() -> Path:
    """Return the folder of datasets: `$TUI_LATENT_DATA`, else `~/.cache/tui-latent/data`."""
    named = os.environ.get("TUI_LATENT_DATA")
    return Path(named).expanduser() if named else _home_folder()


def prepared_folders() -> tuple[Path, ...]:
    """Return the folders for decoded images and computed features, in order of preference.

    The first is in the data folder, the second in the home folder, in case the first is not
    writable. Only an attempt shows that: permissions depend on groups, access lists and mounts.
    """
    return tuple(dict.fromkeys(f / "prepared" for f in (data_folder(), _home_folder())))


@contextmanager
def only_looking() -> Iterator[None]:
    """Download nothing within this context, because the user only views a run or a preset."""
    token = _LOOKING.set(True)
    try:
        yield
    finally:
        _LOOKING.reset(token)


def refuse_download(missing: str, name: str, otherwise: str, hub: bool = False) -> None:
    """Raise DataError if `name` may not be downloaded now.

    `missing` says what is missing and where, `otherwise` what helps without a download. With `hub`
    it would come from the Hugging Face hub, whose own variables forbid that too.
    """
    if variable := _forbidden_by(hub):
        raise DataError(f"{missing}, and {variable} forbids downloads: unset it, or {otherwise}")
    if _LOOKING.get():
        raise DataError(
            f"{missing}, and viewing downloads nothing: run `tui-latent fetch {name}`, or "
            f"{otherwise}"
        )


def _forbidden_by(hub: bool) -> str:
    """Return the environment variable that forbids downloads; empty if none does."""
    if os.environ.get("TUI_LATENT_OFFLINE", "") not in ("", "0"):
        return "TUI_LATENT_OFFLINE"
    names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") if hub else ()
    yes = ("1", "on", "yes", "true")  # as huggingface_hub reads them
    return next((name for name in names if os.environ.get(name, "").lower() in yes), "")


def find_file(root: Path, file: str) -> Path | None:
    """Return the path of a file, plain or gzipped; None if it is missing."""
    for path in (root / file, root / f"{file}.gz"):
        if path.is_file():
            return path
    return None


def _home_folder() -> Path:
    return Path.home() / ".cache" / "tui-latent" / "data"
