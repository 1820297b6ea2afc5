"""A method is one place: Barlow Twins, added by a plugin's file, is known everywhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tui_latent.analysis.decoding import no_decoder
from tui_latent.comparison import compare
from tui_latent.config.methods import METHOD_SETTINGS
from tui_latent.config.preset_fields import preset_fields
from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import load_run_preset, parse_preset
from tui_latent.config.settings import Preset
from tui_latent.launch.start import create_run, train_run
from tui_latent.methods import METHODS
from tui_latent.plugins.loading import load_file, unload_file
from tui_latent.reports.export import export_report
from tui_latent.reports.layouts import PANELS, layout_rows
from tui_latent.runs.metric_specs import spec_in_run
from tui_latent.runs.reader import RunReader
from tui_latent.runs.run_list import list_runs
from tui_latent.tui.screens.dashboard.views import loss_series
from tui_latent.tui.screens.menu.preset_summary import latent_words, method_words
from tui_latent.tui.screens.settings.draft import SettingsDraft

TABLE: dict[str, Any] = {
    "data": {"source": "digits", "per_class": 12, "classes": ["3", "5", "8"]},
    "augment": {"rotate": 15},
    "method": {"name": "barlow_twins", "latent_dim": 8, "width": 4, "hidden_dim": 16},
    "train": {"epochs": 2, "batch_size": 18, "log_every": 1, "device": "cpu"},
}


EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin_barlow.py"


@pytest.fixture(autouse=True)
def barlow_twins() -> Iterator[None]:
    """Load the method, and take it away after the test."""
    plugin = load_file(str(EXAMPLE))
    yield
    unload_file(plugin)


def preset(**method: Any) -> Preset:
    return parse_preset(TABLE | {"method": TABLE["method"] | method}, {}, "barlow.toml")


def trained(runs: Path, name: str, **method: Any) -> Path:
    path = create_run("barlow", preset(**method), runs, name)
    status = train_run(path)
    assert status.state == "finished", status.error
    return path


def test_the_menu_describes_it() -> None:
    assert method_words(preset()) == ["Barlow Twins, lambda 0.005", "small-conv, width 4"]
    assert latent_words(preset()) == ["8-D", "trained without labels"]
    assert "has no decoder" in no_decoder(preset())


def test_the_form_has_a_row_for_each_of_its_settings(tmp_path: Path) -> None:
    rows = {field.key: field for field in preset_fields(preset()) if field.key[:6] == "method"}
    assert list(rows) == [
        *("method.latent_dim", "method.network", "method.width", "method.hidden_dim"),
        *("method.dropout", "method.initial_weights", "method.redundancy_weight"),
    ]
    assert rows["method.redundancy_weight"].help.startswith("weight of the correlations")
    draft = SettingsDraft("barlow.toml", TABLE, preset(), tmp_path)
    draft.write("method.redundancy_weight", "-1")
    assert "greater than or equal to 0" in draft.errors["method.redundancy_weight"]
    draft.write("method.redundancy_weight", "0.01")
    assert draft.preset == preset(redundancy_weight=0.01)


def test_an_evaluation_finds_the_backbone_of_its_encoder() -> None:
    method = METHODS["barlow_twins"](preset().method, (1, 8, 8)).eval()
    layers = method.layers(torch.rand(3, 1, 8, 8))
    assert {name: tuple(z.shape) for name, z in layers.items()} == {
        "backbone": (3, 16),
        "representation": (3, 8),
    }


def test_wrong_settings_are_refused_by_name() -> None:
    with pytest.raises(PresetError, match=r"method\.redundancy_wait: unknown key; did you mean"):
        preset(redundancy_wait=1)
    with pytest.raises(PresetError, match="'barlow_twins' does not train in stages"):
        stages = [{"epochs": 1, "latent_dim": 8, "lr": 0.1}]
        parse_preset(TABLE | {"stages": stages}, {}, "barlow.toml")


@pytest.mark.slow
def test_curves_report_and_comparison_say_the_right_things(tmp_path: Path) -> None:
    path = trained(tmp_path, "one")
    other = trained(tmp_path, "other", redundancy_weight=0.0)
    wide = trained(tmp_path, "wide", width=8)
    run = RunReader(path).refresh()
    assert load_run_preset(path) == preset()
    titles = [series.name for series in loss_series(run)]
    assert titles == ["total", "on diagonal", "off diagonal"]
    on_diagonal = spec_in_run("train/on_diagonal", METHOD_SETTINGS["barlow_twins"].terms)
    assert on_diagonal.meaning.startswith("How far the two views are")
    last = {name: curve.last for name, curve in run.curves.items()}
    weighted = last["train/on_diagonal"] + 0.005 * last["train/off_diagonal"]
    assert last["train/loss"] == pytest.approx(weighted, rel=1e-4)

    report = json.loads(export_report(path).with_suffix(".json").read_text())
    assert [term["name"] for term in report["loss"]] == ["loss", "on_diagonal", "off_diagonal"]
    rows = [row.panels for row in layout_rows("barlow_twins")]
    assert rows == [(PANELS["components"],), (PANELS["evaluation"], PANELS["roc"])]
    without = json.loads(export_report(other).with_suffix(".json").read_text())
    assert [term["name"] for term in without["loss"]] == ["loss", "on_diagonal"]

    found = compare([run, RunReader(other).refresh()])
    assert "different objectives (method.redundancy_weight)" in found.notes[0]
    assert not compare([run, RunReader(wide).refresh()]).notes


def test_runs_of_a_method_that_is_gone_can_still_be_read(tmp_path: Path) -> None:
    path = trained(tmp_path, "gone")
    unload_file(load_file(str(EXAMPLE)))
    with pytest.raises(
        PresetError, match=r"needs the plugin .*plugin_barlow\.py, which has the met"
    ):
        load_run_preset(path)
    run = RunReader(path).refresh()
    assert [series.name for series in loss_series(run)][1:] == ["on diagonal", "off diagonal"]
    [listed] = list_runs(tmp_path)
    assert not listed.problem
    report = json.loads(export_report(path).with_suffix(".json").read_text())
    assert [term["name"] for term in report["loss"]] == ["loss", "on_diagonal", "off_diagonal"]
    again = shutil.copytree(path, tmp_path / "again")
    assert not compare([run, RunReader(again).refresh()]).notes
    for odd in ("method = 3", "[method]", '[method]\nname = ["x"]', '[method]\nname = "vicreg"'):
        (again / "preset.toml").write_text(odd)
        export_report(again)
        compare([run, RunReader(again).refresh()])
