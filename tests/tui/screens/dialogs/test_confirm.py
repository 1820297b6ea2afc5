"""The question before what cannot be taken back."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import App
from textual.widgets import Button

from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

TITLE, QUESTION = "Delete [red]a run[/]", "Delete [b]20261122[/b], with its checkpoints?"


class AskingApp(App[None]):
    """Asks at once and keeps the answer."""

    answer: bool | None = None

    def on_mount(self) -> None:
        self.push_screen(ConfirmScreen(TITLE, QUESTION, "Delete [it]"), self.keep)

    def keep(self, answer: bool | None) -> None:
        self.answer = answer


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["y"], True),
        (["n"], False),
        (["escape"], False),
        (["enter"], False),
        (["right", "enter"], True),
        (["tab", "enter"], True),
        (["right", "left", "enter"], False),
        (["x", "enter"], False),
    ],
)
async def test_only_yes_is_yes(keys: list[str], answer: bool) -> None:
    app = AskingApp()
    async with app.run_test() as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        assert app.answer is answer


@pytest.mark.parametrize(("button", "answer"), [("#yes", True), ("#no", False)])
async def test_the_mouse_answers_too(button: str, answer: bool) -> None:
    app = AskingApp()
    async with app.run_test() as pilot:
        await pilot.click(button)
        await pilot.pause()
        assert app.answer is answer


async def test_the_text_is_no_markup_and_the_safe_answer_has_the_focus() -> None:
    app = AskingApp()
    async with app.run_test() as pilot:
        await pilot.pause()
        assert isinstance(app.focused, Button) and app.focused.id == "no"
        shown = app.export_screenshot()
        for text in ("[red]a", "[b]20261122[/b],", "[it]"):
            assert text in shown.replace("&#160;", " ")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_it_looks_as_it_should(size: tuple[int, int], snap_compare: Any) -> None:
    assert snap_compare(AskingApp(), terminal_size=size)
