"""The engine of a Slurm cluster: arrays of jobs that submitit submits."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil

from tui_latent.config.plugin_needs import files_needed
from tui_latent.launch.sweep.engine import Ended, EngineError
from tui_latent.runs.control import read_request, request
from tui_latent.runs.process import HOST
from tui_latent.runs.schema import LIVE_STATES, RunError, Status
from tui_latent.runs.status import readable_status

_MINUTES: Final = 240
"""of a job, unless --slurm time=… says otherwise; one that is cut off is queued again"""
_LIMITS: Final = 1000
"""times that a job is queued again after its time limit; submitit's 3 are few for a long run"""
_SAVING: Final = 60.0
"""seconds for a run to stop and save; submitit asks for it 90 s before the time limit"""
_LOOK_EVERY: Final = 0.2
"""seconds between two checks whether it has"""
_PROGRAMS: Final = ("sbatch", "srun")
"""of Slurm, which submitit calls"""
_MANY: Final = 1000
"""jobs of one array: Slurm's usual limit"""


class SlurmEngine:
    """Trains runs as jobs; one that reaches its time limit continues from its checkpoint."""

    def __init__(self, executor: Any) -> None:
        """`executor` is one of submitit's."""
        self._executor = executor
        self._jobs: dict[Path, Any] = {}

    def room(self) -> int:
        """Return how many more runs can be given to it now; the cluster lets them wait."""
        return _MANY - len(self._jobs)

    def start(self, paths: Sequence[Path]) -> None:
        """Submit these runs as one array; EngineError when the cluster refuses it."""
        works = [TrainJob(path.absolute(), files_needed(path)) for path in paths]
        try:
            jobs = (
                [self._executor.submit(work) for work in works]
                if len(works) == 1
                else (self._executor.submit_array(works))
            )
        except Exception as error:  # what sbatch prints, in an error of submitit's
            raise EngineError(f"Slurm refuses the jobs: {str(error).strip()}") from error
        self._jobs.update(zip(paths, jobs, strict=True))

    def ended(self) -> list[Ended]:
        """Return the runs whose jobs have ended, and why those that failed did."""
        found = []
        for path, job in list(self._jobs.items()):
            if job.done():
                del self._jobs[path]
                cancelled = str(job.state).startswith("CANCELLED")  # "CANCELLED by 1000"
                found.append(Ended(path, _problem(job, cancelled), cancelled))
        return found

    def close(self) -> None:
        """Need nothing: no run is training any more."""


class TrainJob:
    """Trains one run; submitit pickles it into the job."""

    def __init__(self, path: Path, plugins: Sequence[str]) -> None:
        self._path, self._plugins = path, tuple(plugins)
        self._asked = read_request(path)

    def __call__(self) -> None:
        """Train, or resume."""
        from tui_latent.launch.sweep.trial import train_once_free

        train_once_free(self._path, self._asked, self._plugins)

    def checkpoint(self) -> Any:
        """Stop and save the run before its job is cut off; return what continues it.

        None if the run is to stop anyway, as its sweep is.
        """
        from submitit.helpers import DelayedSubmission

        if _trains(readable_status(self._path)):
            if read_request(self._path, self._asked).state == "stop":
                return None
            self._save()
        return DelayedSubmission(TrainJob(self._path, self._plugins))

    def _save(self) -> None:
        until = time.monotonic() + _SAVING
        with suppress(RunError):
            request(self._path, state="stop")
        while _trains(readable_status(self._path)) and time.monotonic() < until:
            time.sleep(_LOOK_EVERY)


def _trains(status: Status) -> bool:
    """Return whether a run is trained by this process, or by one that it has started."""
    if status.state not in LIVE_STATES or status.host != HOST:
        return False
    here = psutil.Process()
    return status.pid in (here.pid, *(child.pid for child in here.children(recursive=True)))


def slurm_executor(sweep: Path, options: Sequence[str], jobs: int | None) -> Any:
    """Return submitit's executor for the Slurm of this machine; EngineError without one.

    Its files lie in the folder of the sweep.
    """
    try:
        import submitit
    except ImportError as error:
        raise EngineError(
            "--engine slurm needs submitit: pip install 'tui-latent[slurm]'"
        ) from error
    if missing := next((name for name in _PROGRAMS if shutil.which(name) is None), None):
        raise EngineError(
            f"--engine slurm: {missing} is not on this machine: run the sweep on a login node of "
            "the cluster, or use --engine local"
        )
    named = dict(_option(text) for text in options)
    executor = submitit.SlurmExecutor(folder=str(sweep / ".slurm"), max_num_timeout=_LIMITS)
    executor.update_parameters(
        time=_minutes(named.pop("time", str(_MINUTES))),
        **({} if jobs is None else {"array_parallelism": jobs}),
        **({} if (partition := named.pop("partition", None)) is None else {"partition": partition}),
        additional_parameters=named,
    )
    return executor


def _option(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip() or not value.strip():
        raise EngineError(f"--slurm {text}: write it as key=value, as in partition=gpu")
    return key.strip().lstrip("-").replace("-", "_"), value.strip()


def _minutes(text: str) -> int:
    """Return a time of Slurm's in minutes, rounded up: `90`, `1:30:00`, `2-00`; EngineError.

    See `--time` in the manual of sbatch. There 0 means no limit, with which no job ends here.
    """
    days, dash, rest = text.rpartition("-")
    parts = rest.split(":")
    units = (3600, 60, 1) if dash or len(parts) == 3 else (60, 1)
    seconds = 0
    if len(parts) <= len(units) and all(map(str.isdecimal, [days if dash else "0", *parts])):
        seconds = 86400 * int(days or 0)
        seconds += sum(int(part) * unit for part, unit in zip(parts, units, strict=False))
    if not seconds:
        raise EngineError(f"--slurm time={text}: write minutes, or hours:minutes:seconds, above 0")
    return -(-seconds // 60)


def _problem(job: Any, cancelled: bool) -> str:
    error = job.exception()
    if cancelled:
        return f"its job {job.job_id} was cancelled"
    if error is None:
        return ""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"its job {job.job_id} ended: {lines[-1] if lines else type(error).__name__}"
