"""The list of commands, which `--help` shows without importing one."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

import tui_latent.cli
from tui_latent.cli.commands import COMMANDS
from tui_latent.cli.config import config
from tui_latent.cli.main import main


def test_every_command_of_the_package_is_listed_under_its_own_name() -> None:
    modules = [
        import_module(f"tui_latent.cli.{m.name}")
        for m in pkgutil.iter_modules(tui_latent.cli.__path__)
    ]
    found = {
        each.name
        for module in modules
        for each in vars(module).values()
        if isinstance(each, click.Command) and each is not main
    }
    nested = {each.name for each in (config.commands.values())}
    assert found - nested == set(COMMANDS)
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None and command.name == name


@pytest.mark.parametrize("width", [60, 80])
def test_help_lists_every_command_in_a_whole_sentence(width: int) -> None:
    shown = CliRunner().invoke(main, ["--help"], terminal_width=width, color=False).output
    flat = " ".join(shown.split())
    for name, (_, sentence) in COMMANDS.items():
        assert f"{name} {sentence}" in flat
        assert sentence.endswith(".")
    if width == 80:
        commands = shown.partition("Commands:")[2].splitlines()
        assert len([line for line in commands if line]) == len(COMMANDS)


def test_an_unknown_command_is_refused() -> None:
    near = CliRunner().invoke(main, ["trai"])
    assert near.exit_code == 2
    assert "No such command 'trai'. Did you mean 'train'?" in near.output
    far = CliRunner().invoke(main, ["banana"])
    assert far.exit_code == 2
    assert "No such command 'banana'.\n" in far.output
    option = CliRunner().invoke(main, ["--tune"])
    assert option.exit_code == 2
    assert "No such option" in option.output


def test_completion_after_an_unknown_command_is_no_error() -> None:
    completion = ShellComplete(main, {}, "tui-latent", "_TUI_LATENT_COMPLETE")
    assert any(found.value == "--runs" for found in completion.get_completions(["trian"], "--r"))


def test_the_folder_of_runs_may_stand_before_the_command(tmp_path: Path) -> None:
    (given := tmp_path / "given").mkdir()
    shown = CliRunner().invoke(main, ["--runs", str(given), "runs"])
    assert f"no runs in {given}" in shown.output + shown.stderr
    other = CliRunner().invoke(main, ["--runs", str(given), "runs", "--runs", str(tmp_path / "o")])
    assert f"no runs in {tmp_path / 'o'}" in other.output + other.stderr
