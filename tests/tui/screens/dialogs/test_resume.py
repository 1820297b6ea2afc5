"""Resuming a run that several processes trained: the dashboard asks with how many to go on."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import OptionList

from tests.training.conftest import SMALL
from tests.tui.made_runs import ScriptedTrainer
from tests.tui.pilots import MenulessApp, until
from tests.tui.screens.dialogs.live_runs import opened, text_of
from tui_latent.config.presets import load_preset, load_run_preset
from tui_latent.launch import device_choices as choices_module
from tui_latent.launch import start
from tui_latent.launch.background import background_process
from tui_latent.launch.device_choices import device_choices
from tui_latent.launch.start import create_run
from tui_latent.runs.schema import RunError
from tui_latent.runs.writer import RunWriter
from tui_latent.tui.screens.dialogs.choice import ChoiceScreen


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stopped run of two processes, batches of 50 images, on a machine of four cores."""
    for module in (start, choices_module):
        monkeypatch.setattr(module, "cpu_cores", lambda: 4)
    preset = load_preset("digits-contrastive-2d", SMALL | {"stages": [], "train.devices": 2})
    run = create_run("digits", preset, tmp_path)
    writer = RunWriter.reopen(run)
    writer.status(state="stopped", step=3, total_steps=12)
    writer.close()
    return run


def cores(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    for module in (start, choices_module):
        monkeypatch.setattr(module, "cpu_cores", lambda: count)


def test_only_numbers_that_divide_the_batch_and_exist_are_offered(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = device_choices(stopped)
    assert found is not None and (found.before, found.problem) == (2, "")
    assert found.counts == (2, 1), "4 do not divide 50"
    cores(monkeypatch, 1)
    found = device_choices(stopped)
    assert found is not None and found.counts == (1,)
    assert "1 core: use 1 at most" in found.problem


def test_a_run_of_one_process_is_resumed_without_a_question(tmp_path: Path) -> None:
    preset = load_preset("digits-contrastive-2d", SMALL | {"stages": []})
    assert device_choices(create_run("digits", preset, tmp_path)) is None


@pytest.mark.slow
async def test_resuming_asks_and_changes_the_number(stopped: Path) -> None:
    trainer = ScriptedTrainer(3)
    app = MenulessApp(stopped.parent, open_path=stopped, train=trainer)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, "r", stopped)
        assert isinstance(screen, ChoiceScreen)
        assert "How many processes" in text_of(screen, "#question")
        options = screen.query_one(OptionList)
        shown = [str(options.get_option_at_index(n).prompt) for n in range(options.option_count)]
        assert "2 processes, as before" in shown[0] and "25 of the 50 images" in shown[0]
        await pilot.press("down", "enter")
        await until(pilot, lambda: trainer.trained == [stopped])
    assert load_run_preset(stopped).train.devices == 1


def test_processes_that_this_machine_does_not_have_are_not_started(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cores(monkeypatch, 1)
    with pytest.raises(RunError, match=r"use 1 at most; to go on .* resume \S+ --devices 1"):
        background_process(stopped, [])


@pytest.mark.slow
async def test_a_number_that_is_not_possible_here_is_refused_in_a_sentence(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cores(monkeypatch, 1)
    app = MenulessApp(stopped.parent, open_path=stopped, train=ScriptedTrainer(3))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, "r", stopped)
        said = " ".join(text_of(screen, "#question").split())
        assert (
            "It cannot continue with 2 processes: this machine has 1 core: use 1 at most." in said
        )
