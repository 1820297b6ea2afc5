"""What can be changed in a run while it trains."""

from __future__ import annotations

from typing import Any

import pytest

from tui_latent.config.methods import METHOD_SETTINGS
from tui_latent.config.preset_files import PresetError, preset_names
from tui_latent.config.presets import load_preset
from tui_latent.config.tuning import changed_settings, live_values, tunable_settings, with_values

NUMBERS = 64


@pytest.mark.slow
@pytest.mark.parametrize("name", preset_names())
def test_every_preset_can_be_changed_in_rates_and_in_all_that_has_an_effect(name: str) -> None:
    preset = load_preset(name)
    keys = [field.key for field in tunable_settings(preset)]
    if preset.method.fitted:
        assert keys == []
        return
    rates = [f"stages.{n}.lr" for n in range(len(preset.stages))] or ["train.lr"]
    assert keys[: len(rates)] == rates
    shifted = "augment.translate" in keys
    assert shifted == (preset.data.inputs == "raw")
    for key in keys:
        assert with_values(preset, {key: 0.125}) != preset


@pytest.mark.parametrize("name", preset_names())
def test_exactly_the_settings_that_weigh_a_term_are_weights(name: str) -> None:
    method = load_preset(name).method
    before = method.term_weights(NUMBERS)
    for key in type(method).weights:
        if key in method.without_effect():
            continue
        other = method.model_copy(update={key: getattr(method, key) * 0.5 + 0.1})
        assert other.term_weights(NUMBERS).keys() == before.keys()
        assert other.term_weights(NUMBERS) != before


@pytest.mark.parametrize("settings", METHOD_SETTINGS.values())
def test_a_weight_is_a_number_of_its_method(settings: Any) -> None:
    assert all(settings.model_fields[name].annotation is float for name in settings.weights)


def contrastive(**changes: object) -> Any:
    return load_preset("digits-contrastive-2d", {"stages": [], **changes})


def test_changes_are_values_by_their_names() -> None:
    found = changed_settings(contrastive(), {"train.lr": 0.5, "augment.noise": 0.25}, "RUN")
    assert found == {"train.lr": 0.5, "augment.noise": 0.25}


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("train.lr", -1.0, "greater than 0"),
        ("train.lr", "fast", "valid number"),
        ("train.lr", True, "not true or false"),
        ("train.batch_size", 64, "is fixed while the run trains; train.lr, method.norm_weight"),
        ("method.width", 9, "is fixed while the run trains"),
        ("augment.elastic_grid", 9, "is fixed while the run trains"),
        ("augment.saturation", 0.5, "the images have no colour"),
        ("method.kl_weight", 1.0, "set method.gaussian=true too"),
        ("method.norm_wieght", 1.0, "norm_weight"),
        ("stages.0.lr", 0.1, "no stages"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(key: str, value: object, sentence: str) -> None:
    with pytest.raises(PresetError, match=sentence):
        changed_settings(contrastive(), {key: value}, "RUN")


def test_a_value_that_it_has_already_is_refused() -> None:
    preset = contrastive()
    with pytest.raises(PresetError, match="has this value already"):
        changed_settings(preset, {"train.lr": preset.train.lr}, "RUN")


def test_stages_that_are_over_are_left_alone() -> None:
    preset = load_preset("mnist-contrastive-2d")
    assert len(preset.stages) == 3
    found = changed_settings(preset, {"stages.*.lr": 0.5}, "RUN", stage=1)
    assert found == {"stages.1.lr": 0.5, "stages.2.lr": 0.5}
    with pytest.raises(PresetError, match="stage 1 is over"):
        changed_settings(preset, {"stages.0.lr": 0.5}, "RUN", stage=1)
    with pytest.raises(PresetError, match=r"stages\.0\.lr"):
        changed_settings(preset, {"train.lr": 0.5}, "RUN")


def test_two_settings_that_need_each_other_can_be_changed_together() -> None:
    preset = contrastive(**{"augment.jitter": 0.0, "augment.brightness": 0.0})
    together = {"augment.jitter": 0.8, "augment.brightness": 0.4}
    for key, value in together.items():
        with pytest.raises(PresetError, match=r"set .* too"):
            changed_settings(preset, {key: value}, "RUN")
    assert changed_settings(preset, together, "RUN") == together


def test_the_values_now_are_those_of_the_preset() -> None:
    preset = contrastive()
    values = live_values(preset)
    assert values["train.lr"] == preset.train.lr
    assert values["augment.rotate"] == preset.augment.rotate
