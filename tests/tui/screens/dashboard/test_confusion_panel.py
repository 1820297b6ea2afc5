"""Classes found and mixed, as lines of text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.tui.made_runs import trained_run
from tests.tui.pilots import MenulessApp, all_drawn, panel_text, until
from tui_latent.tui.screens.dashboard.confusion_panel import class_strips

COUNTS = np.array([[90, 10, 0], [3, 97, 0], [0, 0, 50]])


def lines(confusion: NDArray[np.int64], width: int = 38, height: int = 20) -> list[str]:
    strips = class_strips(confusion, ("cat", "[red]", "熊猫"), width, height, True)
    assert all(strip.cell_length == width for strip in strips)
    return [strip.text.rstrip() for strip in strips]


def test_the_worst_class_and_the_most_frequent_mistake_come_first() -> None:
    text = lines(COUNTS)
    assert text[0].startswith(" ● cat   .900 ━")
    assert text[1].startswith(" ● [red] .970 ━")
    assert text[2].startswith(" ● 熊猫  1.00 ━")
    assert text[4] == " most confused"
    assert text[5].split() == ["●", "cat", "→", "●", "[red]", "10", "10", "%"]
    assert text[6].split() == ["●", "[red]", "→", "●", "cat", "3", "3", "%"]
    assert len(text) == 7


def test_without_a_mistake_it_says_so() -> None:
    assert lines(np.diag([5, 5, 5]))[-1] == " no image is misclassified"


def test_a_class_without_images_is_left_out() -> None:
    assert not any("cat" in line for line in lines(np.diag([0, 5, 5])))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (10, 3), (38, 4), (90, 50)])
def test_it_fits_any_panel(width: int, height: int) -> None:
    assert len(lines(COUNTS, width, height)) <= height


@pytest.mark.slow
async def test_it_has_a_column_from_150_columns_on(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=(150, 40)) as pilot:
        screen = await all_drawn(pilot)
        await until(pilot, lambda: "most confused" in panel_text(screen, "confusion"))
        screen.query_one("#confusion").focus()
        await pilot.press("f")
        await until(pilot, lambda: screen.query_one("#confusion").size.width == 148)
        await pilot.press("f")
        await pilot.resize_terminal(149, 40)
        await until(pilot, lambda: not screen.query_one("#confusion").region.area)
    writer.close()
