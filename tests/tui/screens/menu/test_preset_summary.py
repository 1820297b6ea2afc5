"""A preset's settings in words."""

from __future__ import annotations

from typing import Any

import pytest

from tui_latent.config.preset_files import preset_names
from tui_latent.config.presets import load_preset
from tui_latent.config.settings import Preset
from tui_latent.datasets.describe import describe_source
from tui_latent.tui.screens.menu import preset_summary as words

STAGE: dict[str, Any] = {"epochs": 20, "latent_dim": 2, "lr": 0.001}


def preset(**tables: dict[str, Any]) -> Preset:
    given: dict[str, Any] = {
        "data": {"source": "digits"},
        "method": {"name": "contrastive", "latent_dim": 2},
    }
    for name, table in tables.items():
        given[name] = given.get(name, {}) | table if isinstance(table, dict) else table
    return Preset.model_validate(given)


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ({"loss": "cauchy"}, "contrastive, Cauchy InfoNCE"),
        ({"loss": "nt_xent", "temperature": 0.2}, "NT-Xent at temperature 0.2"),
        ({"loss": "dot", "temperature": 1}, "dot-product InfoNCE at temperature 1"),
        ({"decoupled": True}, "decoupled"),
        ({"name": "vicreg"}, "VICReg 25 : 25 : 1"),
        (
            {"name": "vicreg", "views": "neighbours", "neighbours_run": "a"},
            "3 neighbours in a",
        ),
        ({"name": "vicreg", "views": "neighbours"}, "3 neighbours in an earlier run"),
        (
            {"name": "vicreg", "views": "neighbours", "neighbours": 1, "neighbours_run": "a"},
            "second view: its nearest neighbour in a",
        ),
        ({"name": "triplet", "negatives": "semi-hard"}, "margin 1 · semi-hard negatives"),
        ({"name": "siamese"}, "class pairs on an autoencoder · metric 50 %"),
        ({"name": "siamese", "variational": True}, "on a variational autoencoder"),
        ({"name": "autoencoder", "activation": "tanh"}, "autoencoder · tanh latent"),
        ({"name": "autoencoder", "variational": True, "beta": 4}, "beta 4"),
        ({"name": "eigenmaps"}, "Laplacian eigenmaps, 10 neighbours"),
        ({"name": "eigenmaps", "neighbours": 1}, "Laplacian eigenmaps, 1 neighbour"),
    ],
)
def test_each_method_is_named_with_what_shapes_it(method: dict[str, Any], said: str) -> None:
    assert said in " · ".join(words.method_words(preset(method=method))).replace("\xa0", " ")


def test_whether_labels_are_seen_is_reported() -> None:
    assert "trained without labels" in words.latent_words(preset())
    assert "trained with labels" in words.latent_words(preset(method={"name": "triplet"}))


def test_stages_take_the_place_of_the_epochs() -> None:
    stages: Any = [{**STAGE, "latent_dim": 128, "epochs": 30, "lr": 0.002}, STAGE]
    staged = preset(stages=stages, train={"epochs": 99})
    assert words.training_words(staged)[0] == "30 + 20 epochs in 2 stages"
    assert "learning rate 0.002 → 0.001" in words.training_words(staged)[2]
    assert words.training_words(preset(train={"epochs": 1}))[0] == "1 epoch"


def test_only_changes_that_are_switched_on_are_reported() -> None:
    assert words.view_words(preset().augment) == ["none: images are not augmented"]
    views = words.view_words(preset(augment={"flip": 1.0, "blur": 0.25, "crop": 0.08}).augment)
    assert [view.replace("\xa0", " ") for view in views] == [
        "crop to 8 % or more",
        "mirror",
        "blur 25 %",
    ]


def test_what_is_left_out_of_the_data_is_reported() -> None:
    data = preset(
        data={"classes": ["3", "5"], "per_class": 10, "merge": {"odd": ["3"]}, "inputs": "hog"}
    ).data
    said = " · ".join(words.data_words(data, describe_source(data)))
    for part in ("classes 3, 5", "at most 10 per class", "classes merged: odd", "HOG features"):
        assert part in said


def test_a_published_network_and_views_of_its_features_are_reported() -> None:
    told = preset(data={"inputs": "timm:resnet18.a1_in1k"}, augment={"feature_noise": 0.3})
    assert "features of resnet18 (timm)" in words.data_words(told.data, None)
    assert words.view_words(told.augment) == ["noise 0.3 on features"]
    encoder = preset(method={"name": "vicreg", "latent_dim": 2, "network": "timm:resnet18",
                             "initial_weights": "/a/mine.pth"})  # fmt: skip
    assert words.method_words(encoder)[-1] == "timm:resnet18, mine.pth weights"


@pytest.mark.parametrize("name", preset_names())
def test_every_bundled_preset_can_be_said(name: str) -> None:
    bundled = load_preset(name)
    topics = [
        words.data_words(bundled.data, describe_source(bundled.data)),
        words.method_words(bundled),
        words.latent_words(bundled),
        words.training_words(bundled),
        words.view_words(bundled.augment),
    ]
    assert all(topic and all(topic) for topic in topics)
    assert len(words.expect_words(bundled.expect)) == len(bundled.expect)


def test_how_values_become_pixels_is_reported() -> None:
    data = preset(data={"source": "folder", "path": "d"}).data
    assert words.pixel_words(data) == []
    changed = data.model_copy(update={"fit": "pad", "range": "percentile 1 99", "show": (4, 0)})
    assert words.pixel_words(changed) == [
        "padded to squares",
        "values from percentile 1 to 99",
        "channels 4, 0 shown",
    ]
    ends = data.model_copy(update={"range": (0.0, 4095.0), "show": (2,)})
    assert words.pixel_words(ends) == ["values from 0 to 4095", "channel 2 shown"]


@pytest.mark.parametrize("channels", [1, 5])
def test_what_needs_colours_is_not_said_of_other_images(channels: int) -> None:
    told = preset(augment={"jitter": 0.8, "hue": 0.1, "grayscale": 0.2, "flip": 0.5}).augment

    def said(*channels: int) -> list[str]:
        return [view.replace("\xa0", " ") for view in words.view_words(told, *channels)]

    assert said() == ["mirror 50 %", "grey 20 %", "colours 80 %"]
    assert said(channels) == ["mirror 50 %"]
    told = told.model_copy(update={"brightness": 0.4})
    assert said(channels) == ["mirror 50 %", "brightness and contrast 80 %"]
