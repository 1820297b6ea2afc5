"""What one key does now is what Textual has for it among all keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.made_runs import trained_run
from tests.tui.pilots import MenulessApp, all_drawn
from tui_latent.tui.active_binding import active_binding
from tui_latent.tui.keymap import KEYMAP
from tui_latent.tui.remapping import keys_of


@pytest.mark.slow
async def test_it_is_textuals_binding_of_that_key(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    remapped = {"view.explore": "f7", "run.stop": "f6"}
    app = MenulessApp(tmp_path, open_path=writer.path, keymap=remapped)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await all_drawn(pilot)
        for name in ("#loss", "#log"):
            screen.query_one(name).focus()
            await pilot.pause()
            keys = {
                key for rows in KEYMAP.values() for row in rows for key in keys_of(row, remapped)
            }
            for key in keys | {"f7", "f6", "l", "x", "nonsense"}:
                assert active_binding(key, screen) == screen.active_bindings.get(key), key
    writer.close()
