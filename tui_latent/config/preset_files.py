"""Finding and reading preset files, without pydantic, so that the menu opens at once."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tui_latent.config.own_folders import own_presets
from tui_latent.runtime.near_names import near_names
from tui_latent.runtime.regular_files import SizeError, read_small
from tui_latent.runtime.sanitize import plain_name, plain_text
from tui_latent.runtime.utf8_text import utf8_text


class PresetError(Exception):
    """A preset that cannot be used; the message names the place, the problem and the remedy."""

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
    packaged = Path(__file__).parents[1] / "bundled_presets"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "presets"


def preset_names() -> list[str]:
    """Return the names of the presets that come with tui-latent, sorted."""
    return sorted(path.stem for path in preset_folder().glob("*.toml"))


def all_presets() -> list[str]:
    """Return the names of all listed presets: those that come with us, then those people saved."""
    ours = preset_names()
    return ours + sorted(own_presets().keys() - set(ours))


def comes_with_us(path: Path) -> bool:
    """Return whether a preset file comes with tui-latent."""
    return path.parent == preset_folder()


def preset_path(name: str) -> Path:
    """Return the file of a preset given by name or by path; PresetError if there is none.

    Presets that come with tui-latent take precedence over those that people saved, and both over
    files; `.toml` may be left out.
    """
    if Path(name).parent == Path():
        if names_a_file(str(ours := preset_folder() / f"{name}.toml")):
            return ours
        if (own := own_presets().get(name)) is not None and names_a_file(str(own)):
            return own
    for text in (name, f"{name}.toml"):
        if names_a_file(text):
            return Path(text).expanduser()
    raise PresetError(name, [("", _why_no_preset(name))])


def preset_stem(name: str) -> str:
    """Return the name of a preset, given its name or path, without `.toml`."""
    return Path(name).name.removesuffix(".toml")


def _why_no_preset(name: str) -> str:
    try:
        path = Path(name).expanduser()
        inside = sorted(file.name for file in path.glob("*.toml")) if name else []
    except (OSError, RuntimeError, ValueError):
        inside = []
    if "preset.toml" in inside:
        return f"the folder of a run: to train it again, use {name.rstrip('/')}/preset.toml"
    if inside:
        return f"a folder: name one of its files: {', '.join(inside[:5])}"
    if Path(name).suffix == ".toml" or Path(name).parent != Path():
        near = near_names(preset_stem(name), all_presets())
        return "no such file" + (f"; did you mean '{near[0]}'?" if near else "")
    return f"unknown preset{nearest(name, all_presets())}"


def names_a_file(text: str) -> bool:
    """Return whether user-supplied text names an existing file; never raises."""
    try:
        return Path(text).expanduser().is_file()
    except (OSError, RuntimeError, ValueError):  # too long, of no user, with a null in it
        return False


def read_table(path: Path) -> dict[str, Any]:
    """Read a TOML file; PresetError names file, line and column if it is not valid.

    A UTF-8 byte order mark, which some editors write, is ignored.
    """
    try:
        content = read_small(path)
    except SizeError as error:
        raise PresetError(str(path), [("", f"not a preset: {error}")]) from error
    except OSError as error:
        raise PresetError(str(path), [("", f"cannot be read: {error.strerror}")]) from error
    try:
        text = utf8_text(content)
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem = f"not a TOML file: {error}{_odd_character(text, str(error))}"
        raise PresetError(str(path), [("", problem)]) from error
    except (ValueError, RecursionError) as error:
        raise PresetError(str(path), [("", f"not a TOML file: {error}")]) from error


def _odd_character(text: str, problem: str) -> str:
    """Name the character at which a TOML file is invalid, if it is an invisible one."""
    place = re.search(r"at line (\d+), column (\d+)", problem)
    if place is None:
        return ""
    lines = text.split("\n")
    line = lines[int(place[1]) - 1] if int(place[1]) <= len(lines) else ""
    character = line[int(place[2]) - 1 : int(place[2])]
    if not character or (character.isascii() and character.isprintable()) or character == "\t":
        return ""
    name = unicodedata.name(character, "a control character")
    return f": found U+{ord(character):04X}, {name}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of an error message: the likeliest known name, or all of them."""
    known = list(known)
    near = near_names(name, known)
    return f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(known)}"
