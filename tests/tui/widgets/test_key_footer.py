"""The footer shows a screen's keys as they are now, and keeps none of those before."""

from __future__ import annotations

import gc
from pathlib import Path

from textual.widgets._footer import FooterKey

from tests.tui.made_runs import trained_run
from tests.tui.pilots import MenulessApp, all_drawn, until
from tui_latent.tui.screens.dashboard.screen import DashboardScreen
from tui_latent.tui.widgets.key_footer import KeyFooter


def labels(screen: DashboardScreen) -> set[str]:
    return {key.description for key in screen.query_one(KeyFooter).query(FooterKey)}


def keys_in_memory() -> int:
    gc.collect()
    return sum(type(each) is FooterKey for each in gc.get_objects())


async def test_moving_the_focus_makes_no_keys_and_keeps_none(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    async with MenulessApp(tmp_path, open_path=writer.path).run_test(size=(120, 40)) as pilot:
        screen = await all_drawn(pilot)
        await until(pilot, lambda: "Pause" in labels(screen))
        before = keys_in_memory()
        shown = set(screen.query_one(KeyFooter).query(FooterKey))
        for _ in range(12):
            await pilot.press("tab")
        assert set(screen.query_one(KeyFooter).query(FooterKey)) == shown
        assert keys_in_memory() == before
        for state, offered in (("stopped", "Resume"), ("running", "Pause")) * 4:
            writer.status(state=state)
            await until(pilot, lambda offered=offered: offered in labels(screen))  # type: ignore[misc]
        assert keys_in_memory() <= before + 2 * len(shown), "of nine sets at most the last three"
    writer.close()
