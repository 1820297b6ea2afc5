"""Requests to the application: screens post these messages, and the application handles them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from tui_latent.config.settings import Preset
    from tui_latent.tui.time_cursor import TimeCursor
    from tui_latent.verdict import Door


@dataclass
class RunRequested(Message):
    """Open the dashboard of a run, or the page of a sweep."""

    path: Path
    over: bool = False
    """whether to come back to this screen afterwards, instead of the menu"""


@dataclass
class TrainRequested(Message):
    """Create a run of a preset and train it."""

    preset_name: str
    preset: Preset
    name: str | None = None
    """of the run; None names it by the time"""
    background: bool = False
    """whether to train it in a process of its own"""


@dataclass
class ResumeRequested(Message):
    """Resume a run from its last checkpoint."""

    path: Path
    background: bool = False


@dataclass
class QueueStartRequested(Message):
    """Start the process that works on the queue, unless there is one."""

    folder: Path


@dataclass
class LabelsRequested(Message):
    """Ask for the name, the tags and the notes of a run."""

    path: Path


@dataclass
class ChoiceKept(Message):
    """Remember a choice made on a screen, for one run or for the program."""

    name: str
    value: Any
    path: Path | None = None
    """the run that it concerns; None for all"""


@dataclass
class EditRequested(Message):
    """Change the settings of a live run, or start a new run with others."""

    path: Path


@dataclass
class UndoRequested(Message):
    """Undo the newest change of a run's settings."""

    path: Path


@dataclass
class ForkRequested(Message):
    """Start a new run from a checkpoint of a run."""

    path: Path
    step: int | None = None
    """of the evaluation shown; None for the newest"""


@dataclass
class SettingsRequested(Message):
    """Edit a preset before it is trained."""

    preset_name: str
    table: Mapping[str, Any]
    """the preset's file"""
    preset: Preset
    whose: str = "preset"
    """`run` if the settings are those of a run, which may differ from its preset's"""


@dataclass
class PresetSaveRequested(Message):
    """Save a preset."""

    folder: Path
    name: str
    table: Mapping[str, Any]
    replace: bool
    """whether a file of that name may be replaced; the screen has asked"""
    saved: Callable[[], None]
    """called once the file is written"""


@dataclass
class PresetImagesRequested(Message):
    """Show the images as a run of a preset would see them."""

    preset_name: str
    preset: Preset


@dataclass
class ViewerRequested(Message):
    """Show the images of a run."""

    path: Path
    index: int = 0
    """held-out image to begin with"""
    page: str = ""
    """page to begin with; empty for the first with something to show"""


@dataclass
class ExplorerRequested(Message):
    """Explore the map of a run."""

    path: Path
    cursor: TimeCursor
    """evaluation to show; moving it moves the caller's too"""
    pair: tuple[int, int] | None = None
    """true class and the one it is taken for: shown alone, with the confused images marked"""
    only: int | None = None
    """class to show alone"""
    cluster_of: int | None = None
    """position of a held-out image whose cluster is shown alone, in the colours of clusters"""


@dataclass
class EvaluationRequested(Message):
    """Show the evaluation of a run."""

    path: Path


@dataclass
class DoorRequested(Message):
    """Show the evidence of a finding: the dashboard shows its own panels, the app opens screens."""

    path: Path
    door: Door
    cursor: TimeCursor


@dataclass
class ComparisonRequested(Message):
    """Compare runs."""

    paths: Sequence[Path]


@dataclass
class SweepReportRequested(Message):
    """Export the report of a sweep."""

    path: Path
    metric: str | None = None
    """to rank by; None for the sweep's own"""


@dataclass
class ReportRequested(Message):
    """Export the report of a run."""

    path: Path


@dataclass
class PointsExportRequested(Message):
    """Export the points of a run's map at a step, those that match conditions."""

    path: Path
    step: int
    where: str = ""


@dataclass
class ComparisonExportRequested(Message):
    """Export the comparison of runs."""

    paths: Sequence[Path]
