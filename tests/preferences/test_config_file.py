from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.cli.main import main
from tui_latent.cli.options import find_folder
from tui_latent.preferences.config_file import (
    DEFAULTS,
    keep_preference,
    read_preferences,
    template,
    with_setting,
)
from tui_latent.preferences.view_state import ViewStates


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings" / "config.toml"
    monkeypatch.setenv("TUI_LATENT_CONFIG", str(path))
    return path


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert read_preferences(tmp_path / "none.toml") == (DEFAULTS, [])


def test_what_cannot_be_used_keeps_its_default_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        'smoothing = 1.5\naxis = "steps"\ncolour = "x"\ntheme = "nord"\npanels = ["mop", "logg"]'
    )
    preferences, problems = read_preferences(path)
    assert (preferences.theme, preferences.smoothing) == ("nord", 0.0)
    text = "\n".join(problems)
    assert f"{path}: smoothing: use a number from 0 to below 1, not 1.5" in text
    assert "axis: use one of step, epoch, time, not 'steps'; did you mean 'step'?" in text
    assert "there is no setting 'colour'" in text
    assert "panels: there is no panel 'mop'; did you mean 'map'?" in text
    assert "there is no panel 'logg'; did you mean 'log'?" in text


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "mine.toml", tmp_path / "config.toml"
    file.write_text("# mine\n")
    link.symlink_to(file)
    keep_preference(link, "theme", "nord")
    assert link.is_symlink() and file.read_text() == '# mine\ntheme = "nord"\n'


def test_a_file_that_is_not_toml_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    for text, words in ((b"theme =", "not a TOML file"), (b"\xff\xfe", "save the file as UTF-8")):
        path.write_bytes(text)
        preferences, (problem,) = read_preferences(path)
        assert preferences == DEFAULTS and words in problem


def test_one_line_changes_and_all_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    keep_preference(path, "theme", "nord")
    assert path.read_text() == 'theme = "nord"\n'
    path.write_text('# mine\ntheme = "nord" # dark\n\n[keys]\n"run.pause" = "p" # theme = "x"\n')
    keep_preference(path, "theme", "gruvbox")
    keep_preference(path, "smoothing", 0.9)
    assert path.read_text() == (
        '# mine\ntheme = "gruvbox"\n\nsmoothing = 0.9\n\n[keys]\n"run.pause" = "p" # theme = "x"\n'
    )
    assert [file.name for file in tmp_path.iterdir()] == ["config.toml"]
    with pytest.raises(ValueError, match="smoothing: use a number"):
        keep_preference(path, "smoothing", 7)


@pytest.mark.slow
@given(
    table=st.dictionaries(
        st.sampled_from(["a", "axis", "theme", "panels"]),
        st.one_of(st.integers(), st.text(), st.lists(st.text(), max_size=3)),
    ),
    value=st.text(),
)
def test_no_other_setting_is_ever_lost(table: dict[str, object], value: str) -> None:
    import tomli_w

    text = tomli_w.dumps(table | {"keys": {"theme": "[x]"}}, multiline_strings=True)
    # What is written, not the table: TOML reads a carriage return in a text of several lines as
    # the end of a line.
    written = tomllib.loads(text)
    assert tomllib.loads(with_setting(text, "theme", value)) == {**written, "theme": value}


def test_the_template_sets_nothing_and_its_lines_are_right() -> None:
    assert tomllib.loads(template()) == {"keys": {}}
    lines = template().splitlines()
    uncommented = [
        line.removeprefix("# ") for line in lines if line.startswith("# ") and "=" in line
    ]
    top = [line for line in uncommented if not line.startswith('"')]
    assert set(tomllib.loads("\n".join(top))) == {
        "theme",
        "runs",
        "palette",
        "axis",
        "smoothing",
        "image_size",
        "notifications",
        "panels",
    }


def test_the_command_shows_checks_and_says_where(config: Path) -> None:
    run = CliRunner().invoke
    assert run(main, ["config", "path"]).output.strip() == str(config)
    assert "does not exist yet" in run(main, ["config"]).output
    config.parent.mkdir()
    config.write_text('smoothing = 0.9\n[keys]\n"run.puse" = "p"\n')
    shown = json.loads(run(main, ["config", "--json"]).output.splitlines()[-1])
    assert shown["settings"]["smoothing"] == 0.9
    assert "there is no action 'run.puse'" in shown["problems"][0]
    checked = run(main, ["config", "check"])
    assert checked.exit_code == 1 and "Did you mean 'run.pause'?" in checked.output
    config.write_text("smoothing = 0.9\n")
    assert run(main, ["config", "check"]).exit_code == 0
    assert "* smoothing" in run(main, ["config"]).output


def test_the_check_names_every_key_that_cannot_be_used(config: Path) -> None:
    config.parent.mkdir()
    config.write_text(
        '[keys]\n"run.puse" = "p"\n"run.pause" = "spcae"\n"run.save" = "s"\n"chart.log" = "w"\n'
    )
    checked = CliRunner().invoke(main, ["config", "check"])
    assert checked.exit_code == 1
    for words in (
        "there is no action 'run.puse'. Did you mean 'run.pause'?",
        "'spcae' of run.pause is not the name of a key",
        "on the dashboard screen, s would do both run.save and run.stop",
        "on the dashboard screen, w would do both chart.log and chart.weights",
    ):
        assert checked.output.count(words) == 1


def test_the_command_opens_the_editor_on_a_template(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho \'axis = "time"\' > "$1"\n')
    editor.chmod(0o755)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(editor))
    done = CliRunner().invoke(main, ["config", "edit"])
    assert done.exit_code == 0 and "no problems" in done.output
    assert read_preferences(config)[0].axis == "time"
    monkeypatch.setenv("EDITOR", str(tmp_path / "none"))
    assert "cannot be started" in CliRunner().invoke(main, ["config", "edit"]).output


def test_the_file_names_the_folder_of_runs(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TUI_LATENT_RUNS", raising=False)
    config.parent.mkdir()
    config.write_text(f'runs = "{tmp_path / "mine"}"\n')
    assert f"no runs in {tmp_path / 'mine'}" in CliRunner().invoke(main, ["runs"]).output
    monkeypatch.setenv("TUI_LATENT_RUNS", str(tmp_path / "named"))
    assert f"no runs in {tmp_path / 'named'}" in CliRunner().invoke(main, ["runs"]).output


def test_a_run_is_found_in_each_of_several_folders(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TUI_LATENT_RUNS", raising=False)
    mine, ours = tmp_path / "mine", tmp_path / "ours"
    for folder, name in ((mine, "one"), (ours, "two"), (ours, "one-more")):
        path = folder / name
        path.mkdir(parents=True)
        (path / "preset.toml").write_text('title = "one"\n')
    config.parent.mkdir()
    config.write_text(f'runs = ["{mine}", "{ours}"]\n')
    run = CliRunner().invoke
    assert "one" in run(main, ["runs"]).output and "two" not in run(main, ["runs"]).output
    for name, folder in (("one", mine), ("two", ours), ("one-m", ours)):
        assert find_folder(name, None).parent == folder, name
    assert f"no such run in {mine}" in run(main, ["explain", "three"]).output
    assert f"no such run in {ours}" in run(main, ["explain", "x", "--runs", str(ours)]).output


def test_folders_and_colours_that_cannot_be_used_are_named(config: Path) -> None:
    config.parent.mkdir()
    for line, told in {
        "runs = 3": 'runs: use a folder in quotes, or several as in ["runs", "/data/runs"], not 3',
        'runs = ["a", 3]': "runs: use a folder in quotes",
        'palette = "warm"': 'palette: use a list of colours such as ["#0072b2", "#e69f00"]',
        'palette = ["#0072b2", "red"]': "palette: use colours such as #0072b2, not 'red'",
        'palette = ["#0072b2", "#00g2b2"]': "palette: use colours such as #0072b2, not '#00g2b2'",
        'palette = ["blue", "red"]': "palette: use colours such as #0072b2, not 'blue', 'red'",
        'palette = ["#0072b2", 7]': "palette: use colours such as #0072b2, not 7",
        'palette = ["#0072b2"]': "palette: use two colours or more",
    }.items():
        config.write_text(line)
        preferences, [problem] = read_preferences(config)
        assert preferences == DEFAULTS and told in problem
    config.write_text('palette = ["#0072b2", "#e69f00"]\nruns = ["a", ""]')
    preferences, problems = read_preferences(config)
    assert preferences.palette == ("#0072b2", "#e69f00") and not problems
    assert preferences.runs_folders == ("a",)


def test_views_are_kept_per_run_and_lost_without_harm(tmp_path: Path) -> None:
    views = ViewStates(tmp_path / "views")
    views.keep(tmp_path / "a", "log", True)
    views.keep(tmp_path / "b", "log", False)
    views.keep(None, "runs table", {"sort": "knn"})
    again = ViewStates(tmp_path / "views")
    assert again.of(tmp_path / "a") == {"log": True}
    assert again.of(tmp_path / "b") == {"log": False}
    assert again.of(None) == {"runs table": {"sort": "knn"}}
    for file in (tmp_path / "views").iterdir():
        file.write_text("[")
    assert again.of(tmp_path / "a") == {}
    nowhere = ViewStates(Path(os.devnull) / "views")
    nowhere.keep(None, "x", 1)
    assert nowhere.of(None) == {}
