"""Core and screen are two worlds: what is looked at is `sys.modules` of a fresh Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import tui_latent

ROOT = Path(tui_latent.__file__).parent
FILES = (path.relative_to(ROOT.parent).with_suffix("") for path in ROOT.rglob("*.py"))
MODULES = sorted(
    ".".join(file.parts).removesuffix(".__init__") for file in FILES if file.name != "__main__"
)

SCREEN = ("tui_latent.tui",)
TORCH_FREE = (
    *SCREEN,
    "tui_latent.cli.main",
    "tui_latent.comparison",
    "tui_latent.cli.comparison_table",
    "tui_latent.runtime.hardware",
    "tui_latent.analysis.evaluate",
    "tui_latent.analysis.outliers",
    "tui_latent.analysis.evaluation_table",
    "tui_latent.cli.evaluate",
    "tui_latent.analysis",
    "tui_latent.launch.start",
    "tui_latent.loading",
    "tui_latent.config.preset_files",
    "tui_latent.config.presets",
    "tui_latent.procrustes",
    "tui_latent.runs",
    "tui_latent.config.settings",
    "tui_latent.plugins",
)

WITH_TORCH = (
    "tui_latent.analysis.encoder",
    "tui_latent.analysis.evaluation_anomalies",
    "tui_latent.analysis.evaluation_inputs",
    "tui_latent.analysis.evaluation_neighbours",
    "tui_latent.analysis.evaluation_parts",
    "tui_latent.analysis.outlier_embedding",
    "tui_latent.analysis.untrained",
)
"""modules of a torch-free room that only its functions import"""


OPTIONAL = ("tui_latent.integrations.lightning", "tui_latent.integrations.transformers")
"""modules of which each needs a package that may be absent"""


def within(module: str, rooms: tuple[str, ...]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def loaded_by(modules: list[str]) -> set[str]:
    """Return the top-level packages in memory after importing the modules in a fresh Python."""
    return {name.partition(".")[0] for name in modules_loaded_by(modules)}


def modules_loaded_by(modules: list[str]) -> set[str]:
    """Return the names in `sys.modules` after importing the modules in a fresh Python."""
    code = (
        "import importlib, json, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    command = [sys.executable, "-c", code, *modules]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_the_rooms_are_found() -> None:
    assert {"tui_latent.runs.reader", "tui_latent.config.presets", "tui_latent.tui"} <= set(MODULES)


def test_what_a_screen_imports_leaves_torch_out() -> None:
    free = [m for m in MODULES if within(m, TORCH_FREE) and not within(m, WITH_TORCH)]
    loaded = loaded_by(free)
    assert not loaded & {"torch", "torchvision", "sklearn", "scipy", "matplotlib"}


def test_what_the_core_imports_leaves_the_screen_out() -> None:
    core = [module for module in MODULES if not within(module, (*SCREEN, *OPTIONAL))]
    assert not loaded_by(core) & {"textual", "textual_image", "plotext"}


@pytest.mark.parametrize("module", ["tui_latent.cli.main", "tui_latent.config.preset_files"])
def test_what_answers_at_once_imports_little(module: str) -> None:
    heavy = {"torch", "numpy", "textual", "pydantic", "rich", "matplotlib"}
    assert not loaded_by([module]) & heavy


def test_the_run_folder_needs_numpy_tomli_w_and_the_standard_library_only() -> None:
    records = [module for module in MODULES if within(module, ("tui_latent.runs",))]
    others = loaded_by(records) - loaded_by(["numpy"]) - set(sys.stdlib_module_names)
    assert others <= {"tui_latent", "tomli_w"}


FIRST_FRAME = (
    "tui_latent.cli.commands",
    "tui_latent.cli.dashboard",
    "tui_latent.cli.main",
    "tui_latent.cli.options",
    "tui_latent.config.own_folders",
    "tui_latent.config.preset_files",
    "tui_latent.nouns",
    "tui_latent.number_format",
    "tui_latent.palettes",
    "tui_latent.plugins.loading",
    "tui_latent.plugins.registry",
    "tui_latent.preferences.config_file",
    "tui_latent.preferences.kept",
    "tui_latent.preferences.runs_folders",
    "tui_latent.runs.origin",
    "tui_latent.preferences.view_state",
    "tui_latent.runtime",
    "tui_latent.sources",
    "tui_latent.tui",
)
"""rooms and files of ours that may be imported before the menu is painted: not the runs, of which
a thread reads the list afterwards, and not the settings of presets, which need pydantic"""

LATE = {"torch", "numpy", "pydantic", "matplotlib", "http", "safetensors", "tomli_w"}
LATE |= {"gzip", "hashlib", "hmac", "secrets", "shlex", "xml"}


def test_the_menu_is_painted_before_anything_else_is_imported() -> None:
    commands = ["tui_latent.cli.main", "tui_latent.cli.dashboard"]
    menu = "tui_latent.tui.screens.menu"
    screens = ["tui_latent.tui.app", f"{menu}.screen", f"{menu}.preset_facts"]
    loaded = modules_loaded_by([*commands, *screens])
    assert not {name.partition(".")[0] for name in loaded} & LATE
    folders = {name.rpartition(".")[0] for name in loaded}
    ours = {name for name in loaded - folders if name.startswith("tui_latent.")}
    assert not {name for name in ours if not within(name, FIRST_FRAME)}


def test_the_list_of_commands_imports_no_command() -> None:
    commands = {name for name in modules_loaded_by(["tui_latent.cli.main"]) if ".cli." in name}
    assert commands == {f"tui_latent.cli.{name}" for name in ("commands", "main", "options")}
