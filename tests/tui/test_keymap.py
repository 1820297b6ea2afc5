"""The table of keys: what is made from it, and how users remap it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Static

from tests.tui.made_runs import trained_run
from tests.tui.menus import menu, presets, run_in
from tests.tui.pilots import MenulessApp, all_drawn, header, notes, until
from tui_latent.runs.reader import RunReader
from tui_latent.runs.run_list import list_runs
from tui_latent.tui.app import LatentApp
from tui_latent.tui.key import Key
from tui_latent.tui.key_table import key_document, with_key_table
from tui_latent.tui.keymap import KEYMAP
from tui_latent.tui.remapping import KeymapError, check_keymap, keys_of
from tui_latent.tui.screens.dashboard.views import failure
from tui_latent.tui.screens.dialogs.help import HelpScreen
from tui_latent.tui.screens.menu.run_actions import why_not_deleted, why_not_resumed
from tui_latent.tui.verbs import VERBS
from tui_latent.tui.widgets.key_footer import KeyFooter

__all__ = ["presets"]

README = Path(__file__).parents[2] / "README.md"
DOCUMENT = Path(__file__).parents[2] / "docs" / "KEYS.md"


def rows() -> Iterator[tuple[str, Key]]:
    return ((part, row) for part, rows in KEYMAP.items() for row in rows)


def test_the_documents_show_the_table() -> None:
    text = README.read_text()
    assert with_key_table(text) == text, "run `make docs`"
    assert key_document() == DOCUMENT.read_text(), "run `make docs`"


def test_every_action_has_an_id_a_label_and_a_sentence() -> None:
    for _, row in rows():
        group, _, verb = row.id.partition(".")
        assert group and verb and row.label
        assert row.tooltip[0].isupper() and not row.tooltip.endswith(".")


def test_a_key_has_one_verb_wherever_it_is_bound() -> None:
    """Independently of how the table is made: by the bindings that the screens get."""
    verbs: dict[str, str] = {}
    for part, row in rows():
        if part != "confirm":
            for key in keys_of(row, {}):
                assert verbs.setdefault(key, row.verb) == row.verb, (part, row.id, key)
    shared = [verb for verb in VERBS.values() if verb.topic != "Questions"]
    keys = [key for verb in shared for key in verb.keys.split(",")]
    assert len(keys) == len(set(keys))


def test_actions_that_share_a_key_share_an_id() -> None:
    """Textual drops every row of a key when one of its ids is remapped."""
    for part, table in KEYMAP.items():
        ids: dict[str, str] = {}
        for row in table:
            for key in keys_of(row, {}):
                assert ids.setdefault(key, row.id) == row.id, (part, key)


@pytest.mark.parametrize("part", [part for part, rows in KEYMAP.items() if len(rows) > 1])
def test_two_actions_of_a_part_cannot_be_given_one_key(part: str) -> None:
    first = KEYMAP[part][0].id
    others = {row.id for row in KEYMAP[part]} - {first}
    for other in others:
        with pytest.raises(KeymapError, match="f12 would do both"):
            check_keymap({first: "f12", other: "f12"})


@pytest.mark.parametrize(
    ("keymap", "words"),
    [
        ({"run.pause": "s"}, "dashboard screen, s would do both run.pause and run.stop"),
        ({"run.delete": "tab"}, "menu screen, tab would do both menu.switch and run.delete"),
        ({"time.earlier": "z"}, "dashboard screen, z would do both time.earlier and view.frame"),
        ({"explorer.play": "z"}, "explorer screen, z would do both explorer.play and view.frame"),
        ({"confirm.yes": "n"}, "question screen, n would do both confirm.no and confirm.yes"),
        ({"run.leave_filter": "S"}, "menu screen, S would do both run.leave_filter and run.sort"),
        ({"chart.log": "ctrl+q"}, "would do both app.quit and chart.log"),
        ({"run.pause": "j", "run.stop": "j"}, "j would do both run.pause and run.stop"),
        ({"run.puse": "j"}, "there is no action 'run.puse'. Did you mean 'run.pause'?"),
        ({"run.pause": "spcae"}, "'spcae' of run.pause is not the name of a key"),
        ({"run.pause": ""}, "'' of run.pause is not the name of a key"),
    ],
)
def test_a_keymap_that_cannot_work_is_refused(keymap: dict[str, str], words: str) -> None:
    with pytest.raises(KeymapError, match=words.replace("?", r"\?")):
        check_keymap(keymap)


def test_a_keymap_may_swap_keys_and_keep_those_that_screens_share() -> None:
    check_keymap({"run.pause": "s", "run.stop": "space", "images.next": "j", "sliders.next": "j"})


@pytest.mark.slow
async def test_a_remapped_key_works_and_is_shown(tmp_path: Path) -> None:
    writer = trained_run(tmp_path)
    app = MenulessApp(tmp_path, open_path=writer.path, keymap={"run.pause": "j", "app.help": "f1"})
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await all_drawn(pilot)
        await until(pilot, lambda: bool(screen.query_one(KeyFooter).items))
        footer = screen.query_one(KeyFooter).render().plain
        assert "j Pause" in footer and "f1 Help" in footer
        await pilot.press("space")
        await pilot.pause()
        assert "pausing" not in header(screen)
        await pilot.press("j")
        await until(pilot, lambda: "pausing" in header(screen))
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        lines = str(app.screen.query_one("#keys", Static).content).splitlines()
        [line] = [line for line in lines if line.endswith("Pause or continue the training")]
        assert line.split()[0] == "j"
    writer.close()


@pytest.mark.slow
async def test_the_menu_names_the_remapped_keys_of_the_other_list(
    tmp_path: Path, presets: Path
) -> None:
    run_in(tmp_path / "runs", "one")
    app = LatentApp(tmp_path / "runs", keymap={"run.delete": "ctrl+x"})
    async with app.run_test(size=(100, 30)) as pilot:
        await menu(pilot)
        await pilot.press("ctrl+x")
        await until(pilot, lambda: "ctrl+x (delete) works on the runs. Press Tab" in notes(pilot))


def test_sentences_name_remapped_keys(tmp_path: Path) -> None:
    trained_run(tmp_path, state="interrupted").close()
    (run,) = list_runs(tmp_path)
    snapshot = RunReader(run.path).refresh()
    keymap = {"run.resume": "ctrl+j", "run.open": "f2,g"}
    assert "Press r to resume" in failure(snapshot, {})
    assert "Press ctrl+j to resume" in failure(snapshot, keymap)
    live = replace(run, status=replace(run.status, state="running"))
    assert "Press Enter to open it" in why_not_resumed(live, {})
    assert "Press f2 to open it" in why_not_resumed(live, keymap)
    assert "Stop it first, with s." in why_not_deleted(live, keymap)


def test_an_application_refuses_a_keymap_that_clashes(tmp_path: Path) -> None:
    with pytest.raises(KeymapError, match=r"run\.pause and run\.stop"):
        LatentApp(tmp_path, keymap={"run.stop": "space"})
