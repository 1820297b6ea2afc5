"""`tui_latent.watch`: make or continue the folder of a run for someone's own loop."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, get_args

from tui_latent.runs.control import read_request, take_up
from tui_latent.runs.manifest import read_manifest
from tui_latent.runs.new_run import check_name, make_run_folder
from tui_latent.runs.origin import WATCHED, Wish, origin_of
from tui_latent.runs.reader import RunReader
from tui_latent.runs.run_list import runs_folder
from tui_latent.runs.schema import RunError, RunSnapshot
from tui_latent.runs.status import certain_status
from tui_latent.runs.writer import RunWriter
from tui_latent.runtime.sanitize import plain_name
from tui_latent.runtime.versions import version_of
from tui_latent.watching.evaluations import Evaluations
from tui_latent.watching.measuring import Measuring
from tui_latent.watching.recording import Recording
from tui_latent.watching.silent_run import SilentRun, is_silent
from tui_latent.watching.watched_run import WatchedRun, table_of

IfTaken = Literal["refuse", "number", "continue"]

_MOST_NUMBERS: Final = 10_000


def watch(
    name: str | None = None,
    *,
    classes: Sequence[str] = (),
    obeys: Sequence[Wish] = (),
    config: Mapping[str, Any] | None = None,
    total_steps: int = 0,
    total_epochs: int = 0,
    device: str = "",
    if_taken: IfTaken = "refuse",
    runs: str | os.PathLike[str] | None = None,
) -> WatchedRun | SilentRun:
    """Record someone's own training loop as a run, which the dashboard shows live and afterwards.

    `name` is the run's folder; without one the time and the script's name make it. `classes` are
    the names of the labels 0, 1, … of latents. `obeys` says which requests the loop obeys
    (`pause`, `stop`, `checkpoint`, `lr`): the dashboard offers those and no others. `config` is
    what the loop says of itself. `if_taken` says what happens where the name is taken: `refuse`,
    `number` (the first free of name-2, name-3, …), or `continue` that run; a run that another
    process records is never continued. `runs` is the folder of the runs (default:
    $TUI_LATENT_RUNS, else that of the config file, else ./runs).

    Under torch.distributed only rank 0 records; there, and in the workers of a data loader, the
    run that is returned does nothing. RunError when the folder cannot be made, ValueError for an
    argument that means nothing.
    """
    _check(classes, obeys, if_taken)
    if is_silent():
        return SilentRun()
    about = {WATCHED: {"obeys": list(obeys)}, "config": table_of(config or {})}
    folder = _folder(runs)
    writer, old = _writer(folder, name, about, if_taken)
    before = read_request(writer.path)
    writer.lock()
    try:
        take_up(writer.path, before)
        totals = {"total_steps": total_steps, "total_epochs": total_epochs, "device": device}
        writer.status(state="running", phase="training", error=None, **totals)
        names = tuple(plain_name(str(each)) for each in classes)
        recording = _recording(writer, names, old)
        run = WatchedRun(recording, names, _last_step(old))
        recording.start()
    except BaseException:
        writer.close()
        raise
    return run


def _check(classes: Sequence[str], obeys: Sequence[str], if_taken: str) -> None:
    wishes = get_args(Wish)
    if isinstance(classes, str):
        raise ValueError(f"watch: classes must be a list of names, not the text {classes!r}")
    if isinstance(obeys, str) or any(wish not in wishes for wish in obeys):
        raise ValueError(f"watch: obeys must be a list of {', '.join(wishes)}, not {obeys!r}")
    if if_taken not in get_args(IfTaken):
        raise ValueError(f"watch: if_taken must be one of {', '.join(get_args(IfTaken))}")


def _folder(runs: str | os.PathLike[str] | None) -> Path:
    """Return the folder of the runs, the same that `tui-latent` shows."""
    if runs is not None or os.environ.get("TUI_LATENT_RUNS"):
        return runs_folder(None if runs is None else os.fspath(runs))
    from tui_latent.preferences.config_file import config_path, read_preferences

    return runs_folder(read_preferences(config_path())[0].runs or None)


def _writer(
    folder: Path, name: str | None, about: Mapping[str, Any], if_taken: IfTaken
) -> tuple[RunWriter, RunSnapshot | None]:
    """Return the writer of a run, and the run as it was if it is continued."""
    stem = name or Path(sys.argv[0] or "watched").stem or "watched"
    provenance = {
        "origin": "watched",
        "command": " ".join(sys.argv),
        "versions": {"tui-latent": version_of("tui-latent")},
    }

    def new(called: str | None) -> RunWriter:
        return RunWriter(make_run_folder(folder, stem, about, provenance, called))

    if name is None or not os.path.lexists(folder / name):
        return new(name), None
    match if_taken:
        case "continue":
            return _continued(folder / name)
        case "number":
            for number in range(2, _MOST_NUMBERS):
                called = f"{name}-{number}"
                if os.path.lexists(folder / called):
                    continue
                try:
                    return new(called), None
                except RunError:
                    if not os.path.lexists(folder / called):
                        raise
    check_name_free(folder, name)
    raise AssertionError  # pragma: no cover


def check_name_free(folder: Path, name: str) -> None:
    """Raise RunError that says who has the name, and what can be done."""
    path = folder / name
    try:
        status = certain_status(path)
    except OSError:
        status = None
    if status is not None and status.pid and status.state in ("starting", "running", "paused"):
        raise RunError(
            f"{path} is being recorded by process {status.pid} on {status.host}: choose another "
            f'name, or give watch if_taken="number" to take the next free one'
        )
    check_name(folder, name) if not path.exists() else None
    raise RunError(
        f'{path}: already exists: choose another name, or give watch if_taken="number" to take '
        f'the next free one, or if_taken="continue" to go on with that run'
    )


def _continued(path: Path) -> tuple[RunWriter, RunSnapshot]:
    manifest = read_manifest(path)
    if origin_of(manifest.provenance) != "watched":
        raise RunError(f"{path}: was not recorded by tui_latent.watch: choose another name")
    old = RunReader(path).refresh()
    return RunWriter.reopen(path), old


def _last_step(old: RunSnapshot | None) -> int:
    """Return the last step that an earlier process recorded; -1 for a new run."""
    if old is None:
        return -1
    curves = (int(curve.steps[-1]) for curve in old.curves.values() if len(curve.steps))
    return max([-1, *curves, *old.map_steps])


def _recording(writer: RunWriter, classes: Sequence[str], old: RunSnapshot | None) -> Recording:
    recording: list[Recording] = []
    measuring = Measuring(
        writer.path,
        old.map.points if old is not None and old.map is not None else None,
        lambda line: recording[0].note(line),
    )
    evaluations = Evaluations(writer, classes, None)
    recording.append(Recording(writer, measuring, evaluations, _last_step(old)))
    return recording[0]
