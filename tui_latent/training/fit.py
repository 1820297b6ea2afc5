"""Methods without a network: one fit instead of steps, the same run folder."""

from __future__ import annotations

from pathlib import Path

import torch

from tui_latent.data.sources import load_dataset
from tui_latent.methods import METHODS
from tui_latent.records.schema import State
from tui_latent.records.writer import RunWriter
from tui_latent.settings import Preset
from tui_latent.training.checkpoint import save_checkpoint
from tui_latent.training.control import RunControl, StopRequested, Stopwatch
from tui_latent.training.evaluator import Evaluator
from tui_latent.training.latent_files import LatentFiles


def fit_run(path: Path, preset: Preset, writer: RunWriter) -> State:
    """Fit the method to all training images at once, evaluate and save; on the CPU."""
    stopwatch = Stopwatch(0.0)
    writer.status(device="cpu", phase=f"loading {preset.data.source}", total_steps=1)
    dataset = load_dataset(preset.data, preset.train.seed, writer.log)
    torch.manual_seed(preset.train.seed)
    method = METHODS[preset.method.name](preset.method, dataset.input_shape)
    control = RunControl(path, writer, stopwatch, save=lambda: None)
    writer.status(state="running", phase="fitting")
    try:
        method.fit(dataset.inputs(dataset.train, torch.arange(len(dataset.train))))
        writer.status(phase="evaluating")
        evaluator = Evaluator(dataset, None, preset.train.batch_size, control.look)
        evaluation = evaluator.evaluate(method, lambda: torch.autocast("cpu", enabled=False))
    except StopRequested:
        return "stopped"
    seconds = stopwatch.seconds
    writer.metrics(1, 1.0, seconds, evaluation.metrics)
    LatentFiles(writer, dataset).write(1, evaluation)
    state = {
        "step": 1,
        "stage": 0,
        "input_shape": list(dataset.input_shape),
        "method": method.state_dict(),
        "seconds": seconds,
    }
    saved = save_checkpoint(path / "checkpoints", state, best=True)
    writer.status(step=1, epoch=1.0, seconds=seconds, checkpoint_step=saved.step)
    writer.log("fitted: " + ", ".join(f"{k} {v:.4g}" for k, v in evaluation.metrics.items()))
    return "finished"
