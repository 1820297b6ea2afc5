"""A plugin's file: a sentence says what is wrong with it, and nothing of it stays."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.conftest import EXAMPLES, Load
from tui_latent.config.methods import METHOD_SETTINGS
from tui_latent.config.networks import NETWORKS
from tui_latent.config.preset_fields import preset_fields
from tui_latent.config.presets import parse_preset
from tui_latent.methods import METHODS
from tui_latent.plugins.loading import all_plugins, load_file
from tui_latent.plugins.registry import PluginError, plugin_of
from tui_latent.sources import SOURCES

METHOD = '''
from typing import ClassVar, Literal
from tui_latent.config.methods.base import MethodSettings, register

@register
class Settings(MethodSettings):
    """A method of one's own."""

    name: Literal["NAME"]
    trained_by: ClassVar = ":Trained"
'''
NETWORK = """
from torch import nn
from tui_latent.config.networks import Network, register

def build(shape, width, activation):
    features = shape[0] * shape[1] * shape[2]
    layers = nn.Sequential(nn.Flatten(), nn.Linear(features, 4 * width), activation())
    return layers, 4 * width

register(Network(name="flat", build=build))
"""


def before_and_after() -> tuple[list[str], ...]:
    return (
        list(METHOD_SETTINGS),
        list(NETWORKS),
        list(SOURCES),
        [each.file for each in all_plugins()],
        [*sys.modules],
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("def f(:\n", r"my\.py, line 1: .*invalid syntax"),
        ("x = 1\n\n1 / 0\n", r"my\.py, line 3: ZeroDivisionError: division by zero"),
        (
            "import not_installed_anywhere",
            r"line 1: ModuleNotFoundError: No module named 'not_inst",
        ),
        ("import sys\nsys.exit(3)", r"my\.py, line 2: SystemExit: 3"),
        ("x = 1", r"my\.py: adds no method, network or source: put @register before"),
        (METHOD.replace("NAME", "vicreg"), r"line 5: there is a method 'vicreg' that comes with"),
        (METHOD.replace("NAME", "a b"), r"'a b' cannot name a method: use up to 50 letters"),
        (METHOD.replace('Literal["NAME"]', "str"), "Settings needs a name: write name: Literal"),
        (
            METHOD.replace('    trained_by: ClassVar = ":Trained"', ""),
            "Settings does not say which class trains it",
        ),
        (
            METHOD.replace("NAME", "first") + METHOD.replace("NAME", "siamese"),
            "there is a method 'siamese'",
        ),
        ("x = '\0'", r"my\.py.*null bytes"),
    ],
)
def test_what_is_wrong_is_reported_and_nothing_stays(
    tmp_path: Path, content: str, sentence: str
) -> None:
    path = tmp_path / "my.py"
    path.write_text(content)
    before = before_and_after()
    with pytest.raises(PluginError, match=sentence):
        load_file(str(path))
    assert before_and_after() == before


def test_what_is_no_plugin_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    for name, sentence in (
        ("gone.py", "there is no such file"),
        ("", "a folder: name the plugin's file"),
        ("notes.txt", r"a plugin's name ends in \.py"),
        ("a\0b.py", "not a path"),
        ("notes.txt/x.py", "there is no such file"),
    ):
        with pytest.raises(PluginError, match=sentence):
            load_file(f"{tmp_path}/{name}")


def test_two_plugins_cannot_share_a_name(tmp_path: Path, load: Load) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    for path in (one, other):
        path.write_text(METHOD.replace("NAME", "mine"))
    load(one)
    with pytest.raises(PluginError, match=r"there is a method 'mine' from .*one\.py: choose"):
        load_file(str(other))
    assert plugin_of("method", "mine") is load(one)  # and the first is not harmed


def test_a_file_is_executed_once_under_any_of_its_names(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "my.py"
    path.write_text(METHOD.replace("NAME", "mine"))
    (tmp_path / "link.py").symlink_to(path)
    plugin = load(path)
    assert load(tmp_path / "link.py") is plugin is load(tmp_path / ".." / tmp_path.name / "my.py")
    assert plugin.parts == [("method", "mine")]
    assert plugin.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_can_import_those_beside_it(tmp_path: Path, load: Load) -> None:
    (tmp_path / "beside_it_7.py").write_text("from tui_latent.methods.vicreg import Vicreg\n")
    path = tmp_path / "my.py"
    path.write_text(METHOD.replace("NAME", "mine").replace(":Trained", "beside_it_7:Vicreg"))
    load(path)
    assert METHODS["mine"] is METHODS["vicreg"]


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        (":Gone", r"my\.py: there is no 'Gone', which it names as :Gone"),
        ("no_such_module_7:X", "No module named 'no_such_module_7'"),
        ("Trained", "write it as module:Name, or :Name"),
        (":Settings", "is neither a subclass of tui_latent.methods.Method"),
    ],
)
def test_a_class_that_is_not_there_is_named_when_it_is_needed(
    tmp_path: Path, load: Load, reference: str, sentence: str
) -> None:
    path = tmp_path / "my.py"
    path.write_text(METHOD.replace("NAME", "mine").replace(":Trained", reference))
    load(path)
    with pytest.raises(PluginError, match=sentence):
        METHODS["mine"]


def test_a_network_is_built_and_offered_by_the_form(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "net.py"
    path.write_text(NETWORK)
    load(path)
    method = {"name": "vicreg", "latent_dim": 2, "network": "flat", "width": 3}
    preset = parse_preset({"data": {"source": "digits"}, "method": method}, {}, "x")
    [field] = [field for field in preset_fields(preset) if field.key == "method.network"]
    assert field.kind == "choice" and field.choices == (
        "small-conv",
        "mlp",
        "resnet18",
        "flat",
        "timm:",
    )
    network = METHODS["vicreg"](preset.method, (1, 8, 8))
    assert network.state_dict()["encoder.body.0.1.weight"].shape == (12, 64)


def test_our_methods_and_those_of_a_plugin_enter_by_one_door(load: Load) -> None:
    load(EXAMPLES / "plugin_barlow.py")
    assert set(METHODS) == set(METHOD_SETTINGS)
    for name, settings in METHOD_SETTINGS.items():
        assert settings.trained_by and METHODS[name] is METHODS[name]
    assert plugin_of("method", "vicreg") is None and plugin_of("network", "mlp") is None


@pytest.mark.slow
def test_what_a_plugin_is_the_first_to_import_is_not_its_own_and_torch_stays_out() -> None:
    code = (
        "import sys\n"
        "from tui_latent.plugins.loading import load_file\n"
        f"print(load_file({str(EXAMPLES / 'plugin_barlow.py')!r}).parts)\n"
        "from tui_latent.config.preset_fields import preset_fields\n"
        "from tui_latent.config.presets import load_preset\n"
        f"print(len(preset_fields(load_preset({str(EXAMPLES / 'plugin_barlow.toml')!r}))))\n"
        "print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    lines = result.stdout.splitlines()
    assert lines[:1] == ["[('method', 'barlow_twins')]"], result.stderr
    assert lines[-1] == "False"
