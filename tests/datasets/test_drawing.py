"""Which images are held out and kept: without labels for methods that see none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_latent.config.effects import idle_settings
from tui_latent.config.presets import dump_preset, load_run_preset, parse_preset
from tui_latent.config.settings import DataSettings, Preset
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.sources import load_dataset

UNSUPERVISED = {"name": "contrastive", "latent_dim": 2}
SUPERVISED = {"name": "triplet", "latent_dim": 2}


def write_arrays(folder: Path, labels: np.ndarray) -> str:
    """Write images that are all different, in an order that has nothing to do with labels."""
    pixels = np.arange(len(labels), dtype=np.uint8)[:, None, None] + np.zeros((1, 8, 8), np.uint8)
    path = folder / "images.npz"
    np.savez(path, x_train=pixels, y_train=labels)
    return str(path)


def shown(dataset: Dataset) -> tuple[list[int], list[int]]:
    """Return which images are trained on and which are held out."""
    return tuple(part.images[:, 0, 0, 0].tolist() for part in (dataset.train, dataset.val))  # type: ignore[return-value]


@pytest.mark.parametrize("settings", [{}, {"per_class": 10}, {"val_fraction": 0.3, "per_class": 5}])
def test_images_drawn_at_random_do_not_depend_on_labels(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    labels = np.repeat(np.arange(4), 30)
    others = np.random.default_rng(0).permutation(labels)
    drawn = {}
    for draw in ("random", "by-class"):
        for name, of in (("own", labels), ("shuffled", others)):
            data = DataSettings(
                source="arrays", path=write_arrays(tmp_path, of), draw=draw, **settings
            )
            drawn[draw, name] = shown(load_dataset(data, 0))
    assert drawn["random", "own"] == drawn["random", "shuffled"]
    assert drawn["by-class", "own"] != drawn["by-class", "shuffled"]
    assert len(drawn["random", "own"][0]) == len(drawn["by-class", "own"][0])


def test_a_method_draws_by_class_if_it_sees_labels_and_a_preset_may_say_otherwise() -> None:
    def of(method: dict[str, Any], **data: Any) -> str:
        return Preset.model_validate(
            {"data": {"source": "digits"} | data, "method": method}
        ).data.draw

    assert of(UNSUPERVISED) == "random" and of(SUPERVISED) == "by-class"
    assert of(UNSUPERVISED, draw="by-class") == "by-class"
    assert of(SUPERVISED, draw="random") == "random"


def test_a_run_from_before_keeps_the_images_that_it_had(tmp_path: Path) -> None:
    preset = parse_preset({"data": {"source": "digits"}, "method": UNSUPERVISED}, {}, where="test")
    text = dump_preset(preset)
    assert 'draw = "random"\n' in text
    (tmp_path / "preset.toml").write_text(text)
    assert load_run_preset(tmp_path).data.draw == "random"
    (tmp_path / "preset.toml").write_text(text.replace('draw = "random"\n', ""))
    assert load_run_preset(tmp_path).data.draw == "by-class"


def test_classes_of_one_image_can_be_learnt_from_without_labels(tmp_path: Path) -> None:
    data = {"source": "arrays", "path": write_arrays(tmp_path, np.arange(20))}
    dataset = load_dataset(DataSettings(**data, draw="random"), 0)
    assert len(dataset.train) == 16 and len(dataset.val) == 4


def test_where_nothing_is_drawn_the_way_has_no_effect() -> None:
    table: dict[str, Any] = {
        "data": {"source": "mnist", "draw": "by-class"},
        "method": UNSUPERVISED,
    }
    why = idle_settings(Preset.model_validate(table), ["data.draw"])
    assert "all images are used" in why["data.draw"]
    table["data"] |= {"per_class": 5}
    assert not idle_settings(Preset.model_validate(table), ["data.draw"])
