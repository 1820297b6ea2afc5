"""A key pressed ten times shows one notice, in which no name breaks in the middle of a word."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.notifications import Notification
from textual.widgets._toast import Toast

from tests.tui.pilots import MenulessApp, until
from tui_latent.tui.notices import RATE_TITLE, outdated


def test_the_same_words_and_the_rate_take_the_place_of_earlier_ones() -> None:
    saved = Notification("Saving a checkpoint")
    other = Notification("Deleted a run")
    rate = Notification("lr 1e-3 → 2e-3", RATE_TITLE)
    shown = [saved, other, rate]
    assert outdated(shown, Notification("Saving a checkpoint")) == [saved]
    assert outdated(shown, Notification("lr 2e-3 → 4e-3", RATE_TITLE)) == [rate]
    assert outdated(shown, Notification("Saving a checkpoint", "Failed")) == []


NAMES = (
    "20261126-091500-digits-contrastive-2d",
    "20261126-091500-mnist-vicreg-with-a-name-that-somebody-made-longer-than-a-line",
    "/home/somebody/experiments/runs/20261126-091500-digits-vicreg-2d/reports/step-0000720.png",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_a_name_breaks_only_between_its_parts(
    tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    app = MenulessApp(tmp_path)
    async with app.run_test(size=size, notifications=True) as pilot:
        app.notify(f"{name} is archived. A shows it, a brings it back.", markup=False)
        await until(pilot, lambda: bool(app.screen.query(Toast)))
        toast = app.screen.query_one(Toast)
        await until(pilot, lambda: toast.size.height > 0)
        lines = [strip.text for strip in toast.render_lines(toast.outer_size.region)]
    written = [line.strip("▌█ ") for line in lines]
    shown = "".join(f"{line}" if line[-1:] in "/-_." else f"{line} " for line in written if line)
    assert shown.strip() == f"{name} is archived. A shows it, a brings it back.", written
