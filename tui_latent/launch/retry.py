"""Retry a failed run from its last good checkpoint, at a lower learning rate."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tui_latent.launch.foreign import refuse_foreign
from tui_latent.launch.tune import run_events
from tui_latent.runs.author import author
from tui_latent.runs.control import read_request, request
from tui_latent.runs.events import LR_FACTOR, new_event, settings_at
from tui_latent.runs.file_lock import FileLock
from tui_latent.runs.history import write_events
from tui_latent.runs.run_list import LOCK_FILE, busy_error, refuse_trained, run_status
from tui_latent.runs.schema import RunError

_SLOWER: Final = 0.5
_WHAT: Final = "retry it"


def prepare_retry(path: Path) -> int:
    """Make the last good checkpoint the one to resume from, at half the learning rate.

    A checkpoint is good if it is intact and its weights are finite; a run without any checkpoint
    starts again from the beginning. All that followed the checkpoint is discarded, including
    changes of settings. Returns the checkpoint's step. RunBusyError when another process is
    training the run, RunError when no checkpoint is good or the folder cannot be written.
    """
    refuse_foreign(path, "be retried")
    refuse_trained(path, _WHAT)
    lock = FileLock(path / LOCK_FILE)
    try:
        lock.take()
    except BlockingIOError as error:
        raise busy_error(path, run_status(path), _WHAT) from error
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        return _prepare(path)
    except OSError as error:
        where = error.filename or path
        raise RunError(f"{where}: cannot be written: {error.strerror or error}") from error
    finally:
        lock.release()


def _prepare(path: Path) -> int:
    from tui_latent.training.checkpoint import go_back_to, last_good_step

    if run_status(path).state == "finished":
        raise RunError(f"{path.name} is finished: there is nothing to retry")
    folder = path / "checkpoints"
    step = last_good_step(folder)
    if step is None and any(folder.glob("step-*.pt")):
        raise RunError(
            f"{path.name}: no checkpoint is good: each is damaged or has weights that are not "
            "finite. Edit its settings and start a new run"
        )
    reached = run_status(path).step
    events, _ = run_events(path)
    otherwise = read_request(path).first_lr_factor
    at_checkpoint = float(settings_at(events, step or 0).get(LR_FACTOR, otherwise))
    at_failure = float(settings_at(events, reached).get(LR_FACTOR, otherwise))
    factor = min(at_checkpoint, at_failure) * _SLOWER
    if step is not None:
        go_back_to(folder, step)
    serial = request(path, lr_factor=factor).lr_serial
    text = f"Tried again after the failure, at {factor:g} times the schedule's rate."
    changed = {"setting": LR_FACTOR, "old": at_checkpoint, "new": factor}
    event = new_event("retry", step or 0, text, who=author(), serial=serial, **changed)
    write_events(path, [event])
    return step or 0
