"""Latents of a loop, through the process that measures them."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from tests.waiting import until
from tests.watching.conftest import Watch, logged, read
from tui_latent.runs.events import read_events
from tui_latent.runs.thumbnails import read_thumbnails
from tui_latent.watching.tensors import labels_of, latents_of

RANDOM = np.random.default_rng(0)
Z = RANDOM.normal(size=(40, 6)).astype(np.float32)
Y = np.arange(40) % 3


def test_an_evaluation_appears_beside_later_records(watch: Watch) -> None:
    run = watch(classes=["cat", "dog", "owl"])
    for step in range(5):
        run.log(step, loss=float(step))
        if step == 2:
            z = torch.tensor(Z, requires_grad=True)
            run.latents(step, z, torch.tensor(Y), Z + 0.01, Y)
            with torch.no_grad():
                z.zero_()  # the run has its own copy
    until(lambda: read(run.path).map_steps == (2,))
    run.log(5, loss=5.0)
    run.close()
    found = read(run.path)
    assert found.map is not None
    assert found.class_names == ("cat", "dog", "owl")
    assert found.map.labels.tolist() == Y.tolist()
    assert found.curves["val/knn_1"].last == 1.0
    assert found.curves["train/loss"].steps.tolist() == list(range(6))
    assert found.status.best_knn_20 is not None
    kept = load_file(run.path / "latents" / "last.safetensors")
    assert np.array_equal(kept["query_latents"], Z)
    assert not list((run.path / "latents").glob("*.tmp"))


def test_a_training_shorter_than_the_start_of_the_process_keeps_all_evaluations(
    watch: Watch,
) -> None:
    run = watch()
    for step in range(1, 9):
        run.log(step, loss=1.0)
        run.latents(step, Z, Y)
    run.close()
    found = read(run.path)
    assert found.map_steps == tuple(range(1, 9))
    assert found.status.skipped == 0


def test_beyond_a_bound_the_oldest_latents_make_room(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_latent.watching.measuring.MOST_BYTES", 3 * Z.nbytes)
    run = watch()
    for step in range(1, 9):
        run.latents(step, Z)
    run.close()
    found = read(run.path)
    assert found.map_steps[-3:] == (6, 7, 8)
    assert 3 <= len(found.map_steps) <= 4, "one more may have been taken up at once"
    assert found.status.skipped == 8 - len(found.map_steps)


def test_what_a_loop_does_to_its_latents_is_reported(watch: Watch) -> None:
    """One run, because each starts a process: other dimensions, going back, not finite, dying."""
    run = watch()

    def evaluated(step: int, latents: Any, *labels: Any) -> None:
        run.log(step, loss=1.0)
        run.latents(step, latents, *labels)
        until(lambda: f"step {step:,}: " in logged(run.path))

    evaluated(100, Z, Y)
    evaluated(200, Z[:, :1], Y)
    until(lambda: [event.kind for event in read_events(run.path)] == ["stage"])
    assert "have 1 dimension from" in read_events(run.path)[0].text

    evaluated(300, np.full_like(Z, np.nan), Y)
    assert "the latents of 40 of 40 held-out images are not finite" in logged(run.path)
    until(lambda: read(run.path).status.step == 300)
    assert read(run.path).map_steps == (100, 200)

    worker = run._measure.__self__._process._process  # type: ignore[attr-defined]
    os.kill(worker.pid, signal.SIGKILL)
    evaluated(400, np.ones_like(Z))
    until(lambda: "collapse" in [event.kind for event in read_events(run.path)])
    found = read(run.path)
    assert found.map_steps == (100, 200, 400)
    assert found.class_names == ()  # of an evaluation without labels

    evaluated(150, Z)  # the loop went back
    until(lambda: read(run.path).map_steps == (100, 150))
    until(lambda: [event.kind for event in read_events(run.path)] == ["resume"])
    run.latents(20, Z)  # and again, without a record
    until(lambda: read(run.path).map_steps == (20,))
    run.close()
    assert read(run.path).curves["latent/effective_rank"].steps.tolist() == [20]


def test_latents_of_other_shapes_are_refused_at_once(watch: Watch) -> None:
    run = watch(classes=["a", "b", "c"])

    def wrong(*given: Any, **named: Any) -> str:
        with pytest.raises(ValueError) as caught:
            run.latents(0, *given, **named)
        return str(caught.value)

    assert "one label for each of the 40 latents" in wrong(Z, Y[:39])
    assert "(N, D)" in wrong(Z[0])
    assert "(N, D)" in wrong(Z[:0])
    assert "(N, D)" in wrong([[1.0], [1.0, 2.0]])
    assert "6 dimensions and the bank has 5" in wrong(Z, Y, Z[:, :5])
    assert "without a bank" in wrong(Z, bank_labels=Y)
    assert "has 7, but there are names for 3 classes" in wrong(Z, Y + 5)
    assert "only -1" in wrong(Z, Y - 3)
    assert "whole numbers" in wrong(Z, Y / 2)
    assert "whole number" in wrong(Z, [str(label) for label in Y])
    assert "complex numbers" in wrong(Z.astype(complex))
    assert not (run.path / "latents").exists()


def test_numbers_beyond_float32_become_infinite_without_a_warning(
    recwarn: pytest.WarningsRecorder,
) -> None:
    assert np.isinf(latents_of("queries", np.array([[1e300, 1.0]]))).any()
    assert not recwarn.list


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_latents_of_any_type_become_float32(dtype: torch.dtype) -> None:
    z = torch.tensor(Z).to(dtype)
    assert np.array_equal(latents_of("queries", z), z.float().numpy())
    assert labels_of("labels", torch.tensor(Y), 40, None).dtype == np.int64
    assert labels_of("labels", Y.tolist(), 40, 3).tolist() == Y.tolist()


@pytest.mark.parametrize("kind", ["array", "channels first", "files", "function", "tensor"])
def test_images_are_kept_beside_the_latents(watch: Watch, tmp_path: Path, kind: str) -> None:
    from PIL import Image

    images = RANDOM.integers(0, 256, (40, 10, 10, 3), dtype=np.uint8)
    given: Any = images
    if kind == "channels first":
        given = np.moveaxis(images, -1, 1)
    elif kind == "files":
        given = [tmp_path / f"{row}.png" for row in range(40)]
        for path, image in zip(given, images, strict=True):
            Image.fromarray(image).save(path)
    elif kind == "function":
        given = lambda rows: images[rows]  # noqa: E731
    elif kind == "tensor":
        given = torch.tensor(images)
    run = watch(thumbnails=given, bank_thumbnails=images[:5])
    run._pictures.know("val", 40)
    run.close()
    kept, train = read_thumbnails(run.path, "val"), read_thumbnails(run.path, "train")
    assert kept is not None
    assert train is not None
    assert np.array_equal(kept, np.moveaxis(images, -1, 1))
    assert len(train) == 5
    assert "thumbnails of 40 held-out images" in logged(run.path)


def test_images_that_cannot_be_kept_do_not_end_the_loop(watch: Watch) -> None:
    def broken(rows: Any) -> Any:
        raise RuntimeError("the file is closed")

    run = watch(thumbnails=broken, bank_thumbnails=["/nowhere.png"])
    run._pictures.know("val", 40)
    run.log(0, loss=1.0)
    run.close()
    assert "the file is closed" in logged(run.path)
    assert "could not be read: /nowhere.png" in logged(run.path)
    assert read(run.path).status.state == "finished"
