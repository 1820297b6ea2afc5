from __future__ import annotations

import time

from tui_latent.training.run_control import Stopwatch


def test_rests_are_not_counted_also_one_within_another() -> None:
    stopwatch = Stopwatch(100.0)
    with stopwatch.resting():
        before = stopwatch.seconds
        with stopwatch.resting():
            time.sleep(0.02)
        time.sleep(0.02)
        assert stopwatch.seconds == before
    time.sleep(0.02)
    assert 100.02 <= stopwatch.seconds < before + 5.0
    assert stopwatch.seconds > before + 0.019
