"""What a process says when it does not fit the one that leads the run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.training.conftest import SMALL
from tui_latent.config.presets import load_preset
from tui_latent.config.settings import Preset
from tui_latent.training.rank_checks import EPOCHS, Told, difference, parsed, settings_of, told


def _preset(**changes: object) -> Preset:
    changed = {key.replace("__", "."): value for key, value in changes.items()}
    return load_preset("digits-contrastive-2d", SMALL | {"stages": []} | changed)


def test_the_same_command_on_all_machines_differs_in_nothing() -> None:
    preset = _preset()
    before = Told(*told(preset))
    assert parsed(before) == preset
    assert difference(before, preset, settings_of(preset)) == ""
    assert difference(before, preset, {}) == ""


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"train__lr": 0.5}, "train.lr is 0.5 here"),
        ({"data__classes": ["1", "2"]}, "data.classes is"),
        ({"augment__rotate": 3.0}, "augment.rotate is 3.0 here"),
        ({"method__width": 8}, "method.width is 8 here and 4 there"),
        ({"train__batch_size": 40, "train__seed": 7}, "train.batch_size is 40 here"),
    ],
    ids=["rate", "classes", "augmentation", "network", "two"],
)
def test_another_setting_is_named_with_both_values(changes: dict[str, Any], named: str) -> None:
    preset = _preset()
    said = difference(told(preset), preset, settings_of(_preset(**changes)))
    assert named in said and "start the same command on all machines" in said


def test_of_many_settings_three_are_named() -> None:
    preset = _preset()
    asked = dict.fromkeys(("train.lr", "train.seed", "train.epochs", "method.width"), -1)
    assert "and 1 more differs" in difference(told(preset), preset, asked)


def test_a_resume_is_asked_for_its_own_settings_alone() -> None:
    preset = _preset()
    assert difference(told(preset), preset, {EPOCHS: 3, "train.patience": 0}) == ""
    assert "epochs is 30 here and 3 there" in difference(told(preset), preset, {EPOCHS: 30})


@pytest.mark.parametrize("name", ["torch", "tui-latent", "the code of tui-latent"])
def test_another_version_is_named(name: str) -> None:
    preset = _preset()
    before = told(preset)
    other = before._replace(versions={**before.versions, name: "0.0.1"})
    assert f"it has {name} " in difference(other, preset, {})
    assert "process 0 has 0.0.1: install the same version" in difference(other, preset, {})


def test_other_code_of_a_plugin_is_named() -> None:
    preset = _preset()
    other = told(preset)._replace(plugins=[{"name": "mine", "sha256": "0"}])
    assert "its plugins are not those of process 0" in difference(other, preset, {})
