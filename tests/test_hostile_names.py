"""Names that would move a cursor, turn a line or fill a screen, wherever a person sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.terminal import Terminal
from tests.tui.made_runs import clusters
from tui_latent.cli.main import main
from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import load_preset
from tui_latent.launch.progress import describe
from tui_latent.reports import export_report
from tui_latent.runs.reader import RunReader
from tui_latent.runs.run_list import list_runs
from tui_latent.runs.schema import LatentMap, RunError
from tui_latent.runs.writer import RunWriter
from tui_latent.sources.errors import DataError

TITLE = "\x1b]0;owned\x07"
"""sets the title of a terminal that believes it"""
NASTY = (
    TITLE,
    "\x1b[2J",
    "[red]",
    "[/]",
    "a\nb",
    "\u202egnp.exe",
    "\x00",
    "$\\frac{$",
    "x" * 10_000,
)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    """A run in which everything that has a name has a nasty one."""
    preset = {"title": "".join(NASTY), "data": {"source": TITLE}, "train": {"log_every": 1}}
    writer = RunWriter.create(tmp_path, TITLE, preset, {"command": TITLE}, "run")
    made = clusters(90, 9)
    writer.latent_map(
        LatentMap(5, made.points, made.indices, made.labels, NASTY), np.eye(9, dtype=int)
    )
    writer.metrics(5, 1.0, 1.0, {"train/loss": 1.0, **{f"train/{name}": 1.0 for name in NASTY}})
    (writer.path / "train.log").write_bytes("\n".join(NASTY).encode() + b"\n")
    writer.status(state="failed", error=f"no {TITLE}\n[/]{'y' * 9000}", device="cpu \x1b[2J")
    writer.close()
    path = tmp_path / f"{TITLE}[red]\n\u202erun"
    writer.path.rename(path)
    yield path


def test_all_that_is_read_of_a_run_can_be_printed(run: Path) -> None:
    snapshot = RunReader(run).refresh()
    assert snapshot.map is not None and len(snapshot.map.class_names) == len(NASTY)
    texts = [snapshot.name, *snapshot.class_names, *snapshot.curves, *snapshot.log]
    texts += [
        describe(snapshot),
        snapshot.status.device,
        *(snapshot.status.error or "").split("\n"),
    ]
    texts += json.dumps([snapshot.preset, snapshot.provenance], ensure_ascii=False).splitlines()
    (summary,) = list_runs(run.parent)
    texts += [summary.name, summary.preset, summary.problem]
    for text in texts:
        assert text.isprintable()
    assert max(map(len, snapshot.class_names)) <= 200


@pytest.mark.parametrize("words", [["runs"], ["control", "latest", "pause"], ["runs", "--json"]])
def test_no_command_prints_what_moves_a_cursor(run: Path, words: list[str]) -> None:
    result = CliRunner().invoke(main, [*words, "--runs", str(run.parent)])
    assert result.output.replace("\n", "").isprintable()


def test_errors_for_people_can_be_printed() -> None:
    for error in (
        RunError(TITLE + "\nnext"),
        DataError(TITLE + "\nnext"),
        PresetError(TITLE, [("a\x1b", "b\x00")]),
    ):
        assert all(line.isprintable() for line in str(error).split("\n"))


def test_a_report_of_it_is_written(run: Path) -> None:
    assert export_report(run).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("columns", [80, 150])
def test_the_dashboard_and_the_menu_show_it_harmlessly(run: Path, columns: int) -> None:
    terminal = Terminal("--runs", str(run.parent), columns=columns, lines=40)
    try:
        terminal.wait_for("failed")
        terminal.type("\t")
        terminal.wait_for("Resume")
        terminal.type("\r")
        terminal.wait_for("Failed: no")
        terminal.wait_for("Latent map", "Map ·")
    finally:
        terminal.close()
    assert TITLE.encode() not in terminal.painted
    assert "\u202e".encode() not in terminal.painted


@pytest.mark.parametrize(
    "name", ["../out", "a/b", "/tmp/x", "..", "a\x1b[2J", "\u202ea", "x" * 101]
)
def test_no_name_leads_a_run_out_of_its_folder(tmp_path: Path, name: str) -> None:
    runs = tmp_path / "runs"
    words = ["train", "digits-contrastive-2d", "--runs", str(runs), "--name", name]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "cannot name a run" in result.output
    assert [path.name for path in tmp_path.iterdir() if path != runs] == []


def test_a_preset_is_data_and_no_code(tmp_path: Path) -> None:
    file = tmp_path / "evil.toml"
    file.write_text("title = \"x\"\n[data]\nsource = \"__import__('os').system('true')\"\n")
    with pytest.raises(PresetError, match="unknown value"):
        load_preset(str(file))


@pytest.mark.parametrize("name", ["x" * 10_000, "~nobody-here/x", "a/" * 3000 + "b"])
@pytest.mark.parametrize(
    "words",
    [
        ["attach"],
        ["resume"],
        ["train"],
        ["runs", "--runs"],
        ["train", "digits-contrastive-2d", "--set", "data.source=folder", "--set", "data.path="],
        ["train", "digits-contrastive-2d", "--set", "data.weights="],
    ],
)
def test_a_name_that_is_no_path_gets_a_sentence_not_a_traceback(
    words: list[str], name: str
) -> None:
    glued = words[-1].endswith("=")
    command = [*words[:-1], words[-1] + name] if glued else [*words, name]
    result = CliRunner().invoke(main, command)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code in (1, 2)
    assert result.output.startswith("tui-latent: ") and len(result.output) < 3000


def test_an_error_of_the_system_that_nobody_foresaw_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(folder: Path, *_: object, **__: object) -> None:
        raise OSError(5, "Input/output error", f"{folder}/x\x1b[2J")

    monkeypatch.setattr("tui_latent.preferences.listed_runs.list_runs", unreadable)
    result = CliRunner().invoke(main, ["runs", "--runs", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output == f"tui-latent: {tmp_path}/x�[2J: Input/output error\n"
