"""`config.toml`: a person's own settings of the program, for all runs.

People edit it, and the dashboard writes their choices into it: one line is replaced or added, and
all other lines stay as they are, comments included.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from tui_latent.palettes import rgb_color
from tui_latent.runtime.near_names import near_names
from tui_latent.runtime.regular_files import read_small
from tui_latent.runtime.utf8_text import utf8_text

NOTIFICATIONS: Final = ("all", "problems", "errors")
AXES: Final = ("step", "epoch", "time")
IMAGE_SIZES: Final = ("large", "medium", "small")
PANELS: Final = ("map", "loss", "knn", "space", "log", "machine", "confusion")
_MOST_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Preferences:
    """What the program does unless a command line says otherwise."""

    theme: str = "auto"
    """a theme's name; auto follows the terminal"""
    runs: str | tuple[str, ...] = ""
    """folder of the runs, or several, of which the first gets the new ones; empty: ./runs"""
    palette: tuple[str, ...] = ()
    """colours of the classes, `#rrggbb`; empty: those made for dark and light backgrounds"""
    axis: str = "step"
    """x axis of the curves"""
    smoothing: float = 0.0
    """smoothing of the loss, from 0 to below 1"""
    image_size: str = "large"
    """size of the images in the viewer"""
    notifications: str = "all"
    """which notices are shown"""
    panels: tuple[str, ...] = PANELS
    """panels of the dashboard"""
    keys: Mapping[str, str] = field(default_factory=dict)
    """id of an action -> its keys"""

    @property
    def runs_folders(self) -> tuple[str, ...]:
        """The folders of runs, the first for new ones; none: ./runs."""
        named = (self.runs,) if isinstance(self.runs, str) else self.runs
        return tuple(name for name in named if name)


DEFAULTS: Final = Preferences()


@dataclass(frozen=True)
class Setting:
    """One setting of the file, its check and its description."""

    name: str
    check: Callable[[Any], str]
    """returns what is wrong with a value; empty if nothing is"""
    meaning: str


def _one_of(choices: tuple[str, ...]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value in choices:
            return ""
        return f"use one of {', '.join(choices)}, not {value!r}{_near(str(value), choices)}"

    return check


def _text(value: Any) -> str:
    return "" if isinstance(value, str) else f"use text in quotes, not {value!r}"


def _share(value: Any) -> str:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "" if number and 0 <= value < 1 else f"use a number from 0 to below 1, not {value!r}"


def _panels(value: Any) -> str:
    if not isinstance(value, (list, tuple)) or not value:
        return f"use a list of {', '.join(PANELS)}"
    wrong = [name for name in value if name not in PANELS]
    return "; ".join(f"there is no panel {name!r}{_near(str(name), PANELS)}" for name in wrong)


def _folders(value: Any) -> str:
    names = [value] if isinstance(value, str) else value
    if isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names):
        return ""
    return f'use a folder in quotes, or several as in ["runs", "/data/runs"], not {value!r}'


def _colors(value: Any) -> str:
    if not isinstance(value, (list, tuple)):
        return 'use a list of colours such as ["#0072b2", "#e69f00"]'
    wrong = [color for color in value if not _is_color(color)]
    if wrong:
        return f"use colours such as #0072b2, not {', '.join(map(repr, wrong))}"
    return "use two colours or more" if len(set(value)) == 1 else ""


def _is_color(value: Any) -> bool:
    try:
        rgb_color(value)
    except (ValueError, TypeError):
        return False
    return True


def _keys(value: Any) -> str:
    if isinstance(value, Mapping) and all(isinstance(keys, str) for keys in value.values()):
        return ""
    return 'write [keys] and below it lines such as "run.pause" = "p"'


def _near(name: str, names: tuple[str, ...]) -> str:
    close = near_names(name, names)
    return f"; did you mean '{close[0]}'?" if close else ""


SETTINGS: Final = (
    Setting("theme", _text, "auto follows the terminal; ctrl+p lists the themes"),
    Setting(
        "runs",
        _folders,
        "folder of the runs, or a list of folders: new runs are made in the first; empty: ./runs, "
        "or $TUI_LATENT_RUNS",
    ),
    Setting("palette", _colors, 'colours of the classes, such as ["#0072b2", "#e69f00"]'),
    Setting("axis", _one_of(AXES), "x axis of the curves: step, epoch or time"),
    Setting("smoothing", _share, "smoothing of the loss, from 0 to below 1"),
    Setting("image_size", _one_of(IMAGE_SIZES), "images of the viewer: large, medium or small"),
    Setting(
        "notifications", _one_of(NOTIFICATIONS), "all, problems (warnings and errors) or errors"
    ),
    Setting("panels", _panels, "panels of the dashboard"),
    Setting("keys", _keys, "your own keys, by the ids that docs/KEYS.md lists"),
)
SETTING_NAMES: Final = frozenset(setting.name for setting in SETTINGS)
_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}


def config_path() -> Path:
    """Return the path of the file: `$TUI_LATENT_CONFIG`, or the system's place for settings."""
    named = os.environ.get("TUI_LATENT_CONFIG")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return platformdirs.user_config_path("tui-latent", appauthor=False) / "config.toml"


def read_preferences(path: Path) -> tuple[Preferences, list[str]]:
    """Return the settings and the problems; a setting that cannot be used keeps its default."""
    try:
        table = tomllib.loads(utf8_text(read_small(path, _MOST_BYTES)))
    except FileNotFoundError:
        return DEFAULTS, []
    except OSError as error:
        return DEFAULTS, [f"{path}: cannot be read: {error.strerror or error}"]
    except (ValueError, RecursionError) as error:
        return DEFAULTS, [f"{path}: not a TOML file: {error}"]
    problems: list[str] = []
    values: dict[str, Any] = {}
    for name, value in table.items():
        setting = _BY_NAME.get(name)
        if setting is None:
            problems.append(f"{path}: there is no setting '{name}'{_near(name, tuple(_BY_NAME))}")
        elif wrong := setting.check(value):
            problems.append(f"{path}: {name}: {wrong}")
        else:
            values[name] = tuple(value) if isinstance(value, list) else value
    return replace(DEFAULTS, **values), problems


def keep_preference(path: Path, name: str, value: Any) -> None:
    """Write one setting into the file; OSError if that fails.

    ValueError if the file is not TOML, the setting does not exist, or the value is not allowed.
    """
    wrong = _BY_NAME[name].check(value) if name in _BY_NAME else "there is no such setting"
    if wrong:
        raise ValueError(f"{name}: {wrong}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        text = ""
    if tomllib.loads(text).get(name) == value:
        return
    from tui_latent.runs.atomic_files import replace_file

    path.parent.mkdir(parents=True, exist_ok=True)
    # People keep this file among others of theirs, behind a link, which stays.
    replace_file(path.resolve(), with_setting(text, name, value).encode())


def with_setting(text: str, name: str, value: Any) -> str:
    """Return a TOML text with one top-level setting changed and all other lines as they were."""
    import tomli_w

    wanted = {**tomllib.loads(text), name: value}
    line = tomli_w.dumps({name: value}).rstrip("\n")
    lines = text.splitlines()
    tables = [i for i, each in enumerate(lines) if each.lstrip().startswith("[")]
    end = tables[0] if tables else len(lines)
    places = [i for i in range(end) if re.match(rf"\s*{re.escape(name)}\s*=", lines[i])]
    changed = [*lines]
    if places:
        changed[places[0]] = line
    else:
        changed.insert(end, line)
        if end < len(lines):
            changed.insert(end + 1, "")
    result = "\n".join(changed) + "\n"
    try:
        if tomllib.loads(result) == wanted:
            return result
    except tomllib.TOMLDecodeError:
        pass
    return tomli_w.dumps(wanted)  # a value of several lines: comments are lost, settings are not


def template() -> str:
    """Return a file that says what can be set, and sets nothing."""
    import tomli_w

    lines = ["# Settings of tui-latent. Remove the # in front of a line to change it.", ""]
    for setting in SETTINGS:
        value = getattr(DEFAULTS, setting.name)
        if isinstance(value, Mapping):
            lines += ["", f"# {setting.meaning}", "[keys]", '# "run.pause" = "p"']
        else:
            written = list(value) if isinstance(value, tuple) else value
            one = tomli_w.dumps({setting.name: written}).replace("\n", " ")
            lines.append(f"# {' '.join(one.split()).replace(', ]', ' ]')}  # {setting.meaning}")
    return "\n".join(lines) + "\n"


def as_table(preferences: Preferences) -> dict[str, Any]:
    """Return the settings as plain values."""
    found = {each.name: getattr(preferences, each.name) for each in fields(Preferences)}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in found.items()
    }
