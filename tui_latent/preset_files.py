"""Where presets lie and what their files say, without pydantic, so that a menu opens at once."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tui_latent.records.plain import plain_name, plain_text
from tui_latent.regular_files import SizeError, read_small


class PresetError(Exception):
    """A preset that cannot be used; the message says where, what and what to do."""

    def __init__(self, where: str, problems: Iterable[tuple[str, str]]) -> None:
        self.where = where
        self.problems = tuple((plain_name(key), plain_text(text)) for key, text in problems)
        """(key, what is wrong with it), for forms that show an error beside its field"""
        super().__init__(
            "\n".join(
                f"{plain_name(where)}: {key + ': ' if key else ''}{text}"
                for key, text in self.problems
            )
        )


def preset_folder() -> Path:
    """Return the folder of the presets that come with tui-latent."""
    packaged = Path(__file__).parent / "bundled_presets"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "presets"


def preset_names() -> list[str]:
    """Return the names of the presets that come with tui-latent, sorted."""
    return sorted(path.stem for path in preset_folder().glob("*.toml"))


def preset_path(name: str) -> Path:
    """Return the file of a preset given by name or by path; PresetError if there is none."""
    path = Path(name)
    if path.suffix == ".toml" or path.parent != Path():
        if names_a_file(name):
            return path
        raise PresetError(name, [("", "no such file")])
    known = preset_folder() / f"{name}.toml"
    if names_a_file(str(known)):
        return known
    raise PresetError(name, [("", f"unknown preset{nearest(name, preset_names())}")])


def names_a_file(text: str) -> bool:
    """Say whether there is a file at a path that a person wrote, whatever was written."""
    try:
        return Path(text).expanduser().is_file()
    except (OSError, RuntimeError, ValueError):  # too long, of no user, with a null in it
        return False


def read_table(path: Path) -> dict[str, Any]:
    """Read a TOML file; PresetError names the file and line when it is not TOML."""
    try:
        return tomllib.loads(read_small(path).decode("utf-8"))
    except SizeError as error:
        raise PresetError(str(path), [("", f"not a preset: {error}")]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PresetError(str(path), [("", f"not a TOML file: {error}")]) from error
    except OSError as error:
        raise PresetError(str(path), [("", f"cannot be read: {error.strerror}")]) from error


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of an error message: the known name most like `name`, or all of them."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(known)}"
