"""What a run folder holds, as plain values: all that training and the screens share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from tui_latent.runs.origin import Origin, origin_of
from tui_latent.runtime.sanitize import plain_name, plain_text

if TYPE_CHECKING:  # .1 s to import, which the menu's first frame does not wait for
    import numpy as np
    from numpy.typing import NDArray

    from tui_latent.runs.events import RunEvent
    from tui_latent.runs.ranks_file import RankStatus

    Float = NDArray[np.float64]

State = Literal["starting", "running", "paused", "finished", "stopped", "failed", "interrupted"]

FORMAT: Final = 1
"""of a run folder; raised when an older tui-latent could no longer read what is written"""

LIVE_STATES: Final[frozenset[State]] = frozenset({"starting", "running", "paused"})


class RunError(Exception):
    """A run folder that cannot be used; the message says which, why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(plain_text(message))


class UnreadableError(RunError):
    """A folder that may be a run, which this user may not read."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path}: unreadable ({error.strerror or error}): give this user the right to read it, "
            "or ask its owner"
        )


class RunBusyError(RunError):
    """Another live process is training this run."""


class FolderLostError(RunError):
    """The folder of a run in training was deleted, moved or replaced, or another trainer has it."""

    def __init__(self, what: str, now: str) -> None:
        """`what` happened to which folder, and what that means `now` for a run that we train."""
        super().__init__(f"{what}: {now}")
        self.what = what


@dataclass(frozen=True)
class Status:
    """`status.json`: how far a run is and whether a process is working on it."""

    state: State = "starting"
    step: int = 0
    total_steps: int = 0
    epoch: float = 0.0
    """passes over the training images so far, with its fraction"""
    total_epochs: int = 0
    phase: str = ""
    """what it is doing, in words: `loading mnist`, a stage's title, `evaluating`"""
    seconds: float = 0.0
    """time spent training, without pauses and interruptions"""
    images_per_second: float | None = None
    """training images (not views) per second, lately"""
    device: str = ""
    """`cpu`, `cuda:0`; with the device's name in words after a space"""
    memory_bytes: int | None = None
    """device memory in use by the run (the process's memory on a CPU)"""
    pid: int = 0
    host: str = ""
    process: str = ""
    """tells the process from all others with its number: its boot, pid namespace and start, and
    what was drawn when it took the run; empty where the system does not tell, and before 0.2"""
    heartbeat: float = 0.0
    """Unix time of the last sign of life"""
    launched_pid: int = 0
    """the process that was started to train the run, until one has taken it; then PyTorch's
    launcher, which starts its processes again; since 0.2"""
    launched: str = ""
    """tells that process from all others with its number"""
    error: str | None = None
    """one or two lines for a person: why the run failed, or what a paused one waits for"""
    lr_factor: float = 1.0
    """factor on the scheduled learning rate, as requested"""
    checkpoint_step: int | None = None
    """step of the newest checkpoint, from which the run would resume"""
    best_knn_20: float | None = None
    """best `val/knn_20` so far, for the list of runs; the writer keeps it up to date"""
    knn_20: float | None = None
    """newest `val/knn_20`, likewise; NaN if the newest evaluation has none, None also before 0.2"""
    loss: float | None = None
    """newest `train/loss`, for the list of runs; the writer keeps it up to date"""
    dropped: int = 0
    """records of a watched loop that were left out because the disk was full or slow"""
    skipped: int = 0
    """evaluations of a watched loop that were left out, mostly because latents came faster than
    they are measured"""

    @property
    def unbegun(self) -> bool:
        """Whether no process has ever trained the run, and none is about to."""
        made = bool(self.host) and not (self.pid or self.launched_pid or self.step)
        return self.state == "interrupted" and made

    @property
    def state_word(self) -> str:
        """What people read as the state: a run that nobody has begun was not interrupted."""
        return "not started" if self.unbegun else self.state


@dataclass(frozen=True, eq=False)
class Curve:
    """One metric over the run, reduced to bins of a power-of-two number of steps.

    All arrays have the same length; bins without a finite value are left out, and
    `non_finite` counts the records whose value was NaN or infinite.
    """

    steps: Float
    """step of the last record of each bin"""
    times: Float
    """training seconds of the last record of each bin"""
    means: Float
    lows: Float
    highs: Float
    last: float
    """newest value as recorded, finite or not"""
    best: float
    """largest finite value so far for `val/knn_*` and other accuracies, smallest otherwise;
    NaN before the first finite value"""
    non_finite: int = 0


@dataclass(frozen=True, eq=False)
class LatentMap:
    """The held-out images as points in the plane, at one step."""

    step: int
    points: NDArray[np.float32]
    """(N, 2), aligned to the map before it"""
    indices: NDArray[np.int64]
    """(N,) positions in the held-out split"""
    labels: NDArray[np.int64]
    """(N,) plain labels, positions in `class_names`; -1 for an image without a label"""
    class_names: tuple[str, ...]
    projection: str = "native"
    """how the points came out of the latents: `native` (2-D as trained), `pca`, …"""


@dataclass(frozen=True, eq=False)
class RunSnapshot:
    """Everything a screen draws of one run: immutable, cumulative, the newest wins.

    Two snapshots of one reader share every part that has not changed, so `is` tells
    a widget whether it must repaint.
    """

    path: Path
    preset: Mapping[str, Any] = field(default_factory=dict)
    """the resolved preset, a table per section, as in `preset.toml`"""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """seed, versions, device, command, creation time (`[provenance]` of `preset.toml`)"""
    status: Status = Status()
    """with `interrupted` already put in for a run whose process is gone"""
    curves: Mapping[str, Curve] = field(default_factory=dict)
    """by metric name, `train/loss` and so on, in order of first appearance"""
    map: LatentMap | None = None
    """the newest map"""
    map_steps: tuple[int, ...] = ()
    """steps at which a map was written"""
    log: tuple[str, ...] = ()
    """the last lines of `train.log`, oldest first"""
    confusion: NDArray[np.int64] | None = None
    """(classes, classes) kNN@20 on the held-out images, rows are the truth, newest evaluation"""
    missing: Mapping[str, str] = field(default_factory=dict)
    """metric -> why the newest evaluation could not give it a meaning"""
    class_names: tuple[str, ...] = ()
    reports: tuple[Path, ...] = ()
    """exported PNGs, sorted by name; a report's JSON is beside it"""
    events: tuple[RunEvent, ...] = ()
    """standing events in the order in which they were written; empty for runs from before 0.2.
    A change of a setting may be at a later step than a resumed run: it is made again there"""
    ranks: tuple[RankStatus, ...] = ()
    """the processes that train the run together, or did last; empty if there was only one"""
    problems: tuple[str, ...] = ()
    """what of the folder could not be read and was passed over, one line each"""

    @property
    def origin(self) -> Origin:
        """Where the run comes from."""
        return origin_of(self.provenance)

    @property
    def name(self) -> str:
        """The run's name: its folder's, as a screen can show it."""
        return plain_name(self.path.name)

    def newest(self, metric: str) -> float | None:
        """Return a metric's newest value; None where there is none, or it means nothing now."""
        curve = self.curves.get(metric)
        return None if curve is None or metric in self.missing else curve.last


@dataclass(frozen=True)
class Labels:
    """What people have noted about a run; any of it may be empty."""

    name: str = ""
    """shown instead of the folder's name"""
    tags: tuple[str, ...] = ()
    """single words, sorted"""
    notes: str = ""
    archived: bool = False
    """hidden from the list of runs unless all runs are shown"""


NOTHING_NOTED: Final = Labels()


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the list of runs; cheap to read."""

    path: Path
    name: str
    """of the folder"""
    preset: str
    """name of the preset's file, without `.toml`"""
    status: Status
    created: float
    """Unix time"""
    best_knn_20: float | None = None
    loss: float | None = None
    problem: str = ""
    """why the folder cannot be read as a run; empty when it can"""
    changed: float = 0.0
    """Unix time at which the preset, or else the folder, was written; 0 if it cannot be read"""
    knn_20: float | None = None
    """newest `val/knn_20`"""
    seed: int | None = None
    method: str = ""
    """the method's name; `watched` or `opened` for a run that was not trained here, `sweep` for a
    folder of runs"""
    latent_dim: int | None = None
    changes: tuple[str, ...] = ()
    """settings that differ from the preset's, as `key=value`, without the seed"""
    labels: Labels = NOTHING_NOTED
    queued: int = 0
    """place in this machine's queue, from 1; 0 for a run that is not queued"""

    @property
    def title(self) -> str:
        """The run's name if it was given one, else its folder's."""
        return self.labels.name or self.name


@dataclass(frozen=True)
class Wanted:
    """A requested value of a setting."""

    value: float | int | str | bool
    who: str
    """user@host"""
    serial: int
    """of the request"""


@dataclass(frozen=True)
class GoBack:
    """A request to train again from an earlier checkpoint, with a setting as it was."""

    step: int
    """of the checkpoint"""
    setting: str
    value: float | int | str | bool
    who: str
    serial: int


@dataclass(frozen=True)
class Request:
    """`control.json`: what people request of the trainer; requests add up, so none is lost."""

    serial: int = 0
    state: Literal["run", "pause", "stop"] = "run"
    checkpoints: int = 0
    """how many checkpoints have been requested"""
    lr_factor: float = 1.0
    """multiplies the scheduled learning rate"""
    state_serial: int = field(default=0, compare=False)
    """`serial` of the request that last named a state"""
    lr_serial: int = field(default=0, compare=False)
    """`serial` of the request that last named a learning rate factor; 0 before 0.2"""
    lr_who: str = field(default="", compare=False)
    """who made that request: user@host"""
    settings: Mapping[str, Wanted] = field(default_factory=dict)
    """dotted name of a setting -> the value it should have from the next update on"""
    back: GoBack | None = None
    """the newest request to go back"""

    @property
    def first_lr_factor(self) -> float:
        """Learning rate factor before any event: 1, or what was requested before 0.2."""
        return 1.0 if self.lr_serial else self.lr_factor
