"""`check-plugin`: our own methods pass, and each way to be wrong is found by name."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tui_latent.cli.main import main
from tui_latent.config.methods import METHOD_SETTINGS
from tui_latent.launch.method_check import check_method
from tui_latent.launch.plugin_check import check_plugin
from tui_latent.launch.tried_checks import Check
from tui_latent.plugins.loading import load_file, unload_file

EXAMPLES = Path(__file__).parents[2] / "examples"
METHOD = '''
import random
from collections.abc import Callable
from typing import ClassVar, Literal
import torch
from torch import nn
from tui_latent.config.methods.base import NetworkSettings, register
from tui_latent.methods import Method

@register
class Settings(NetworkSettings):
    """Latents of a linear layer keep the images apart."""

    name: Literal["linear"]
    strength: float = 1.0
    """weight of the term"""
    trained_by: ClassVar = ":Linear"
    terms: ClassVar = {"pull": "How far the mean is from the pixels' mean.", "size": "Length."}

    def term_weights(self, numbers):
        return {"pull": self.strength}

class Linear(Method):
    pairing = "alone"

    def __init__(self, settings, input_shape):
        super().__init__(settings, input_shape)
        self.layer = nn.Linear(self._numbers, settings.latent_dim)
        self.spare = None
        self.shift = torch.zeros(())

    def losses(self, batch):
        z = self.embed(batch.x)
        with torch.autocast("cpu", enabled=False):
            return {"pull": (z.mean(1) - batch.x.flatten(1).mean(1)).square().mean()}

    def embed(self, x):
        with torch.autocast("cpu", enabled=False):
            return self.layer(x.float().flatten(1)) + self.shift
'''


def checks(folder: Path, *changes: tuple[str, str]) -> dict[str, Check]:
    """Return the checks of the method above, with parts of its code replaced."""
    text = METHOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "mine.py").write_text(text)
    plugin = load_file(str(folder / "mine.py"))
    try:
        [found] = check_plugin(plugin, {}).values()
    finally:
        unload_file(plugin)
    return {check.title: check for check in found}


def test_weights_that_are_not_finite_are_no_sign_of_labels(tmp_path: Path) -> None:
    found = checks(tmp_path, (".square().mean()}", ".square().mean() * float('nan')}"))
    assert "'loss', 'pull' are not finite at step 1" in [check.problem for check in found.values()]
    assert not found["training sees no label"].problem


def test_an_unknown_pairing_is_answered_with_those_that_there_are(tmp_path: Path) -> None:
    found = checks(tmp_path, ('pairing = "alone"', 'pairing = "vews"'))
    problem = found["its networks are built"].problem
    assert "unknown pairing 'vews'" in problem and "alone, views, pairs, triplets" in problem


def test_a_setting_that_is_needed_is_answered_with_how_to_give_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(METHOD.replace("strength: float = 1.0", "strength: float"))
    words = ["check-plugin", str(tmp_path / "mine.py")]
    try:
        refused = CliRunner().invoke(main, words)
        assert refused.exit_code == 2
        found = re.search(r"give it with (--set) (method\.strength=\S+)", refused.output)
        assert found is not None, refused.output
        assert CliRunner().invoke(main, [*words, *found.groups()]).exit_code == 0
    finally:
        unload_file(load_file(str(tmp_path / "mine.py")))


@pytest.mark.parametrize("name", METHOD_SETTINGS)
def test_our_own_methods_pass(name: str) -> None:
    found = check_method(name, {})
    assert len(found) >= 6 and all(check.tried for check in found)
    assert [check for check in found if check.problem] == []


def test_a_sound_method_passes(tmp_path: Path) -> None:
    assert [check for check in checks(tmp_path).values() if check.problem] == []


@pytest.mark.parametrize(
    ("old", "new", "title", "problem"),
    [
        ('    """weight of the term"""\n', "", "it is described", "strength: no docstring below"),
        ('"pull": self', '"push": self', "its terms are named", "returns 'pull', but .* 'push'"),
        (
            ".square().mean()}",
            ".square()}",
            "its terms are named",
            "pull is not a scalar tensor: take its mean",
        ),
        (
            "strength: float = 1.0",
            "strength: Callable = print",
            "a run keeps its settings",
            "cannot be written as TOML",
        ),
        (
            "    def term_weights",
            "    def summary(self):\n        return 'pulls'\n\n    def term_weights",
            "it is described",
            "summary returns no list of strings",
        ),
        (
            'return {"pull": self.strength}',
            "return [self.strength]",
            "its terms are named",
            "term_weights returns a list, not a dict",
        ),
        (
            'return {"pull": (z.mean(1) - batch.x.flatten(1).mean(1)).square().mean()}',
            "return [z.mean()]",
            "its terms are named",
            "losses returns a list, not a dict",
        ),
        ("def embed", "def embedding", "its terms are named", r"Linear has no embed\(self, x\)"),
        ("z.mean(1) -", "z.men(1) -", "its terms are named", r"mine\.py, line \d+: AttributeError"),
        (".square().mean()}", ".square().mean() / 0}", "its terms are named", "pull is inf on"),
        (
            ".square().mean()}",
            ".square().mean().double()}",
            "its terms are named",
            r"pull is torch\.float64, not float32",
        ),
        (
            ".square().mean()}",
            ".square().mean().detach()}",
            "its terms are named",
            "no term with a weight above 0 depends on the networks",
        ),
        (
            "self.spare = None",
            "self.spare = nn.Linear(2, 2)",
            "gradients reach every parameter",
            r"no gradient reaches 'spare\.weight', 'spare\.bias'",
        ),
        (
            "return self.layer(x.float().flatten(1)) + self.shift",
            "z = self.layer(x.float().flatten(1))\n            return z + torch.randn_like(z)",
            "embed is deterministic",
            "embed draws random numbers",
        ),
        (
            "+ self.shift",
            "- x.float().mean()",
            "embed is deterministic",
            "depends on the other images of its batch",
        ),
        (
            "settings.latent_dim)",
            "settings.latent_dim + 1)",
            "embed is deterministic",
            r"shape \(\d+, 4\), not \(N, latent_dim\) = \(\d+, 3\)",
        ),
        (
            "    def losses(self, batch):\n",
            "    def losses(self, batch):\n        self.shift = self.shift + 0.1\n",
            "a checkpoint brings back",
            r"keep what embed needs in parameters or in buffers",
        ),
        (
            ".square().mean()}",
            ".square().mean() * random.random()}",
            "resumed training repeats",
            "draw random numbers with torch alone",
        ),
        (
            "    def embed(self",
            "    def decode(self, z):\n        return z\n\n    def embed(self",
            "decode returns images",
            "it decodes, but decodes is False",
        ),
        (
            'with torch.autocast("cpu", enabled=False):\n            return self',
            "if True:\n            return self",
            "losses and latents stay float32",
            r"embed returns torch\.bfloat16 under bfloat16",
        ),
        ('pairing = "alone"', 'pairing = "twins"', "its networks are built", "twins"),
        (
            "        z = self.embed(batch.x)\n",
            "        z = self.embed(batch.pixels)\n",
            "its terms are named",
            r"mine\.py, line 34: AttributeError: .*'pixels'|losses|AttributeError",
        ),
    ],
)
def test_each_way_to_be_wrong_is_found(
    tmp_path: Path, old: str, new: str, title: str, problem: str
) -> None:
    found = checks(tmp_path, (old, new))
    [check] = [check for name, check in found.items() if name.startswith(title)]
    assert re.search(problem, check.problem), check


def test_a_method_that_sees_labels_without_saying_so_is_found(tmp_path: Path) -> None:
    pulled = ("z.mean(1) - batch.x.flatten(1).mean(1)", "z.mean(1) - batch.labels.float()")
    found = checks(tmp_path, ('pairing = "alone"', 'pairing = "triplets"'), pulled)
    assert "must set supervised: ClassVar = True" in found["training sees no label"].problem
    said = ("    terms: ClassVar", "    supervised: ClassVar = True\n    terms: ClassVar")
    found = checks(tmp_path, ('pairing = "alone"', 'pairing = "triplets"'), pulled, said)
    assert "training sees no label" not in found


def test_the_command_prints_every_check_and_fails_when_one_does(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(METHOD.replace("self.spare = None", "self.spare = nn.Linear(2, 2)"))
    try:
        plain = CliRunner().invoke(main, ["check-plugin", str(path)])
        as_json = CliRunner().invoke(main, ["check-plugin", str(path), "--json"])
    finally:
        unload_file(load_file(str(path)))
    assert plain.exit_code == as_json.exit_code == 1
    lines = plain.output.splitlines()
    assert lines[0] == "method linear" and lines[-1] == "1 problem"
    assert "  FAILED    gradients reach every parameter" in lines
    table = json.loads(as_json.output.splitlines()[-1])
    assert not table["ok"]
    [part] = table["parts"]
    assert [c["check"] for c in part["checks"] if c["problem"]] == [
        "gradients reach every parameter"
    ]


def test_the_examples_are_right() -> None:
    for name in ("plugin_barlow", "plugin_source"):
        path = EXAMPLES / f"{name}.py"
        try:
            result = CliRunner().invoke(main, ["check-plugin", str(path)])
        finally:
            unload_file(load_file(str(path)))
        assert result.exit_code == 0, result.output
        assert result.output.splitlines()[-1] == "everything is right"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "np.uint8)[:, None]",
            "np.uint8)",
            r"\(1000, 16, 16\), not uint8 or uint16 \(N, C, H, W\)",
        ),
        ('("disc", "ring")', '("disc",)', "train has label 1, but 1 class name:"),
        ("labels[:1000])", "labels[:999])", r"1,000 images, but labels of shape \(999,\)"),
        ("default_rng(0)", "default_rng()", "two readings differ"),
        ("return 1, 16, 16", "return 3, 16, 16", r"it says \(3, 16, 16\), but the images are"),
        ("radius - 1.5", "radius - 1.5 / 0", r"line \d+: ZeroDivisionError"),
    ],
)
def test_what_is_wrong_with_a_source_is_found(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    text = (EXAMPLES / "plugin_source.py").read_text()
    assert old in text
    (tmp_path / "rings.py").write_text(text.replace(old, new))
    plugin = load_file(str(tmp_path / "rings.py"))
    try:
        [found] = check_plugin(plugin, {}).values()
    finally:
        unload_file(plugin)
    assert re.search(problem, " ".join(check.problem for check in found)), found
