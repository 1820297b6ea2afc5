"""`preset.toml`: what makes a folder a run, and says what it is a run of."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tui_latent.runs.schema import FORMAT, RunError, UnreadableError
from tui_latent.runtime.regular_files import SizeError, read_small
from tui_latent.runtime.sanitize import plain_name, plain_values

PRESET_FILE = "preset.toml"


@dataclass(frozen=True, eq=False)
class Manifest:
    """What a run was made of, written once."""

    preset: Mapping[str, Any]
    provenance: Mapping[str, Any]
    created: float
    """Unix time"""

    @property
    def preset_name(self) -> str:
        """Name of the preset's file, without `.toml`; empty when it was not recorded."""
        return str(self.provenance.get("preset", ""))


def read_manifest(path: Path) -> Manifest:
    """Read `preset.toml` of the run at `path`.

    RunError when the folder is not a run, or one of a later tui-latent.
    """
    file = path / PRESET_FILE
    try:
        table = tomllib.loads(read_small(file).decode("utf-8-sig"))
        created = file.stat().st_mtime
    except (FileNotFoundError, NotADirectoryError) as error:
        what = f"has no {PRESET_FILE}" if path.is_dir() else "no such folder"
        raise RunError(f"{path}: not a run: {what}") from error
    except PermissionError as error:
        raise UnreadableError(path, error) from error
    except OSError as error:
        raise RunError(f"{file}: cannot be read: {error.strerror}") from error
    except SizeError as error:
        raise RunError(f"{file}: not a run's preset: {error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RunError(f"{file}: not a TOML file: {error}") from error
    provenance = table.pop("provenance", {})
    if not isinstance(provenance, dict):
        raise RunError(f"{file}: [provenance] is not a table")
    _refuse_newer(path, provenance)
    command = provenance.get("command")
    table, provenance = plain_values(table), plain_values(provenance)
    if isinstance(command, str):  # whole, however long: what is cut short trains nothing
        provenance["command"] = plain_name(command, len(command))
    return Manifest(table, provenance, _unix_time(provenance.get("created"), created))


def preset_text(table: Mapping[str, Any]) -> str:
    """Return a preset and its provenance as TOML; what is None is left out.

    TypeError for a value that TOML does not know.
    """
    import tomli_w

    return tomli_w.dumps(_writable(table))


def _writable(value: Any) -> Any:
    if isinstance(value, Mapping):
        items = value.items()
        return {_writable(key): _writable(item) for key, item in items if item is not None}
    if isinstance(value, str):  # lone surrogates of odd file names are spelled out
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, (list, tuple)):
        return [_writable(item) for item in value]
    return value


def _refuse_newer(path: Path, provenance: Mapping[str, Any]) -> None:
    """Raise RunError for a folder of a format that only a later tui-latent knows."""
    written_as = provenance.get("format", FORMAT)
    if not isinstance(written_as, int) or written_as <= FORMAT:
        return
    versions = provenance.get("versions")
    version = versions.get("tui-latent", "") if isinstance(versions, dict) else ""
    raise RunError(
        f"{path}: written by a newer tui-latent{f' ({version})' if version else ''}, in run folder "
        f"format {written_as}; this one reads up to {FORMAT}: update tui-latent to use it"
    )


def _unix_time(created: object, otherwise: float) -> float:
    if isinstance(created, (int, float)):
        return float(created)
    try:
        return datetime.fromisoformat(str(created)).timestamp()
    except (ValueError, OverflowError):
        return otherwise
