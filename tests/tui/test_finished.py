from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tui_latent.runs.schema import Curve, RunSnapshot, Status
from tui_latent.tui.finished import finished_words


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
    assert words.endswith("Next: l the map, t its evaluation, f5 a report.")
