"""The engine of a Slurm cluster: arrays of jobs that submitit submits."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tui_latent.config.plugin_needs import files_needed
from tui_latent.launch.sweep.engine import EngineError
from tui_latent.runs.control import read_request

_MINUTES: Final = 240
"""of a job, unless --slurm time=… says otherwise; one that is cut off is queued again"""
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

    def ended(self) -> list[tuple[Path, str]]:
        """Return the runs whose jobs have ended, and why those that failed did."""
        found = []
        for path, job in list(self._jobs.items()):
            if job.done():
                del self._jobs[path]
                found.append((path, _problem(job)))
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
        """Return what continues a job that was cut off: the run has its own checkpoints."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


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
    executor = submitit.SlurmExecutor(folder=str(sweep / ".slurm"))
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
    """Return a time of Slurm's in minutes: `90`, `1:30:00`, `2-00:00:00`; EngineError."""
    days, dash, rest = text.rpartition("-")
    parts = rest.split(":")
    try:
        numbers = [int(part) for part in parts]
        if dash:  # days-hours, and minutes and seconds if they are there
            hours, minutes, *_ = (*numbers, 0, 0)
            return int(days) * 1440 + hours * 60 + minutes
        if len(numbers) == 3:
            return numbers[0] * 60 + numbers[1]
        return numbers[0]
    except ValueError as error:
        raise EngineError(
            f"--slurm time={text}: write minutes, or hours:minutes:seconds"
        ) from error


def _problem(job: Any) -> str:
    error = job.exception()
    if error is None:
        return ""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"its job {job.job_id} ended: {lines[-1] if lines else type(error).__name__}"
