"""Watching a Trainer of transformers.

The callback is called by transformers' own handler. The tests of a whole training need accelerate,
without which there is no Trainer.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install 'tui-latent[transformers]'"
)

from transformers import TrainerControl, TrainerState
from transformers.trainer_callback import CallbackHandler, DefaultFlowCallback

import tui_latent
from tests.waiting import until
from tui_latent.integrations.transformers import WatchLatents
from tui_latent.loading import LoadedRun
from tui_latent.runs.control import request

needs_trainer = pytest.mark.skipif(
    importlib.util.find_spec("accelerate") is None,
    reason="accelerate is not installed: pip install 'tui-latent[transformers]'",
)

IMAGES = torch.rand(40, 6, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(40) % 4
ARGS: Any = SimpleNamespace(world_size=1, device=torch.device("cpu"))
ROOT = Path(__file__).parents[2]


class Loop:
    """The events of a Trainer, in its order, handed on by transformers."""

    def __init__(self, callback: WatchLatents, steps: int) -> None:
        self.model = nn.Linear(6, 3)
        callbacks = [DefaultFlowCallback(), callback]
        self.handler = CallbackHandler(callbacks, self.model, None, None, None)
        rows = zip(IMAGES.split(16), LABELS.split(16), strict=True)
        self.handler.eval_dataloader = [{"pixels": x, "labels": y} for x, y in rows]
        self.state = TrainerState(max_steps=steps, num_train_epochs=1)
        self.control = TrainerControl()

    def begin(self) -> None:
        self._call("on_train_begin")

    def step(self, **logs: float) -> None:
        self.state.global_step += 1
        self.state.epoch = self.state.global_step / self.state.max_steps
        self._call("on_step_end")
        if logs:
            self._call("on_log", logs={**logs, "epoch": self.state.epoch})

    def evaluate(self) -> None:
        found = {"eval_loss": 0.5, "eval_runtime": 3.0, "epoch": 1.0}
        self._call("on_log", logs=found)
        self._call("on_evaluate", metrics=found)

    def end(self) -> None:
        self._call("on_log", logs={"train_runtime": 9.0, "train_loss": 7.0})
        self._call("on_train_end")

    def _call(self, event: str, **more: Any) -> None:
        options = {"logging_strategy": "no", "eval_strategy": "no", "save_strategy": "no"}
        args = SimpleNamespace(**vars(ARGS), **options, logging_first_step=False)
        handle = getattr(self.handler, event)
        self.control = handle(args, self.state, self.control, **more)


def embed(model: nn.Module, batch: Any) -> Tensor:
    z: Tensor = model(batch["pixels"])
    return z


def loaded(runs: Path) -> LoadedRun:
    return tui_latent.load("theirs", runs=runs)


def test_what_is_logged_and_the_latents_of_evaluations_are_recorded(tmp_path: Path) -> None:
    loop = Loop(WatchLatents("theirs", embed, runs=tmp_path), steps=2)
    loop.begin()
    loop.step(loss=3.0, grad_norm=1.0)
    loop.step(loss=2.0)
    loop.evaluate()
    assert loop.model.training
    with torch.no_grad():
        expected = loop.model(IMAGES)
    loop.end()
    run = loaded(tmp_path)
    assert (run.status.state, run.status.total_steps) == ("finished", 2)
    assert run.curves["train/loss"].values.tolist() == [3.0, 2.0]
    assert run.curves["val/loss"].steps.tolist() == [2]
    recorded = {"train/loss", "train/grad_norm", "val/loss"}
    assert {n for n in run.curves if n.startswith(("train/", "val/loss"))} == recorded
    np.testing.assert_allclose(run.latents.queries, expected.numpy(), atol=1e-6)
    np.testing.assert_array_equal(run.latents.query_labels, LABELS)


def test_labels_that_are_not_one_class_a_row_are_left_out(tmp_path: Path) -> None:
    loop = Loop(WatchLatents("theirs", embed, runs=tmp_path), steps=1)
    for batch in loop.handler.eval_dataloader:
        batch["labels"] = torch.zeros(len(batch["pixels"]), 7, dtype=torch.int64)
    loop.begin()
    loop.step()
    loop.evaluate()
    loop.end()
    run = loaded(tmp_path)
    assert set(run.latents.query_labels.tolist()) == {-1} and run.class_names == ()


def test_a_dashboard_stops_the_training_and_asks_for_a_checkpoint(tmp_path: Path) -> None:
    loop = Loop(WatchLatents("theirs", embed, runs=tmp_path), steps=10**6)
    loop.begin()
    loop.step()
    assert not loop.control.should_save and not loop.control.should_training_stop
    request(tmp_path / "theirs", checkpoint=True)

    def asked(flag: str) -> bool:
        loop.step()
        return bool(getattr(loop.control, flag))

    until(lambda: asked("should_save"))
    loop._call("on_save")
    loop.step()
    assert not loop.control.should_save
    request(tmp_path / "theirs", state="stop")
    until(lambda: asked("should_training_stop"))
    loop.end()
    status = loaded(tmp_path).status
    assert status.state == "stopped" and status.checkpoint_step is not None


WHOLE = """
import sys
import torch
from torch import nn
from transformers import Trainer, TrainerCallback, TrainingArguments
from tui_latent.integrations.transformers import WatchLatents

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(6, 3), nn.Linear(3, 4)
    def forward(self, pixels, labels=None):
        logits = self.head(self.body(pixels))
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

class Fails(TrainerCallback):
    def on_step_end(self, args, state, control, **_):
        if state.global_step == 15 and "fail" in sys.argv:
            raise ArithmeticError("the loss is odd")

torch.manual_seed(0)
data = [{"pixels": torch.rand(6), "labels": row % 4} for row in range(80)]
args = TrainingArguments(
    output_dir=sys.argv[1] + "/out", num_train_epochs=2, per_device_train_batch_size=8,
    eval_strategy="epoch", logging_steps=2, report_to=[], use_cpu=True, save_strategy="no",
)
watching = WatchLatents("theirs", lambda m, b: m.body(b["pixels"]), runs=sys.argv[1])
Trainer(Model(), args, train_dataset=data, eval_dataset=data, callbacks=[watching, Fails()]).train()
"""


def train(runs: Path, *words: str) -> int:
    command = [sys.executable, "-c", WHOLE, str(runs), *words]
    return subprocess.run(command, capture_output=True, cwd=ROOT, check=False).returncode


@needs_trainer
@pytest.mark.slow
def test_a_whole_training_is_watched(tmp_path: Path) -> None:
    assert train(tmp_path) == 0
    run = loaded(tmp_path)
    assert (run.status.state, run.status.step, run.map_steps) == ("finished", 20, (10, 20))
    assert run.curves["train/loss"].steps.tolist() == list(range(2, 21, 2))
    assert run.curves["val/loss"].steps.tolist() == [10, 20]
    assert run.latents.query_labels.tolist() == [row % 4 for row in range(80)]


@needs_trainer
@pytest.mark.slow
def test_a_training_that_raises_is_shown_as_failed(tmp_path: Path) -> None:
    assert train(tmp_path, "fail") == 1
    status = loaded(tmp_path).status
    assert status.state == "failed"
    assert status.error is not None and "the loss is odd" in status.error


def test_without_transformers_the_error_says_how_to_install_it() -> None:
    code = (
        "import sys; sys.modules['transformers'] = None\n"
        "import tui_latent.integrations.transformers"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 1
    assert "pip install 'tui-latent[transformers]'" in result.stderr
