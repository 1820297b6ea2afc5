"""Watching a training of Lightning, with the real package and a real loop."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

pytest.importorskip(
    "lightning", reason="lightning is not installed: pip install 'tui-latent[lightning]'"
)

from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.loggers import CSVLogger

import tui_latent
from tui_latent.integrations.lightning import WatchLatents
from tui_latent.loading import LoadedRun
from tui_latent.runs.control import request

pytestmark = pytest.mark.filterwarnings("ignore")

DIGITS = load_digits()
IMAGES = torch.tensor(DIGITS.images, dtype=torch.float32)[:, None] / 16
LABELS = torch.tensor(DIGITS.target)
VAL = slice(1200, None)


class Digits(LightningModule):
    """A small classifier whose forward pass gives latents, as many modules are."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 3)
        )
        self.head = nn.Linear(3, 10)
        self.as_trained: list[float] = []

    def forward(self, images: Tensor) -> Tensor:
        z: Tensor = self.encoder(images)
        return z

    def training_step(self, batch: Any, _: int) -> Tensor:
        loss = nn.functional.cross_entropy(self.head(self(batch[0])), batch[1])
        self.as_trained.append(float(loss))
        self.log("train_loss", loss, on_step=True, on_epoch=True, prog_bar=True)
        self.log("norm", self(batch[0]).norm())
        return loss

    def validation_step(self, batch: Any, _: int) -> None:
        logits = self.head(self(batch[0]))
        self.log("val_loss", nn.functional.cross_entropy(logits, batch[1]))
        self.log("accuracy", (logits.argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 0.01)


def fit(runs: Path, *callbacks: Callback, epochs: int = 2, **options: Any) -> Digits:
    """Train for 13 steps an epoch; return the trained module."""
    seed_everything(0, verbose=False)
    module = Digits()
    trainer = Trainer(
        accelerator="cpu", max_epochs=epochs, log_every_n_steps=4, enable_progress_bar=False,
        enable_checkpointing=False, enable_model_summary=False, callbacks=list(callbacks),
        **{"logger": False, **options},
    )  # fmt: skip
    trainer.fit(
        module,
        DataLoader(TensorDataset(IMAGES[:1200], LABELS[:1200]), 96, shuffle=True),
        DataLoader(TensorDataset(IMAGES[VAL], LABELS[VAL]), 100),
    )
    return module


def watched(runs: Path, name: str = "digits") -> LoadedRun:
    return tui_latent.load(name, runs=runs)


def test_the_loss_of_every_step_is_recorded(tmp_path: Path) -> None:
    module = fit(tmp_path, WatchLatents("digits", runs=tmp_path))
    run = watched(tmp_path)
    assert (run.origin, run.status.state) == ("watched", "finished")
    losses = run.curves["train/loss"]
    assert losses.steps.tolist() == list(range(1, 27))
    np.testing.assert_allclose(losses.values, module.as_trained, rtol=1e-6)
    assert (run.status.total_steps, run.status.total_epochs, run.status.epoch) == (26, 2, 2)
    assert run.config == {"width": 16}


def test_metrics_are_those_that_lightnings_own_logger_writes(tmp_path: Path) -> None:
    logger = CSVLogger(tmp_path / "csv")
    fit(tmp_path, WatchLatents("digits", runs=tmp_path), logger=logger)
    file = Path(logger.log_dir) / "metrics.csv"
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    curves = watched(tmp_path).curves
    names = {
        "norm": "train/norm",
        "val_loss": "val/loss",
        "accuracy": "val/accuracy",
        "train_loss_epoch": "train/loss_epoch",
    }
    for theirs, ours in names.items():
        # Lightning counts the steps of a log from 0, its global step from 1.
        expected = [(int(row["step"]) + 1, float(row[theirs])) for row in rows if row[theirs]]
        found = zip(curves[ours].steps.tolist(), curves[ours].values.tolist(), strict=True)
        assert list(found) == [(step, pytest.approx(value)) for step, value in expected]


def test_the_latents_of_each_validation_are_the_modules(tmp_path: Path) -> None:
    module = fit(tmp_path, WatchLatents("digits", runs=tmp_path))
    run = watched(tmp_path)
    with torch.no_grad():
        expected = module.eval()(IMAGES[VAL])
    np.testing.assert_allclose(run.latents.queries, expected.numpy(), atol=1e-5)
    np.testing.assert_array_equal(run.latents.query_labels, LABELS[VAL])
    assert run.map_steps == (13, 26), "the batches that check the module are left out"


def test_embed_says_what_the_latents_and_the_labels_are(tmp_path: Path) -> None:
    def embed(module: LightningModule, batch: Any) -> tuple[Tensor, Tensor]:
        return batch[0].flatten(1)[:, :5], batch[1] % 2

    classes = ("even", "odd")
    fit(tmp_path, WatchLatents("digits", embed, runs=tmp_path, classes=classes), epochs=1)
    run = watched(tmp_path)
    np.testing.assert_allclose(run.latents.queries, IMAGES[VAL].flatten(1)[:, :5])
    np.testing.assert_array_equal(run.latents.query_labels, LABELS[VAL] % 2)
    assert run.class_names == classes


def test_an_embed_that_gives_no_latents_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="embed should return a tensor of latents"):
        fit(tmp_path, WatchLatents("digits", lambda *_: "latents", runs=tmp_path))  # type: ignore[arg-type]
    assert not (tmp_path / "digits").exists()


class AtStep(Callback):
    """Does something once, at step 5."""

    def __init__(self, act: Any) -> None:
        self.act = act

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        if trainer.global_step == 5:
            self.act()


def test_a_dashboard_stops_the_training(tmp_path: Path) -> None:
    watching = WatchLatents("digits", runs=tmp_path)

    def stop() -> None:
        request(tmp_path / "digits", state="stop")

    fit(tmp_path, watching, AtStep(stop), epochs=400)
    run = watched(tmp_path)
    assert run.status.state == "stopped"
    assert 5 <= run.status.step < 400 * 13


def test_an_exception_ends_the_run_as_failed(tmp_path: Path) -> None:
    def fail() -> None:
        raise ArithmeticError("the loss is odd")

    with pytest.raises(ArithmeticError):
        fit(tmp_path, WatchLatents("digits", runs=tmp_path), AtStep(fail))
    run = watched(tmp_path)
    assert run.status.state == "failed"
    assert run.status.error is not None and "the loss is odd" in run.status.error


def test_ctrl_c_ends_the_run_as_stopped(tmp_path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit):
        fit(tmp_path, WatchLatents("digits", runs=tmp_path), AtStep(interrupt))
    assert watched(tmp_path).status.state == "stopped"


def test_a_module_without_logger_keeps_a_harmless_one(tmp_path: Path) -> None:
    class WithPictures(AtStep):
        def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
            if trainer.logger is not None:
                trainer.logger.experiment.add_image("view", None)

    watching = WatchLatents("digits", runs=tmp_path)
    fit(tmp_path, watching, WithPictures(None), epochs=1)
    assert watched(tmp_path).status.state == "finished"


TWO_RANKS = """
from collections.abc import Iterator
from pathlib import Path
import sys
from tests.integrations.test_lightning import WatchLatents, fit
fit(Path(sys.argv[1]), WatchLatents("digits", runs=sys.argv[1]), epochs=1,
    strategy="ddp", devices=2)
"""


@pytest.mark.slow
def test_of_two_ranks_one_records(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    body = TWO_RANKS.replace("fit(Path", "if __name__ == '__main__':\n    fit(Path")
    script.write_text(body)
    command = [sys.executable, str(script), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[2])
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["digits"]
    run = watched(tmp_path)
    steps = math.ceil(1200 / 96 / 2)
    assert run.status.state == "finished"
    assert run.curves["train/loss"].steps.tolist() == list(range(1, steps + 1))
    assert run.preset["watched"]["obeys"] == ["stop"]


def test_without_lightning_the_error_says_how_to_install_it() -> None:
    code = "import sys; sys.modules['lightning'] = None\nimport tui_latent.integrations.lightning"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 1
    assert "pip install 'tui-latent[lightning]'" in result.stderr


class Endless(IterableDataset[Any]):
    """Batches without a known number, as of a stream."""

    def __iter__(self) -> Iterator[Any]:
        return zip(IMAGES[:1200], LABELS[:1200], strict=True)


class Mapped(Digits):
    """A module whose output is a map of features for each image: no latents (N, D)."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images)[:, :, None, None].expand(-1, -1, 2, 2)

    def training_step(self, batch: Any, _: int) -> Tensor:
        loss = nn.functional.mse_loss(self(batch[0]), torch.ones(len(batch[0]), 3, 2, 2))
        self.as_trained.append(float(loss))
        return loss

    def validation_step(self, batch: Any, _: int) -> None:
        self.log("val_loss", self(batch[0]).mean())


def test_a_stream_and_added_up_gradients_are_recorded_and_no_guess_ends_a_training(
    tmp_path: Path,
) -> None:
    seed_everything(0, verbose=False)
    module = Mapped()
    trainer = Trainer(
        accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, accumulate_grad_batches=4,
        callbacks=[WatchLatents("stream", runs=tmp_path)],
    )  # fmt: skip
    held_out = DataLoader(TensorDataset(IMAGES[VAL], LABELS[VAL]), 100)
    trainer.fit(module, DataLoader(Endless(), 100), held_out)
    run = watched(tmp_path, "stream")
    means = [sum(module.as_trained[at : at + 4]) / 4 for at in range(0, 12, 4)]
    np.testing.assert_allclose(run.curves["train/loss"].values, means, rtol=1e-5)
    assert run.curves["train/loss"].steps.tolist() == [1, 2, 3]
    log = (tmp_path / "stream" / "train.log").read_text()
    assert "no latents are recorded" in log and "(100, 3, 2, 2)" in log
