"""Load images and do other long work, while checking whether the run must stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from tui_latent.config.settings import Preset
from tui_latent.datasets.identity import Places
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.read_ahead import in_order
from tui_latent.datasets.sources import load_dataset
from tui_latent.image_columns import ImageColumns
from tui_latent.nouns import listed
from tui_latent.runs.command_word import command_word
from tui_latent.runs.control import read_request
from tui_latent.runs.image_classes import read_image_classes
from tui_latent.runs.reader import RunReader
from tui_latent.runs.writer import RunWriter
from tui_latent.runtime.sanitize import plain_name
from tui_latent.sources.errors import DataError
from tui_latent.trained_on import ImageCheck
from tui_latent.training.device import choose_device, describe_device, device_of_rank, use_device
from tui_latent.training.ranks import ALONE, Ranks
from tui_latent.training.run_control import StopRequested

_Result = TypeVar("_Result")
_NAMED = 6
"""classes named in a message"""
Log = Callable[[str], None]
Look = Callable[[], None]


def looking_meanwhile(work: Callable[[], _Result], poll: Look) -> _Result:
    """Do one long piece of work in a thread, and call `poll` ten times a second meanwhile.

    What `poll` raises ends the wait: the work is then left to itself, so it must change no file.
    """
    return next(in_order(lambda _: work(), [None], threads=1, ahead=0, poll=poll))


def refuse_if_stopped(path: Path) -> None:
    """Raise StopRequested if the run at `path` has been asked to stop."""
    if read_request(path).state == "stop":
        raise StopRequested


def load_unless_stopped(writer: RunWriter, load: Callable[[Log, Look], Dataset]) -> Dataset:
    """Return what `load` loads; StopRequested once the writer's run is asked to stop.

    `load` gets a `log` and a `poll` to call; once its result is no longer wanted, both raise
    StopRequested in its thread. A thread that hangs in a read is left behind. DataError if the
    classes are not those of the run's latest map; FolderLostError if the folder is no longer the
    run's.
    """
    path = writer.path
    left_behind = threading.Event()

    def poll() -> None:
        if left_behind.is_set():
            raise StopRequested

    def log(line: str) -> None:
        poll()
        writer.log(line)

    def look_for_stop() -> None:
        writer.check_still_mine()
        refuse_if_stopped(path)

    try:
        dataset = looking_meanwhile(lambda: load(log, poll), look_for_stop)
    finally:
        left_behind.set()
    dataset = _with_given_classes(path, dataset)
    _refuse_other_classes(path, dataset)
    return dataset


def load_images(
    preset: Preset, writer: RunWriter, ranks: Ranks = ALONE
) -> tuple[torch.device, Dataset, ImageCheck]:
    """Choose the device of the writer's run and load its images, which stay on the CPU.

    Returns both, and the check that notes in the run which images these are. Raises what
    `load_unless_stopped` raises, and DeviceError if the device cannot be used.
    """
    train = preset.train
    if ranks.several:
        device = device_of_rank(train.device, ranks.local_rank)
    else:
        device = choose_device(train.device, writer.log)
    use_device(device)
    shown = describe_device(device) + (f", {ranks.world} processes" if ranks.several else "")
    writer.status(device=shown, phase=f"loading {preset.data.source}")
    images = ImageCheck(writer.path, writer.log)
    dataset = load_unless_stopped(
        writer,
        lambda log, poll: load_dataset(preset.data, train.seed, log, device, images.compare, poll),
    )
    if note := idle_colours(preset, dataset.train.shape[0]):
        writer.log(note)
    if dataset.train.places is not None and dataset.val.places is not None:
        places = (dataset.train.places, dataset.val.places)
        images.places = Places(*places, dataset.own_test)
    images.columns = ImageColumns(dataset.train.columns, dataset.val.columns)
    return device, dataset, images


def idle_colours(preset: Preset, channels: int) -> str:
    """Return which augmentations change nothing in images with `channels` channels; often none."""
    augment = preset.augment
    jitter = {"saturation": augment.saturation, "hue": augment.hue} if augment.jitter else {}
    chosen = jitter | {"grayscale": augment.grayscale}
    idle = [f"augment.{name}" for name, value in chosen.items() if value]
    if channels == 3 or not idle or preset.data.inputs != "raw":
        return ""
    have = "one channel" if channels == 1 else f"{channels} channels"
    return f"{listed(idle)}: left out, because the images have {have}, not red, green and blue"


def _with_given_classes(path: Path, dataset: Dataset) -> Dataset:
    """Return the dataset with the classes that `tui-latent label` has given its images, if any."""
    given = read_image_classes(path)
    if given is None:
        return dataset
    if (len(given.train), len(given.val)) != (len(dataset.train), len(dataset.val)):
        raise DataError(
            f"{dataset.name}: the images have changed since `tui-latent label` gave them classes: "
            f"restore them, or remove the classes with a CSV file that has only the header "
            f"path,class: tui-latent label {command_word(path)} --csv FILE"
        )
    return dataset.with_classes(given.names, given.train, given.val)


def _refuse_other_classes(path: Path, dataset: Dataset) -> None:
    """Raise DataError where the classes are not those the run was trained on."""
    earlier = RunReader(path).refresh().map
    found = tuple(map(plain_name, dataset.val.class_names))
    if earlier is None or tuple(map(plain_name, earlier.class_names)) == found:
        return
    raise DataError(
        f"{dataset.name}: its classes are now {_listed(found)}, and this run was trained on "
        f"{_listed(earlier.class_names)}: restore the folders, or start a new run"
    )


def _listed(names: tuple[str, ...]) -> str:
    if not names:
        return "none"
    return ", ".join(names[:_NAMED]) + (f", … ({len(names):,})" if len(names) > _NAMED else "")
