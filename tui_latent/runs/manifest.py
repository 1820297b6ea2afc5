"""`preset.toml`: what makes a folder a run, and says what it is a run of."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tui_latent.runs.schema import FORMAT, RunError, UnreadableError
from tui_latent.runs.sweep_folder import is_sweep, not_a_run
from tui_latent.runtime.regular_files import SizeError, read_small
from tui_latent.runtime.sanitize import plain_name, plain_values
from tui_latent.runtime.utf8_text import utf8_text

PRESET_FILE = "preset.toml"
_HEAD: Final = re.compile(r"^\[(.*)\]$", re.MULTILINE)
"""the head of a table, as tomli-w writes it, with its name"""
_LINE: Final = re.compile(r"^(\w+) = .*$", re.MULTILINE)
"""a value, with its name"""


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


def read_manifest(path: Path, only: Mapping[str, Collection[str]] | None = None) -> Manifest:
    """Read `preset.toml` of the run at `path`, or at least those of its values that are named by
    table in `only`, which takes a fraction of the time.

    RunError when the folder is not a run, or one of a later tui-latent.
    """
    file = path / PRESET_FILE
    try:
        text = utf8_text(read_small(file))
        table = (only and _parse_only(text, only)) or tomllib.loads(text)
        created = file.stat().st_mtime
    except (FileNotFoundError, NotADirectoryError) as error:
        if is_sweep(path):
            raise RunError(not_a_run(path)) from error
        what = f"has no {PRESET_FILE}" if path.is_dir() else "no such folder"
        raise RunError(f"{path}: not a run: {what}") from error
    except PermissionError as error:
        raise UnreadableError(path, error) from error
    except OSError as error:
        raise RunError(f"{file}: cannot be read: {error.strerror}") from error
    except SizeError as error:
        raise RunError(f"{file}: not a run's preset: {error}") from error
    except (ValueError, RecursionError) as error:
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


def _parse_only(text: str, wanted: Mapping[str, Collection[str]]) -> dict[str, Any] | None:
    """Return some values of a preset, by their tables; of its tables, the provenance comes last.

    None if they cannot be told apart from the others, as in a torn or handwritten file.
    """
    heads = list(_HEAD.finditer(text))
    if not heads or '"""' in text or "'''" in text:
        return None
    ends = [head.start() for head in heads[1:]] + [len(text)]
    lines = []
    for head, end in zip(heads, ends, strict=True):
        if (keys := wanted.get(head[1])) is not None:
            lines.append(head[0])
            inside = _LINE.finditer(text, head.end(), end)
            lines += [line[0] for line in inside if line[1] in keys]
    try:
        table = tomllib.loads("\n".join(lines))
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    if table.keys() != wanted.keys() or table["provenance"].get("format", FORMAT) != FORMAT:
        return None
    return table


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
