"""Runs whose method is a plugin's, from start to end: a plugin runs only where it was named."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import tomli_w
from click.testing import CliRunner, Result

from tests.plugins.conftest import EXAMPLES, Load
from tests.waiting import until
from tui_latent.analysis.decoding import no_decoder
from tui_latent.analysis.encoder import read_encoder
from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.inspector import RunInspector
from tui_latent.analysis.run_data import RunData
from tui_latent.cli.main import main
from tui_latent.config.plugin_needs import missing_plugins, require_plugins
from tui_latent.config.presets import load_preset
from tui_latent.launch.queue import queue_run, work
from tui_latent.launch.start import create_run
from tui_latent.plugins.loading import load_file, unload_file
from tui_latent.preferences.queued_plugins import forget_plugins, noted_plugins
from tui_latent.runs.queue import queued_runs
from tui_latent.runs.run_list import run_status
from tui_latent.runs.schema import RunError

KNOWN = ("latent_dim", "network", "width", "hidden_dim")
QUICK = ("train.epochs=2", "data.per_class=8", "method.width=2", "method.latent_dim=4")
SET = [word for setting in QUICK for word in ("--set", setting)]


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """Return the example, in a folder with a space in its name; it is not loaded."""
    folder = tmp_path / "my plugins"
    folder.mkdir()
    for name in ("plugin_barlow.py", "plugin_barlow.toml"):
        shutil.copyfile(EXAMPLES / name, folder / name)
    return folder / "plugin_barlow.py"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the notes of the queue in a folder of the test's own."""
    monkeypatch.setenv("TUI_LATENT_CACHE", str(tmp_path / "cache"))


def command(*words: object) -> Result:
    """Run a command as in a process of its own: its plugins are forgotten afterwards."""
    try:
        return CliRunner().invoke(main, [str(word) for word in words])
    finally:
        for number, word in enumerate(words):
            if word == "--plugin" and Path(str(words[number + 1])).is_file():
                unload_file(load_file(str(words[number + 1])))


def train(plugin: Path, runs: Path, name: str, *words: object) -> Path:
    preset = plugin.with_suffix(".toml")
    result = command(
        "train", preset, "--plugin", plugin, "--runs", runs, "--name", name, *SET, *words
    )
    assert result.exit_code == 0, result.output
    return runs / name


def test_a_run_says_which_plugin_it_needs_and_is_not_touched_without_it(
    plugin: Path, tmp_path: Path
) -> None:
    run = train(plugin, tmp_path, "one")
    provenance = tomllib.loads((run / "preset.toml").read_text())["provenance"]
    [noted] = provenance["plugins"]
    assert (noted["name"], noted["file"]) == ("plugin_barlow", str(plugin))
    assert noted["parts"] == ["method barlow_twins"]
    assert f"--plugin '{plugin}'" in provenance["command"]
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    for words in (
        ("resume", "one", "--epochs", 3),
        ("fork", "one"),
        ("tune", "one", "train.lr=0.01"),
        ("train", run / "preset.toml"),
    ):
        result = command(*words, "--runs", tmp_path)
        assert result.exit_code in (1, 2), (words, result.output)
        assert f"needs the plugin {plugin}" in result.output, (words, result.output)
        assert f"add --plugin '{plugin}' to the command" in result.output
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert command("runs", "--runs", tmp_path).output.startswith("finished")


def test_without_its_plugin_a_run_is_evaluated_and_explored_from_what_it_stored(
    plugin: Path, tmp_path: Path
) -> None:
    run = train(plugin, tmp_path, "one")
    for words in (("evaluate", "one", "--json"), ("report", "one")):
        result = command(*words, "--runs", tmp_path)
        assert result.exit_code == 0, (words, result.output)
    source = RunData(run)
    inspector = RunInspector(run, source)
    assert inspector.held_out_size() == len(source.latents().queries)
    assert inspector.image(0).ndim == 3 and len(inspector.neighbours(0, 3).labels) == 3
    assert not inspector.can_decode
    needs = f"one needs the plugin {plugin}"
    assert source.why_no_network().startswith(needs) and no_decoder(source.preset).startswith(needs)
    for ask in (source.model, lambda: read_encoder(source)):
        with pytest.raises(InspectionError, match=re.escape(needs)):
            ask()
    result = command("evaluate", "one", "--outliers", "folder:nowhere", "--runs", tmp_path)
    assert needs in result.output


@pytest.mark.parametrize("part", ["network", "source"])
def test_without_a_network_or_a_source_the_rest_of_a_run_is_there(
    part: str, tmp_path: Path, plugin: Path
) -> None:
    run = train(plugin, tmp_path, "one")
    file = run / "preset.toml"
    table = tomllib.loads(file.read_text())
    own = {"network": ("method", "network", "wide"), "source": ("data", "source", "microscope")}
    section, key, name = own[part]
    table[section][key] = name
    table["method"] |= {"name": "vicreg"} if part == "network" else {}
    table["provenance"]["plugins"] = [{"name": "gone", "version": "1", "parts": [f"{part} {name}"]}]
    table["method"] = {k: v for k, v in table["method"].items() if k in KNOWN}
    table["method"] |= {"name": "vicreg"}
    file.write_text(tomli_w.dumps(table))
    source = RunData(run)
    assert len(source.latents().queries) > 0
    asked = source.model if part == "network" else source.dataset
    with pytest.raises(InspectionError, match=f"one needs the package gone 1, .*{part} '{name}'"):
        asked()
    if part == "network":
        assert len(source.dataset().val) == len(source.latents().queries)


def test_resume_fork_sweep_and_evaluate_take_it(plugin: Path, tmp_path: Path) -> None:
    train(plugin, tmp_path, "one")
    named = ("--plugin", plugin, "--runs", tmp_path)
    for words in (
        ("resume", "one", "--epochs", 3),
        ("fork", "one", "--name", "forked", "--set", "train.epochs=4"),
        ("evaluate", "forked"),
        ("report", "one"),
        ("compare", "one", "forked"),
        ("sweep", plugin.with_suffix(".toml"), "--name", "s", *SET, "--grid", "train.seed=1,2"),
    ):
        result = command(*words, *named)
        assert result.exit_code == 0, (words, result.output)
    assert run_status(tmp_path / "one").epoch == 3
    forked = tomllib.loads((tmp_path / "forked" / "preset.toml").read_text())["provenance"]
    assert forked["plugins"][0]["file"] == str(plugin)
    assert f"--plugin '{plugin}'" in forked["command"]
    swept = json.loads((tmp_path / "s" / "sweep.json").read_text())["command"]
    assert f"sweep '{plugin.with_suffix('.toml')}' --plugin '{plugin}'" in swept
    # Named before the command, it is there for every command.
    assert command("--plugin", plugin, "evaluate", "one", "--runs", tmp_path).exit_code == 0


def test_a_moved_or_changed_plugin_is_found_by_what_it_adds(plugin: Path, tmp_path: Path) -> None:
    run = train(plugin, tmp_path, "one")
    moved = tmp_path / "moved.py"
    plugin.rename(moved)
    with pytest.raises(RunError, match="that file is not there: name the place where it is now"):
        require_plugins(run)
    moved.write_text(moved.read_text() + "\n# another word\n")
    result = command("resume", "one", "--epochs", 3, "--plugin", moved, "--runs", tmp_path)
    assert result.exit_code == 0, result.output
    assert (
        f"the plugin {moved} has changed since the run was made" in (run / "train.log").read_text()
    )


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ({"name": "lab", "version": "1"}, "the run was made with the package lab 1"),
        ({"name": "lab", "file": "/gone/lab.py", "sha256": "0"}, None),
    ],
)
def test_code_from_elsewhere_under_the_same_name_is_told(
    plugin: Path, tmp_path: Path, record: dict[str, str], sentence: str | None
) -> None:
    run = train(plugin, tmp_path, "one")
    file = run / "preset.toml"
    table = tomllib.loads(file.read_text())
    parts = table["provenance"]["plugins"][0]["parts"]
    table["provenance"]["plugins"] = [record | {"parts": parts}]
    file.write_text(tomli_w.dumps(table))
    result = command("resume", "one", "--epochs", 3, "--plugin", plugin, "--runs", tmp_path)
    assert result.exit_code == 0, result.output
    log = (run / "train.log").read_text()
    expected = f"the plugin is now {plugin}; {sentence}" if sentence else f"{plugin} has changed"
    assert expected in log


def test_all_plugins_that_are_missing_are_named_in_one_message(tmp_path: Path) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    for path in (one, two):
        path.touch()
    records: list[dict[str, object]] = [
        {"name": "one", "file": str(one), "parts": ["method none_1"]},
        {"name": "lab", "version": "2", "parts": ["network none_2"]},
        {"name": "two", "file": str(two), "parts": ["source none_3"]},
    ]
    assert missing_plugins({"plugins": records}) == (
        "needs the package lab 2, which has the network 'none_2': install it here. It also "
        f"needs the plugin {one}, which has the method 'none_1'. It also needs the plugin {two}, "
        "which has the source 'none_3'. A plugin is code, so it runs only when you name it: add "
        f"--plugin {one} --plugin {two} to the command, or start the dashboard with them"
    )


def test_a_run_folder_cannot_make_code_run(plugin: Path, tmp_path: Path) -> None:
    run = train(plugin, tmp_path, "one")
    mark = tmp_path / "executed"
    plugin.write_text(f"open({str(mark)!r}, 'w').close()\n" + plugin.read_text())
    code = (
        "import sys, contextlib; from pathlib import Path\n"
        "from tui_latent.launch.start import train_run\n"
        "from tui_latent.launch.background import background_process\n"
        f"print(train_run(Path({str(run)!r})).error)\n"
        f"background_process(Path({str(run)!r}), []).wait()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "needs the plugin" in result.stdout, result.stderr
    for words in (("runs",), ("resume", "one"), ("evaluate", "one"), ("report", "one")):
        command(*words, "--runs", tmp_path)
    assert not mark.exists()
    assert run_status(run).state == "failed" and "needs the plugin" in (run_status(run).error or "")


def test_a_background_process_loads_it(plugin: Path, tmp_path: Path) -> None:
    preset = plugin.with_suffix(".toml")
    words = ["train", preset, "--plugin", plugin, "--runs", tmp_path, "--name", "b", *SET]
    result = command(*words, "--background", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.output.splitlines()[-1])["run"] == "b"
    until(lambda: run_status(tmp_path / "b").state in ("finished", "failed"), seconds=60)
    assert run_status(tmp_path / "b").state == "finished", run_status(tmp_path / "b").error


def test_a_queued_run_takes_it_along_outside_the_folder_of_runs(
    plugin: Path, tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(plugin)
    runs = tmp_path / "runs"
    overrides = {"train.epochs": 1, "data.per_class": 8, "method.width": 2}
    preset = load_preset(str(plugin.with_suffix(".toml")), overrides)
    run = create_run(str(plugin.with_suffix(".toml")), preset, runs, "q")
    monkeypatch.setattr("tui_latent.launch.queue.work_on_queue", lambda folder: None)
    assert queue_run(run) == 1
    assert noted_plugins(run) == [str(plugin)]
    assert str(plugin) not in (runs / "queue.json").read_text()
    # The worker may be a process that has never heard of the plugin.
    worker = [sys.executable, "-m", "tui_latent.launch.queue", str(runs)]
    subprocess.run(worker, env=dict(os.environ), timeout=600, check=True)
    assert run_status(run).state == "finished", run_status(run).error
    assert queued_runs(runs) == [] and noted_plugins(run) == []


def test_a_queued_run_whose_plugin_breaks_says_so(
    plugin: Path, tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(plugin)
    preset = load_preset(str(plugin.with_suffix(".toml")), {"train.epochs": 1})
    run = create_run(str(plugin.with_suffix(".toml")), preset, tmp_path / "runs", "q")
    monkeypatch.setattr("tui_latent.launch.queue.work_on_queue", lambda folder: None)
    queue_run(run)
    plugin.write_text("def f(:\n")
    from tui_latent.launch.queue import _train

    work(run.parent, _train)
    assert run_status(run).state == "failed"
    assert f"{plugin}, line 1: " in (run_status(run).error or "")


def test_a_note_that_cannot_be_written_is_reported_before_the_run_is_queued(
    plugin: Path, tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(plugin)
    preset = load_preset(str(plugin.with_suffix(".toml")))
    run = create_run(str(plugin.with_suffix(".toml")), preset, tmp_path / "runs", "q")
    monkeypatch.setenv("TUI_LATENT_CACHE", os.devnull + "/cache")
    with pytest.raises(RunError, match="cannot note the run's plugin for the queue"):
        queue_run(run)
    assert queued_runs(run.parent) == []
    forget_plugins(run)  # which has nothing to forget


def test_a_missing_class_gives_a_sentence_and_no_traceback(plugin: Path, tmp_path: Path) -> None:
    plugin.write_text(plugin.read_text().replace('":barlow_twins"', '":Gone"'))
    preset = plugin.with_suffix(".toml")
    words = ("--plugin", plugin, "--runs", tmp_path, "--name", "one", *SET)
    result = command("train", preset, *words)
    assert result.exit_code == 2
    assert f"{plugin}: there is no 'Gone', which it names as :Gone" in result.output
    assert "Traceback" not in (tmp_path / "one" / "train.log").read_text()


def test_presets_that_need_a_plugin_are_listed_with_it(
    plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_LATENT_PRESETS", str(plugin.parent))
    without = command("presets")
    assert "a method of your own needs --plugin FILE.py" in without.output
    assert "Barlow Twins, a plugin's method" in command("presets", "--plugin", plugin).output
