"""A screen that costs too much draws less often."""

from __future__ import annotations

from tui_latent.tui.redraw_rate import RedrawRate


def redraws(pace: RedrawRate, ticks: int) -> int:
    return sum(pace.due() for _ in range(ticks))


def test_it_holds_back_while_the_share_is_large_and_comes_back() -> None:
    pace = RedrawRate()
    assert redraws(pace, 16) == 16
    pace.adjust(0.08)
    assert redraws(pace, 16) == 8
    for _ in range(10):
        pace.adjust(0.2)
    assert redraws(pace, 16) == 2
    pace.adjust(0.03)  # neither too much nor little
    assert redraws(pace, 16) == 2
    for _ in range(3):
        pace.adjust(0.01)
    assert redraws(pace, 16) == 16


def test_a_run_of_another_process_is_drawn_as_ever() -> None:
    pace = RedrawRate()
    pace.adjust(0.5)
    pace.adjust(None)
    assert redraws(pace, 4) == 4
