"""An evaluation on a GPU: how much at once, and how often the host waits for it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.training.conftest import MakeRun
from tui_latent.config.presets import load_run_preset
from tui_latent.runs.writer import RunWriter
from tui_latent.training.evaluator import CHUNK, CHUNK_ON_GPU
from tui_latent.training.run import TrainingRun


class Waits(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the numbers that are read off the device one by one."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func.overloadpacket.__name__ in ("_local_scalar_dense", "is_nonzero")
        return func(*args, **(kwargs or {}))


def run_of(make_run: MakeRun, **changes: object) -> TrainingRun:
    path = make_run(**changes)
    return TrainingRun(path, load_run_preset(path), RunWriter.reopen(path))


def test_figures_of_an_evaluation_come_off_the_device_together(make_run: MakeRun) -> None:
    run = run_of(make_run)
    evaluate: Any = type(run.evaluator).evaluate
    # Without its inference mode, in which torch shows no mode what is read.
    with torch.no_grad(), Waits() as waits:
        evaluation = evaluate.__wrapped__(run.evaluator, run.loop.method, run.loop.autocast)
    assert waits.count == 0
    expected = ("val/loss", "val/knn_20", "latent/effective_rank", "latent/alignment")
    assert all(type(evaluation.metrics[name]) is float for name in expected)


@pytest.mark.parametrize(
    ("free", "shape", "images"),
    [
        (70 * 2**30, (1, 28, 28), CHUNK_ON_GPU),
        (6 * 2**30, (3, 32, 32), 1536),  # a quarter of 6 GiB, at 1 MiB an image
        (6 * 2**30, (3, 64, 64), 384),
        (2**20, (3, 64, 64), 64),
        (2**30, (512,), CHUNK_ON_GPU),
    ],
)
def test_a_gpu_embeds_as_many_images_at_once_as_fit(
    make_run: MakeRun,
    monkeypatch: pytest.MonkeyPatch,
    free: int,
    shape: tuple[int, ...],
    images: int,
) -> None:
    evaluator = run_of(make_run).evaluator
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda _: (free, 2 * free))
    for name in ("reserved", "allocated"):
        monkeypatch.setattr(f"torch.cuda.memory_{name}", lambda _: 0)
    monkeypatch.setattr(type(evaluator._dataset), "input_shape", shape)
    assert evaluator._chunk(torch.device("cuda", 0)) == images
    assert evaluator._chunk(torch.device("cpu")) == CHUNK
