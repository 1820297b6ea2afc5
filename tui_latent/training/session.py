"""One run from start to end in this thread: locks, captures output, records how it ended."""

from __future__ import annotations

import traceback
from pathlib import Path

from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import load_run_preset
from tui_latent.config.settings import Preset
from tui_latent.datasets.sources import DataError
from tui_latent.methods import METHODS
from tui_latent.plugins.registry import PluginError
from tui_latent.runs.output_capture import captured_output
from tui_latent.runs.schema import FolderLostError, RunError, State
from tui_latent.runs.writer import RunWriter
from tui_latent.runtime.launcher import restarts
from tui_latent.training.device import DeviceError, free_device_memory, limit_threads
from tui_latent.training.device_errors import device_trouble, restart_may_help
from tui_latent.training.fit import fit_run
from tui_latent.training.live_settings import BackRequested
from tui_latent.training.loss_window import NotFiniteError
from tui_latent.training.rank_commands import Command
from tui_latent.training.rank_groups import leave_groups, lost_others
from tui_latent.training.ranks import Ranks, join, ranks_of_launcher
from tui_latent.training.retrying_writes import NotSavedError, wait_to_end
from tui_latent.training.run import TrainingRun
from tui_latent.training.run_control import StopRequested

_EXPLAINED = (
    *(DataError, DeviceError, NotFiniteError, NotSavedError, PluginError, PresetError, RunError),
)
"""errors whose message says what to do"""


def train(writer: RunWriter) -> State:
    """Train the run that `writer` has locked from its last checkpoint, or from the start.

    Returns how it ended, and closes the writer. When the launcher of several processes restarts
    them, a run that failed is tried again only if `restart_may_help`. What goes wrong is written
    to the run: two lines into its status, the traceback into `train.log`. FolderLostError when the
    folder is no longer the run's, RunError when how it ended cannot be written.
    """
    # A launcher starts all processes again when one exits with an error, whatever it was.
    before = writer.status()
    again = restarts() and before.state == "failed"
    failed_before = again and not restart_may_help(before.error or "")
    try:
        if not failed_before:
            writer.status(state="starting", error=None)
        limit_threads()
        with captured_output(writer.log):
            ranks = ranks_of_launcher()
            join(ranks)
            try:
                state = "failed" if failed_before else _train(writer.path, writer, ranks)
            finally:
                ranks.tell(Command.END)
            leave_groups()
        if state != "failed":
            writer.status(state=state, phase="", error=None)
            writer.log(state)
    finally:
        free_device_memory()
        _close(writer)
    return state


def _close(writer: RunWriter) -> None:
    try:
        wait_to_end(writer)
        writer.close()
    except OSError as error:
        raise RunError(
            f"{writer.path}: cannot write how the run ended: {error.strerror or error}"
        ) from error


def _train(path: Path, writer: RunWriter, ranks: Ranks) -> State:
    preset: Preset | None = None
    try:
        preset = load_run_preset(path)
        if METHODS[preset.method.name].pairing == "none":
            return fit_run(path, preset, writer)
        return _train_in_steps(path, preset, writer, ranks)
    except FolderLostError:  # there is nothing to write it into
        raise
    except StopRequested:  # before the first step: the checkpoints are as they were
        return "stopped"
    except _EXPLAINED as error:
        return _fail(writer, str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(writer, f"{where}{error.strerror or error}: fix it, then resume")
    except KeyboardInterrupt:
        writer.status(state="interrupted")
        raise
    except Exception as error:  # the run must say why it ended, whatever it was
        writer.log(traceback.format_exc())
        if ranks.several and lost_others(error):
            writer.log("interrupted: another process of this run has ended")
            writer.status(state="interrupted", phase="")
            raise
        if trouble := device_trouble(error, preset, writer.status()):
            return _fail(writer, trouble)
        said = str(error).partition("\n")[0] or "no message"
        return _fail(writer, f"{type(error).__name__}: {said}\nthe traceback is in train.log")


def _train_in_steps(path: Path, preset: Preset, writer: RunWriter, ranks: Ranks) -> State:
    while True:
        run = TrainingRun(path, preset, writer, ranks)
        try:
            return run.train()
        except BackRequested as asked:
            run.go_back(asked)
        del run  # or its networks and images would stay in memory beside the next run's
        free_device_memory()


def _fail(writer: RunWriter, message: str) -> State:
    writer.log(f"failed: {message}")
    writer.status(state="failed", error=message, phase="")
    return "failed"
