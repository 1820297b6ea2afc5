"""Which names are suggested for one that does not exist, and which are not."""

from __future__ import annotations

from typing import Any

import pytest

from tui_latent.config.methods import METHOD_SETTINGS
from tui_latent.config.preset_files import preset_names
from tui_latent.config.settings import Preset
from tui_latent.runs.metric_specs import METRICS
from tui_latent.runtime.near_names import near_names


def every_name() -> list[str]:
    tables: list[Any] = [Preset, *METHOD_SETTINGS.values()]
    tables += [Preset.model_fields[table].annotation for table in ("data", "augment", "train")]
    keys = [key for table in tables for key in table.model_fields]
    return [*keys, *METHOD_SETTINGS, *preset_names(), *(metric.name for metric in METRICS)]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("epohcs", "epochs"),
        ("temprature", "temperature"),
        ("optimiser", "optimizer"),
        ("metric_wieght", "metric_weight"),
        ("Batch-Size", "batch_size"),
        ("batchsize", "batch_size"),
        ("learning_rate", "lr"),
        ("wd", "weight_decay"),
        ("latent", "latent_dim"),
        ("knn_5", "val/knn_5"),
        ("cifar", "cifar10-vicreg"),
        ("neighbours-vicreg", "cifar10-vicreg-neighbours"),
    ],
)
def test_a_likely_name_is_suggested(typed: str, meant: str) -> None:
    assert meant in near_names(typed, every_name(), 4)


@pytest.mark.parametrize(
    "typed",
    [
        *("nonsense", "banana", "something", "number", "colour", "accuracy", "unknown", "bogus"),
        *("foo", "xyz", "abc", "q", "1", "", "_", "…", "猫"),
    ],
)
def test_nothing_is_suggested_where_nothing_is_likely(typed: str) -> None:
    assert near_names(typed, every_name()) == []


def test_the_likeliest_comes_first() -> None:
    assert near_names("weight", ["weights", "kl_weight", "weight_decay"], 2) == [
        "weights",
        "kl_weight",
    ]
    assert near_names("CAT", ["bat", "Cat", "cart"], 3) == ["Cat", "cart", "bat"]
    assert near_names("katze", ["katzen", "katzen", "猫"], 3) == ["katzen"]
    assert near_names("猫科", ["犬", "猫科動物"]) == ["猫科動物"]


def test_a_name_of_a_million_letters_is_compared_at_once() -> None:
    assert near_names("x" * 1_000_000, ["x" * 900_000, "y"]) == ["x" * 900_000]
