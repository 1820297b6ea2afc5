"""The form of a preset's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tests.tui.menus import NotingApp, menu, presets, presets_text, run_in
from tests.tui.pilots import notes, screen_text, until
from tui_latent.config.own_folders import own_presets
from tui_latent.config.own_presets import save_preset
from tui_latent.config.preset_files import read_table
from tui_latent.config.presets import load_preset
from tui_latent.config.settings import Preset
from tui_latent.tui.app import LatentApp
from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen
from tui_latent.tui.screens.menu.preset_facts import read_entries
from tui_latent.tui.screens.settings.grid import SettingInput, SettingsGrid
from tui_latent.tui.screens.settings.save_preset import SavePresetScreen
from tui_latent.tui.screens.settings.screen import SettingsScreen

__all__ = ["presets"]

NARROW, WIDE = (80, 24), (120, 40)
Answer = tuple[Preset, str | None] | None


class FormApp(App[None]):
    """Opens the form of a preset and keeps what it gives back."""

    def __init__(self, runs: Path, name: str = "digits-contrastive-2d") -> None:
        super().__init__()
        self.runs = runs
        self.preset_name = name
        self.answers: list[Answer] = []

    def on_mount(self) -> None:
        entry = next(entry for entry in read_entries() if entry.name == self.preset_name)
        form = SettingsScreen(entry.name, entry.table, load_preset(entry.name), self.runs)
        self.push_screen(form, self.answers.append)


@pytest.fixture(autouse=True)
def use_presets(presets: Path) -> None:
    """Every test here edits one of the same three presets."""


@pytest.fixture
def app(tmp_path: Path) -> FormApp:
    return FormApp(tmp_path / "runs")


def text_of(app: App[Any], selector: str) -> str:
    return str(app.screen.query(selector).first(Static).content)


def row(app: App[Any], key: str) -> str:
    """Return the line of a setting."""
    grid = app.screen.query_one(SettingsGrid)
    lines = text_of(app, "SettingsGrid > Static").splitlines()
    return lines[grid._lines.index(key)]


async def go_to(pilot: Pilot[Any], key: str) -> None:
    """Go down to a setting as a person does."""
    grid = pilot.app.screen.query_one(SettingsGrid)
    keys = list(grid._draft.fields)
    tens, ones = divmod(keys.index(key) - keys.index(grid.current), 10)
    await pilot.press(*["pagedown"] * tens, *["down"] * ones)
    assert grid.current == key


async def test_every_setting_is_listed_with_value_and_help(app: FormApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        fields = app.screen.query_one(SettingsGrid)._draft.fields
        assert {"data.source", "augment.rotate", "method.norm_weight", "train.seed"} <= set(fields)
        for key, field in fields.items():
            idle = app.screen.query_one(SettingsGrid)._draft.idle.get(key)
            assert (idle or field.help)[:20] in row(app, key)
        assert row(app, "augment.rotate").split()[:2] == ["rotate", "15"]
        assert row(app, "train.batch_size").split()[:2] == ["batch_size", "1024"]
        assert text_of(app, "#count") == "as in the preset"
        assert text_of(app, "#command") == "tui-latent train digits-contrastive-2d"


async def test_a_value_is_typed_over_and_shown_as_changed_and_as_a_command(app: FormApp) -> None:
    async with app.run_test(size=NARROW) as pilot:
        await go_to(pilot, "train.epochs")
        await pilot.press(*"15")
        await pilot.pause()
        assert "*" in row(app, "train.epochs") and "15" in row(app, "train.epochs")
        assert text_of(app, "#count") == "1 changed"
        assert text_of(app, "#command").endswith("--set train.epochs=15")
        assert "in the preset: 40" in text_of(app, "#help")
        await pilot.press("ctrl+s")
        await pilot.pause()
        [answer] = app.answers
        assert answer is not None and answer[1] is None
        assert answer[0].train.epochs == 15 and answer[0].train.batch_size == 1024


async def test_an_error_stands_beside_its_field_as_it_is_typed_and_nothing_starts(
    app: FormApp,
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await go_to(pilot, "method.latent_dim")
        await pilot.press("0")
        await pilot.pause()
        assert "✗ should be greater than or equal to 1" in row(app, "method.latent_dim")
        assert text_of(app, "#count") == "1 changed · 1 error"
        assert "once there are no errors" in text_of(app, "#command")
        await pilot.press("up", "up", "ctrl+s")
        await pilot.pause()
        assert not app.answers
        assert app.screen.query_one(SettingsGrid).current == "method.latent_dim"
        assert "method.latent_dim: should be" in notes(pilot)
        await pilot.press("backspace", "8")
        await pilot.pause()
        assert "✗" not in row(app, "method.latent_dim")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.answers and app.answers[0] is not None
        assert app.answers[0][0].method.latent_dim == 8


async def test_what_was_typed_last_counts_though_the_cursor_has_moved_on(app: FormApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await go_to(pilot, "augment.rotate")
        pilot.app.screen.query_one(SettingInput).value = "33"  # its message is still on the way
        app.screen.query_one(SettingsGrid).action_move(1)
        await pilot.pause()
        assert row(app, "augment.rotate").split()[:2] == ["*rotate", "33"]
        assert row(app, "augment.shear").split()[:3] == ["▸", "shear", "0"]


async def test_choices_are_gone_through_with_arrows_and_first_letters(app: FormApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        editor = app.screen.query_one(SettingInput)
        assert editor.value == "digits"
        await pilot.press("right")
        assert editor.value == "mnist"
        await pilot.press("left", "left")
        assert editor.value == "manifest"
        await pilot.press("f")
        assert editor.value == "folder" or editor.value == "fashion-mnist"
        await pilot.press("q", "backspace", "delete")
        assert editor.value in ("folder", "fashion-mnist")
        assert "left, right: digits, mnist" in text_of(app, "#help")
        await go_to(pilot, "data.skip_corrupt")
        await pilot.press("space")
        assert editor.value == "on"
        await pilot.press("space")
        assert editor.value == "off"


async def test_the_name_of_a_network_is_typed_and_completed(
    app: FormApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("resnet18", "resnet18.a1_in1k", "vit_tiny")
    suggester = "tui_latent.tui.screens.settings.model_suggester.known_models"
    monkeypatch.setattr(suggester, lambda library: names if library == "timm" else ())
    monkeypatch.setattr("tui_latent.datasets.model_names.known_models", lambda library: names)
    monkeypatch.setattr("tui_latent.datasets.model_names._package", Path)
    async with app.run_test(size=WIDE) as pilot:
        await go_to(pilot, "data.inputs")
        editor = app.screen.query_one(SettingInput)
        await pilot.press("right")
        assert editor.value == "hog"
        await pilot.press("t")
        assert editor.value == "timm:"
        await until(pilot, lambda: "needs a name" in row(app, "data.inputs"))
        await pilot.press(*"resnet18.")
        await until(pilot, lambda: editor._suggestion == "timm:resnet18.a1_in1k")
        await pilot.press("right")
        await until(pilot, lambda: "data.inputs=timm:resnet18.a1_in1k" in text_of(app, "#command"))
        await pilot.press("backspace", "backspace", "x")
        assert editor.value == "timm:resnet18.a1_inx"
        await pilot.press("up", "down", "r")
        assert editor.value == "raw", "a letter that replaces the whole value selects a choice"


async def test_reset_takes_the_presets_own_value(app: FormApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await go_to(pilot, "augment.rotate")
        await pilot.press(*"abc", "ctrl+r")
        await pilot.pause()
        assert row(app, "augment.rotate").split()[:2] == ["▸", "rotate"]
        assert app.screen.query_one(SettingInput).value == "15"
        assert text_of(app, "#count") == "as in the preset"


async def test_the_right_arrow_completes_a_path(app: FormApp, tmp_path: Path) -> None:
    (tmp_path / "pictures" / "holiday").mkdir(parents=True)
    async with app.run_test(size=WIDE) as pilot:
        editor = app.screen.query_one(SettingInput)
        await go_to(pilot, "data.path")
        assert "right: complete the path" in text_of(app, "#help")
        await pilot.press(*f"{tmp_path}/pic")
        await until(pilot, lambda: editor._suggestion.endswith("pictures/"))
        await pilot.press("right", "h")
        await until(pilot, lambda: editor._suggestion.endswith("holiday/"))
        await pilot.press("right")
        assert editor.value == f"{tmp_path}/pictures/holiday/"
        await go_to(pilot, "data.size")
        await pilot.press("6")
        assert editor.value == "6" and not editor._suggestion


async def test_the_filter_finds_settings_by_name_and_help(app: FormApp) -> None:
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("ctrl+f", *"weight zzz", "enter")
        await pilot.pause()
        shown = text_of(app, "SettingsGrid > Static")
        assert "No setting matches 'weight zzz'." in shown
        await pilot.press("ctrl+f", *"weight", "enter")
        await pilot.pause()
        shown = text_of(app, "SettingsGrid > Static")
        assert "norm_weight" in shown and "weight_decay" in shown and "epochs" not in shown
        assert app.screen.query_one(SettingsGrid).current == "data.weights"
        await pilot.press("down", "down", *"7")  # over what a network starts from
        await pilot.pause()
        assert row(app, "method.norm_weight").split()[:2] == ["▸*norm_weight", "7"]
        await pilot.press("escape")
        await pilot.pause()
        assert "epochs" in text_of(app, "SettingsGrid > Static")
        assert not app.answers


async def test_the_first_error_is_in_sight_though_a_search_was_open(app: FormApp) -> None:
    async with app.run_test(size=NARROW) as pilot:
        grid = app.screen.query_one(SettingsGrid)
        await pilot.press("ctrl+f", *"devices", "enter")
        await pilot.pause()
        await pilot.press("0", "ctrl+s")
        await pilot.pause()
        assert grid.current == "train.devices" and not app.answers
        line = grid._lines.index(grid.current) - grid.scroll_offset.y
        assert 0 <= line < grid.scrollable_content_region.height
        assert not app.screen.query_one("#find").display  # it would say that all are found


async def test_the_cursor_stays_in_sight(app: FormApp) -> None:
    async with app.run_test(size=NARROW) as pilot:
        grid = app.screen.query_one(SettingsGrid)
        for key in ["pagedown"] * 7 + ["down", "pageup", "up"]:
            await pilot.press(key)
            await pilot.pause()
            line = grid._lines.index(grid.current) - grid.scroll_offset.y
            assert 0 <= line < grid.scrollable_content_region.height
            editor = app.screen.query_one(SettingInput)
            assert editor.region.y - grid.content_region.y == line


async def test_the_cursor_stays_in_sight_when_the_terminal_or_the_filter_changes(
    app: FormApp,
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        grid = app.screen.query_one(SettingsGrid)

        def in_sight() -> bool:
            line = grid._lines.index(grid.current) - grid.scroll_offset.y
            return 0 <= line < grid.scrollable_content_region.height

        await go_to(pilot, "train.seed")
        assert in_sight()
        await pilot.resize_terminal(*NARROW)
        await until(pilot, in_sight)
        await pilot.press("ctrl+f", *"seed", "enter")
        await until(pilot, lambda: grid.current == "train.seed")
        await pilot.press("ctrl+f", *["backspace"] * 4, "enter")
        await until(pilot, lambda: len(grid._lines) > 30 and in_sight())


async def test_a_click_goes_to_a_setting(app: FormApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        grid = app.screen.query_one(SettingsGrid)
        await pilot.click(SettingsGrid, offset=(5, 1 + grid._lines.index("data.per_class")))
        await pilot.pause()
        assert grid.current == "data.per_class"
        await pilot.press("9")
        await pilot.pause()
        assert row(app, "data.per_class").split()[:2] == ["▸*per_class", "9"]


async def test_the_runs_name_is_checked_as_it_is_typed(app: FormApp, tmp_path: Path) -> None:
    run_in(tmp_path / "runs", "taken")
    async with app.run_test(size=WIDE) as pilot:
        app.screen.query_one("#name", Input).focus()
        await pilot.press(*"a/b")
        await pilot.pause()
        assert "'a/b' cannot name a run" in text_of(app, "#naming > .error")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert not app.answers
        await pilot.press(*["backspace"] * 3, *"taken")
        await pilot.pause()
        assert "already exists" in text_of(app, "#naming > .error")
        await pilot.press(*"-2")
        await pilot.pause()
        assert text_of(app, "#naming > .error") == ""
        assert text_of(app, "#command").endswith("--name taken-2")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.answers[0] is not None and app.answers[0][1] == "taken-2"


async def test_escape_gives_nothing_back(app: FormApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("escape")
        await pilot.pause()
        assert app.answers == [None]


async def test_escape_asks_before_it_loses_what_was_changed(app: FormApp) -> None:
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press(*"f", "escape")
        await pilot.pause()
        assert "data.source" in text_of(app, "ConfirmScreen Static")
        await pilot.press("escape")
        await pilot.pause()
        assert not app.answers and "1 changed" in text_of(app, "#count")
        await pilot.press("escape", "y")
        await pilot.pause()
        assert app.answers == [None]


async def test_the_button_starts(app: FormApp) -> None:
    async with app.run_test(size=NARROW) as pilot:
        await pilot.click("#start")
        await pilot.pause()
        assert app.answers[0] is not None


async def saved_preset(app: LatentApp, pilot: Pilot[Any], *keys: str) -> None:
    """Open the form of the first preset of digits, change a setting and save a preset."""
    await menu(pilot)
    await pilot.press(*"/digits-contrastive-2d", "enter", "e")
    await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
    await go_to(pilot, "train.epochs")
    await pilot.press(*"7", "ctrl+w")
    await until(pilot, lambda: isinstance(app.screen, SavePresetScreen))
    await pilot.press(*keys)


async def test_a_preset_of_ones_own_is_saved_and_appears_in_the_menu(tmp_path: Path) -> None:
    app = NotingApp(tmp_path / "runs")
    async with app.run_test(size=WIDE) as pilot:
        await saved_preset(app, pilot, *"tuned")
        assert app.screen.query_one("#folder", Input).value == str(tmp_path / "own-presets")
        assert text_of(app, "#note") == "writes tuned.toml"
        await pilot.press("enter")
        await until(pilot, lambda: "Saved tuned" in notes(pilot))
        assert load_preset("tuned").train.epochs == 7
        assert "expect" not in read_table(own_presets()["tuned"])
        await pilot.press("escape")  # nothing is lost, so nothing is asked
        screen = await menu(pilot)
        await pilot.press("escape")  # the filter
        await until(pilot, lambda: any("tuned" in line for line in presets_text(screen)))


async def test_a_saved_preset_is_replaced_only_after_asking(tmp_path: Path) -> None:
    app = NotingApp(tmp_path / "runs")
    path = save_preset(tmp_path / "own-presets", "tuned", {"title": "Before"})
    async with app.run_test(size=NARROW) as pilot:
        await saved_preset(app, pilot, *"tuned")
        assert "exists: you will be asked" in text_of(app, "#note")
        await pilot.press("enter", "n")
        await pilot.pause()
        assert isinstance(app.screen, SavePresetScreen) and read_table(path)["title"] == "Before"
        await pilot.press("enter", "y")
        await until(pilot, lambda: "Saved tuned" in notes(pilot))
        assert load_preset("tuned").train.epochs == 7


async def test_a_name_that_cannot_be_used_is_not_saved(tmp_path: Path) -> None:
    app = NotingApp(tmp_path / "runs")
    async with app.run_test(size=NARROW) as pilot:
        await saved_preset(app, pilot, *"digits-contrastive-8d", "enter")
        assert isinstance(app.screen, SavePresetScreen)
        assert "comes with tui-latent" in text_of(app, "#note")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "train.epochs" in text_of(app, "ConfirmScreen Static")
        assert not own_presets()


async def test_with_an_error_nothing_is_saved(app: FormApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await go_to(pilot, "train.epochs")
        await pilot.press("0", "ctrl+w")
        await pilot.pause()
        assert isinstance(app.screen, SettingsScreen) and "train.epochs" in notes(pilot)


async def test_the_expected_time_follows_what_is_typed(tmp_path: Path) -> None:
    app = FormApp(tmp_path / "runs", "digits-contrastive-8d")
    async with app.run_test(size=WIDE) as pilot:
        grid = app.screen.query_one(SettingsGrid)
        await until(pilot, lambda: "about 1 min · measured on a CPU" in screen_text(pilot))
        for key, text, words in (
            ("train.epochs", "120", "about 3 min · measured on a CPU with 40 epochs"),
            ("train.batch_size", "64", "40 epochs; train.batch_size may change that"),
        ):
            grid.action_move(
                list(grid._draft.fields).index(key) - list(grid._draft.fields).index(grid.current)
            )
            await pilot.press(*text)
            await until(pilot, lambda words=words: words in screen_text(pilot))  # type: ignore[misc]
        await pilot.press("x")  # no number: there is nothing to expect
        await until(pilot, lambda: "about" not in str(grid.border_subtitle))


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_it_looks_as_it_should(size: tuple[int, int], tmp_path: Path, snap_compare: Any) -> None:
    async def edit(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "augment.rotate")
        await pilot.press(*"200", "down", *"5", "down")
        pilot.app.screen.query_one(SettingInput).cursor_blink = False
        await pilot.pause()

    assert snap_compare(FormApp(tmp_path / "runs"), terminal_size=size, run_before=edit)


async def test_the_help_of_a_setting_is_whole_at_80_columns(app: FormApp) -> None:
    async with app.run_test(size=NARROW) as pilot:
        grid = app.screen.query_one(SettingsGrid)
        keys = list(grid._draft.fields)
        help_text = app.screen.query_one("#help", Static)
        for key in ("data.source", "data.draw", "augment.elastic_grid", "method.network"):
            if key not in keys:
                continue
            grid.action_move(keys.index(key) - keys.index(grid.current))
            await pilot.pause()
            lines = range(help_text.content_size.height)
            shown = " ".join(help_text.render_line(y).text.strip() for y in lines)
            assert shown.split() == str(help_text.content).split(), key
