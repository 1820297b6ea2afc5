from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tui_latent.runs.schema import Curve, RunSnapshot, Status
from tui_latent.tui.finished import finished_words, promise_words


def run(newest: float, best: float, expect: Mapping[str, float]) -> RunSnapshot:
    one = np.ones(1)
    curve = Curve(one, one, one * newest, one, one, last=newest, best=best)
    status = Status("finished", seconds=38.0)
    return RunSnapshot(Path("r"), {"expect": expect}, status=status, curves={"val/knn_20": curve})


@pytest.mark.parametrize(
    ("newest", "words"),
    [
        (0.969, "kNN@20 .969 newest, .975 best: as promised (.967)."),
        (0.9625, "kNN@20 .963 newest, .975 best: as promised (.967)."),
        (0.93, "kNN@20 .930 newest, .975 best: below what the preset promises (.967)."),
    ],
)
def test_the_promise_is_compared_with_the_newest_figure(newest: float, words: str) -> None:
    assert promise_words(run(newest, 0.975, {"val/knn_20": 0.967})) == words


def test_a_preset_without_a_promise_is_finished_all_the_same() -> None:
    words = finished_words(run(0.9, 0.9, {}), {"run.report": "f5"})
    assert words == "Finished in 38 s. Next: l the map, t its tests, f5 a report."
