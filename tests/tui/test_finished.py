from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tui_latent.config.presets import load_preset
from tui_latent.runs.reader import RunReader
from tui_latent.runs.run_list import list_runs
from tui_latent.runs.schema import Curve, RunSnapshot, Status
from tui_latent.runs.writer import RunWriter
from tui_latent.tui.expected_time import ExpectedTime
from tui_latent.tui.finished import finished_words, what_was_expected


def run(right: int, expect: Mapping[str, float]) -> RunSnapshot:
    """Return a finished run with so many of 10,000 held-out images right."""
    one, share = np.ones(1), right / 10_000
    curve = Curve(one, one, one * share, one * share, one * share, last=share, best=share)
    confusion = np.array([[right // 2, 5_000 - right // 2], [5_000 - right // 2, right // 2]])
    return RunSnapshot(
        Path("r"),
        {"expect": expect},
        status=Status("finished", seconds=38.0),
        curves={"val/knn_20": curve},
        confusion=confusion,
    )


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (9_690, "Good: kNN@20 0.969, the preset promises 0.967."),
        (9_660, "As promised, within noise: kNN@20 0.966, promised 0.967."),
        (9_300, "Below the promise: kNN@20 0.930, the preset promises 0.967."),
    ],
)
def test_the_end_says_whether_the_promise_was_kept(right: int, words: str) -> None:
    said = finished_words(run(right, {"val/knn_20": 0.967}), {})
    assert said.startswith(f"Finished in 38 s. {words}"), said


def test_a_preset_without_a_promise_is_finished_all_the_same() -> None:
    words = finished_words(run(9_000, {}), {"run.report": "f5"})
    assert words.startswith("Finished in 38 s. ")
    assert words.endswith("Next: l opens the map, t the evaluation and f5 writes a report.")


def test_the_end_says_how_long_it_was_expected_to_take() -> None:
    words = finished_words(run(9_000, {}), {}, ExpectedTime(120, "measured on a CPU"))
    assert words.startswith("Finished in 38 s; 2 min were expected. ")


def finished(runs: Path, seconds: float, created: float) -> Path:
    """Make a finished run of the same preset as the others."""
    preset = load_preset("digits-contrastive-2d")
    about = {"preset": "digits-contrastive-2d", "created": created}
    table = preset.model_dump(mode="json")
    writer = RunWriter.create(runs, "digits-contrastive-2d", table, about)
    epochs = sum(stage.epochs for stage in preset.training_stages())
    ended = {"state": "finished", "host": platform.node(), "device": "cpu"}
    writer.status(**ended, seconds=seconds, total_epochs=epochs)
    writer.close()
    return writer.path


def test_what_was_expected_of_a_run_comes_from_the_runs_before_it(tmp_path: Path) -> None:
    for seconds, created in ((50.0, 1.0), (90.0, 3.0)):
        finished(tmp_path, seconds, created)
    path = finished(tmp_path, 70.0, 2.0)
    found = what_was_expected(RunReader(path).refresh(), list_runs(tmp_path))
    assert found == ExpectedTime(50.0, "like an earlier run here")
