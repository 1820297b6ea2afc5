"""Methods that are fitted in one go instead of trained in steps."""

from __future__ import annotations

from math import prod
from pathlib import Path

import torch

from tui_latent.config.settings import Preset
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.preprocessing import preprocessing_state
from tui_latent.methods import METHODS
from tui_latent.runs.schema import State
from tui_latent.runs.writer import RunWriter
from tui_latent.runtime.limits import memory
from tui_latent.runtime.regular_files import amount
from tui_latent.sources.errors import DataError
from tui_latent.trained_on import IMAGES_FILE
from tui_latent.training.evaluator import Evaluator
from tui_latent.training.loading import load_images, looking_meanwhile
from tui_latent.training.recorder import Recorder
from tui_latent.training.run_control import RunControl, StopRequested, Stopwatch


def fit_run(path: Path, preset: Preset, writer: RunWriter) -> State:
    """Fit the method to all training images at once, evaluate and save; on the CPU.

    Only features of pretrained networks are computed on the preset's device.
    """
    stopwatch = Stopwatch(0.0)
    device, dataset, images = load_images(preset, writer)
    if device.type == "cuda":
        writer.log(f"{preset.method.name} is fitted on the CPU; {device} only computes features")
    torch.manual_seed(preset.train.seed)
    method = METHODS[preset.method.name](preset.method, dataset.input_shape)
    control = RunControl(writer, stopwatch, save=lambda: None)
    writer.status(state="running", phase="fitting", device="cpu", total_steps=1)
    try:
        _refuse_too_large(dataset, preset.method.name)
        inputs = dataset.inputs(dataset.train, torch.arange(len(dataset.train)))
        looking_meanwhile(lambda: method.fit(inputs), control.poll)
        writer.status(phase="evaluating")
        evaluator = Evaluator(dataset, None, preset.train.batch_size, control.poll)
        evaluation = evaluator.evaluate(method, lambda: torch.autocast("cpu", enabled=False))
    except StopRequested:
        return "stopped"
    seconds = stopwatch.seconds
    recorder = Recorder(writer, dataset, stopwatch)
    # Everything is fitted anew: nothing of other images is left.
    recorder.disk.write(path / IMAGES_FILE, 0, lambda: images.note(0))
    recorder.evaluation(1, evaluation)
    state = {
        "step": 1,
        "stage": 0,
        "input_shape": list(dataset.input_shape),
        "preprocessing": preprocessing_state(dataset),
        "method": method.state_dict(),
        "seconds": seconds,
    }
    recorder.checkpoint(state, best=True)
    writer.status(step=1, epoch=1.0, seconds=seconds)
    return "finished"


def _refuse_too_large(dataset: Dataset, method: str) -> None:
    """Raise DataError where the inputs, all at once as float32, are more than the free memory."""
    needed, free = 4 * len(dataset.train) * prod(dataset.input_shape), memory().available
    if needed > free:
        raise DataError(
            f"{dataset.name}: the method '{method}' is fitted to all training images at once, "
            f"which take {amount(needed)}, but only {amount(free)} of memory is free: set a "
            "smaller data.size or a data.per_class, or use a method that trains in steps"
        )
