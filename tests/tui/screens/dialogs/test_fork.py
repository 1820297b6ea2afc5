"""Forking a run from its dashboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, OptionList

from tests.tui.made_runs import ScriptedTrainer, new_run
from tests.tui.pilots import MenulessApp, dashboard, notes, screen_text, until
from tests.tui.screens.dialogs.live_runs import live_run, opened, text_of
from tui_latent.tui.screens.dialogs.fork import ForkScreen


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_a_checkpoint_and_settings_become_a_run_that_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    writer = live_run(tmp_path)
    writer.status(state="stopped")  # of a live one the dialog for a second run would ask
    asked: list[Any] = []

    def fork(path: Path, runs: Path, step: int, overrides: dict[str, object]) -> Path:
        asked.append((path, step, overrides))
        made = new_run(runs, "fork")
        made.close()
        return made.path

    monkeypatch.setattr("tui_latent.launch.fork.fork_run", fork)
    trainer = ScriptedTrainer(3)
    app = MenulessApp(tmp_path, open_path=writer.path, train=trainer)
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot, "F", writer.path)
        assert isinstance(screen, ForkScreen)
        await until(pilot, lambda: "No setting is changed" in text_of(screen, "#told"))
        assert screen.query_one(Input).placeholder.startswith("stages.2.lr=")
        last = text_of(screen, "#keys").split(" · ")[-1].split()[-1]
        line = screen.query_one("#keys").region
        assert last in "".join(screen_text(pilot).splitlines()[line.y : line.bottom])
        screen.query_one(Input).value = "stages.2.lr=0.25 augment.noise=0.1"
        await until(pilot, lambda: "stages.2.lr 0.003 → 0.25" in text_of(screen, "#told"))
        screen.query_one(OptionList).highlighted = 1
        await pilot.press("enter")
        await until(pilot, lambda: bool(trainer.trained))
        assert asked == [(writer.path, 600, {"stages.2.lr": 0.25, "augment.noise": 0.1})]
        await dashboard(pilot, tmp_path / "fork")
    writer.close()


async def test_what_a_checkpoint_fixes_is_refused_as_it_is_typed(tmp_path: Path) -> None:
    writer = live_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, "F", writer.path)
        for text, sentence in (
            ("train.batch_size=64", "fixed by the checkpoint"),
            ("stages.0.lr=1", "stage 1 is over"),
            ("stages.2.lr", "key=value"),
            ("data.classes='a", "quotation mark"),
        ):
            screen.query_one(Input).value = text
            await until(pilot, lambda s=sentence: s in text_of(screen, "#told"))  # type: ignore[misc]
            await pilot.press("enter")
            assert pilot.app.screen is screen
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is not screen)
    writer.close()


async def test_a_run_without_a_checkpoint_says_so(tmp_path: Path) -> None:
    writer = live_run(tmp_path, checkpoints=())
    app = MenulessApp(tmp_path, open_path=writer.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await dashboard(pilot)
        await pilot.press("F")
        await until(pilot, lambda: "has no checkpoint yet" in notes(pilot))
    writer.close()
