"""Methods without a network: one fit instead of steps, the same run folder."""

from __future__ import annotations

from pathlib import Path

import torch

from tui_latent.config.settings import Preset
from tui_latent.datasets.sources import load_dataset
from tui_latent.methods import METHODS
from tui_latent.runs.missing import missing_lines
from tui_latent.runs.schema import State
from tui_latent.runs.writer import RunWriter
from tui_latent.trained_on import ImageCheck
from tui_latent.training.checkpoint import Saved, save_checkpoint, state_bytes
from tui_latent.training.device import choose_device, use_device
from tui_latent.training.evaluator import Evaluator
from tui_latent.training.latent_writer import LatentWriter
from tui_latent.training.loading import load_unless_stopped, looking_meanwhile
from tui_latent.training.retrying_writes import RetryingWriter
from tui_latent.training.run_control import RunControl, StopRequested, Stopwatch


def fit_run(path: Path, preset: Preset, writer: RunWriter) -> State:
    """Fit the method to all training images at once, evaluate and save; on the CPU.

    Only features of pretrained networks are computed on the preset's device.
    """
    stopwatch = Stopwatch(0.0)
    writer.status(device="cpu", phase=f"loading {preset.data.source}", total_steps=1)
    device = choose_device(preset.train.device, writer.log)
    use_device(device)
    if device.type == "cuda":
        writer.log(f"{preset.method.name} is fitted on the CPU; {device} computes features only")
    images = ImageCheck(path, writer.log)
    dataset = load_unless_stopped(
        writer,
        lambda log, poll: load_dataset(
            preset.data, preset.train.seed, log, device, images.compare, poll
        ),
    )
    torch.manual_seed(preset.train.seed)
    method = METHODS[preset.method.name](preset.method, dataset.input_shape)
    control = RunControl(path, writer, stopwatch, save=lambda: None)
    writer.status(state="running", phase="fitting")
    try:
        inputs = dataset.inputs(dataset.train, torch.arange(len(dataset.train)))
        looking_meanwhile(lambda: method.fit(inputs), control.poll)
        writer.status(phase="evaluating")
        evaluator = Evaluator(dataset, None, preset.train.batch_size, control.poll)
        evaluation = evaluator.evaluate(method, lambda: torch.autocast("cpu", enabled=False))
    except StopRequested:
        return "stopped"
    seconds, folder = stopwatch.seconds, path / "checkpoints"
    state = {
        "step": 1,
        "stage": 0,
        "input_shape": list(dataset.input_shape),
        "method": method.state_dict(),
        "seconds": seconds,
    }
    needed = state_bytes([state, evaluation.bank, evaluation.queries])

    def write() -> Saved:
        images.note(0)  # everything is fitted anew: nothing of other images is left
        writer.metrics(1, 1.0, seconds, evaluation.metrics)
        LatentWriter(writer, dataset).write(1, evaluation)
        return save_checkpoint(folder, state, best=True)

    saved = RetryingWriter(path, writer, stopwatch).write(folder, needed, write)
    writer.status(step=1, epoch=1.0, seconds=seconds, checkpoint_step=saved.step)
    writer.log("fitted: " + ", ".join(f"{k} {v:.4g}" for k, v in evaluation.metrics.items()))
    for line in missing_lines(evaluation.missing):
        writer.log(f"missing: {line}")
    return "finished"
