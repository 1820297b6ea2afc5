"""`tui_latent.watch`: make or continue the folder of a run for a user's own loop."""

from __future__ import annotations

import atexit
import operator
import os
import shlex
import sys
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, get_args

from tui_latent.preferences.runs_folders import folder_of_runs
from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.control import read_request, take_up
from tui_latent.runs.latents_file import latent_dimensions
from tui_latent.runs.manifest import PRESET_FILE, preset_text, read_manifest
from tui_latent.runs.metrics import MetricsReader
from tui_latent.runs.new_run import check_spelling, make_run_folder
from tui_latent.runs.origin import WATCHED, Wish, origin_of
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import LIVE_STATES, RunBusyError, RunError, Status
from tui_latent.runs.status import certain_status, readable_status
from tui_latent.runs.thumbnails import Split
from tui_latent.runs.writer import RunWriter
from tui_latent.runtime.sanitize import plain_name
from tui_latent.runtime.versions import version_of
from tui_latent.watching.config_table import table_of
from tui_latent.watching.evaluations import Evaluations
from tui_latent.watching.measuring import Measuring
from tui_latent.watching.pictures import Pictures, check_pictures
from tui_latent.watching.recording import Recording
from tui_latent.watching.silent_run import SilentRun, is_silent
from tui_latent.watching.watched_run import WatchedRun

IfTaken = Literal["refuse", "number", "continue"]

_MOST_NUMBERS: Final = 10_000


def watch(
    name: str | None = None,
    *,
    classes: Sequence[str] = (),
    thumbnails: Any = None,
    bank_thumbnails: Any = None,
    obeys: Sequence[Wish] = (),
    config: Mapping[str, Any] | None = None,
    total_steps: int = 0,
    total_epochs: int = 0,
    device: object = "",
    if_taken: IfTaken = "refuse",
    runs: str | os.PathLike[str] | None = None,
) -> WatchedRun | SilentRun:
    """Record a user's own training loop as a run, which the dashboard shows live and afterwards.

    `name` is the run's folder; without one the time and the script's name make it. `classes` are
    the names of the labels 0, 1, … of latents. `thumbnails` are the images that belong to the
    latents, row by row, and `bank_thumbnails` those of the bank: uint8 arrays (N, H, W),
    (N, H, W, C) or (N, C, H, W), a list of image files, or a function that returns such for an
    array of indices; small copies are kept in the run. `obeys` says which requests the loop obeys
    (`pause`, `stop`, `checkpoint`, `lr`): the dashboard offers those and no others. `config` is
    what the loop says about itself. `if_taken` says what happens where the name is taken: `refuse`,
    `number` (the first free of name-2, name-3, …), or `continue` that run; a run that another
    process records is never continued. `runs` is the folder of the runs (default:
    $TUI_LATENT_RUNS, else that of the config file, else ./runs).

    Under torch.distributed only rank 0 records; there, and in the workers of a data loader, the
    run that is returned does nothing. RunError when the folder cannot be made, ValueError for an
    invalid argument.
    """
    _check(name, classes, obeys, config, if_taken)
    totals = {
        "total_steps": _total("total_steps", total_steps),
        "total_epochs": _total("total_epochs", total_epochs),
    }
    check_pictures("thumbnails", thumbnails)
    check_pictures("bank_thumbnails", bank_thumbnails)
    if is_silent():
        return SilentRun()
    if name is not None:
        check_spelling(name)
    about = {WATCHED: {"obeys": list(obeys)}, "config": table_of(config or {})}
    path = _path(folder_of_runs(None if runs is None else os.fspath(runs)), name, about, if_taken)
    writer, before = RunWriter(path), read_request(path)
    try:
        writer.lock()
    except RunBusyError:
        raise _busy(path, readable_status(path)) from None
    try:
        take_up(path, before)
        _declare(path, about)
        old = RunReader(path).refresh()
        last = _last_step(path)
        on = "" if device is None else plain_name(str(device))
        writer.status(state="running", phase="training", error=None, device=on, **totals)
        names = tuple(plain_name(str(each)) for each in classes)
        previous = None if old.map is None else old.map.points
        measuring = Measuring(path, previous)
        evaluations = Evaluations(writer, names, latent_dimensions(path))
        obeyed = frozenset(obeys)
        recording = Recording(writer, evaluations, measuring, obeyed, before, last)
        given: dict[Split, Any] = {"val": thumbnails, "train": bank_thumbnails}
        images = {split: pictures for split, pictures in given.items() if pictures is not None}
        pictures = Pictures(path, images, recording.lines.append)
        run = WatchedRun(recording, measuring.put, pictures, names, last)
        recording.start()
    except BaseException:
        writer.close()
        raise
    _follow_process(run)
    return run


def _check(name: Any, classes: Any, obeys: Any, config: Any, if_taken: Any) -> None:
    """Raise ValueError for an invalid argument, before a folder is made."""
    wishes = get_args(Wish)
    if not isinstance(name, (str, type(None))):
        raise ValueError(f"watch: name must be a string, not {name!r}")
    if isinstance(classes, str):
        raise ValueError(f"watch: classes must be a list of names, not the string {classes!r}")
    if not hasattr(classes, "__iter__"):
        raise ValueError(f"watch: classes must be a list of names, not {classes!r}")
    listed = hasattr(obeys, "__iter__") and not isinstance(obeys, str)
    if not listed or any(wish not in wishes for wish in obeys):
        raise ValueError(f"watch: obeys must be a list of {', '.join(wishes)}, not {obeys!r}")
    if not isinstance(config, (Mapping, type(None))):
        raise ValueError(
            f"watch: config must be a dictionary, not {type(config).__name__}: for parsed "
            "arguments, pass vars(arguments)"
        )
    if if_taken not in get_args(IfTaken):
        raise ValueError(
            f"watch: if_taken must be {', '.join(get_args(IfTaken))}, not {if_taken!r}"
        )


def _total(name: str, value: Any) -> int:
    """Return a total of steps or epochs, 0 if unknown; ValueError if it is not a whole number."""
    try:
        whole = int(operator.index(value))
    except TypeError:
        whole = -1
    if whole < 0:
        raise ValueError(
            f"watch: {name} must be a whole number, or 0 if it is not known, not {value!r}"
        )
    return whole


def _path(folder: Path, name: str | None, about: Mapping[str, Any], if_taken: IfTaken) -> Path:
    """Make a folder for a new run, or return the folder of the run to continue."""
    stem = name or Path(sys.argv[0] or "watched").stem
    provenance = {
        "origin": "watched",
        "command": shlex.join(sys.argv),
        "versions": {"tui-latent": version_of("tui-latent")},
    }
    taken = name is not None and os.path.lexists(folder / name)
    if not taken:
        try:
            return make_run_folder(folder, stem, about, provenance, name)
        except RunError:
            if name is None or not os.path.lexists(folder / name):
                raise
    assert name is not None
    if if_taken == "continue":
        return _watched_before(folder / name)
    if if_taken == "refuse":
        raise _taken(folder / name)
    for number in range(2, _MOST_NUMBERS):
        called = f"{name}-{number}"
        if os.path.lexists(folder / called):
            continue
        try:
            return make_run_folder(folder, stem, about, provenance, called)
        except RunError:
            if not os.path.lexists(folder / called):
                raise
    raise _taken(folder / name)


def _watched_before(path: Path) -> Path:
    if origin_of(read_manifest(path).provenance) != "watched":
        raise RunError(
            f"{path}: this run was not recorded by tui_latent.watch: choose another name"
        )
    return path


def _declare(path: Path, about: Mapping[str, Any]) -> None:
    """Replace what an earlier process said about itself by what this one says.

    What the loop obeys always; its settings only where it names any.
    """
    manifest = read_manifest(path)
    table = {**manifest.preset, **{name: part for name, part in about.items() if part}}
    if table == manifest.preset:
        return
    text = preset_text({**table, "provenance": manifest.provenance})
    replace_file(path / PRESET_FILE, text.encode(), durable=True)


def _taken(path: Path) -> RunError:
    """Return the error for a name that is taken: it says by whom, and what to do."""
    if not (path / PRESET_FILE).is_file():
        return RunError(f"{path}: already exists, and is not a run: choose another name")
    status = certain_status(path)
    if status.state in LIVE_STATES and status.pid:
        return _busy(path, status)
    return RunError(
        f'{path}: already exists: choose another name, or give watch if_taken="number" for the '
        'next free one, or if_taken="continue" to continue that run'
    )


def _busy(path: Path, status: Status) -> RunBusyError:
    return RunBusyError(
        f"{path} is being recorded by process {status.pid} on {status.host}: choose another "
        'name, or give watch if_taken="number" for the next free one'
    )


def _last_step(path: Path) -> int:
    """Return the last recorded step; -1 if nothing is recorded yet."""
    reader = MetricsReader(path / "metrics.jsonl")
    reader.refresh()
    return reader.last_step


def _follow_process(run: WatchedRun) -> None:
    """Write what is left if the process ends without closing the run, and let go in its forks.

    A process that is forked off would otherwise keep the run's lock and its pipes open.
    """
    known = weakref.ref(run)

    def at_exit() -> None:
        if (there := known()) is not None:
            there.abandon()

    def in_fork() -> None:
        if (there := known()) is not None:
            there.forsake()

    atexit.register(at_exit)
    os.register_at_fork(after_in_child=in_fork)
