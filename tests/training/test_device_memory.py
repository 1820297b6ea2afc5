from __future__ import annotations

import re

import pytest
import torch

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.sources import load_dataset
from tui_latent.sources.errors import DataError
from tui_latent.training.device_memory import KEPT_FREE, move_to

DIGITS: dict[str, object] = {"source": "digits", "size": 32}
GPU = torch.device("cuda", 0)


def loaded(**changes: object) -> tuple[Dataset, DataSettings]:
    settings = DataSettings.model_validate(DIGITS | changes)
    return load_dataset(settings, seed=0), settings


def held(dataset: Dataset) -> int:
    """Bytes of both splits, counted one tensor at a time."""
    total = 0
    for split in (dataset.train, dataset.val):
        for tensor in (split.images, split.labels, split.targets, split.features):
            total += 0 if tensor is None else tensor.numel() * tensor.element_size()
    return total


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A GPU with room to be set; what is moved there stays where it is."""
    has = {"free": 0, "reserved": 0, "allocated": 0}
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (has["free"], 80 << 30))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: has["reserved"])
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: has["allocated"])
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA A")
    monkeypatch.setattr(Dataset, "to", lambda self, device: self)
    return has


def test_a_dataset_that_fits_with_room_for_the_network_is_moved(gpu: dict[str, int]) -> None:
    dataset, settings = loaded()
    gpu["free"] = held(dataset) + KEPT_FREE
    assert move_to(dataset, settings, GPU) is dataset
    gpu["free"] -= 1
    with pytest.raises(DataError, match="digits: the images take"):
        move_to(dataset, settings, GPU)
    gpu.update(reserved=3, allocated=2)  # what torch has cached is free for it
    assert move_to(dataset, settings, GPU) is dataset


def test_a_cpu_is_not_asked() -> None:
    dataset, settings = loaded()
    assert len(move_to(dataset, settings, torch.device("cpu")).train) == len(dataset.train)


@pytest.mark.parametrize("share", [0.9, 0.5])
def test_each_remedy_that_is_named_makes_the_data_fit(gpu: dict[str, int], share: float) -> None:
    dataset, settings = loaded()
    gpu["free"] = int(held(dataset) * share) + KEPT_FREE
    with pytest.raises(DataError) as caught:
        move_to(dataset, settings, GPU)
    remedies = re.findall(r"--set data\.(\w+)=(\d+)", str(caught.value))
    assert {name for name, _ in remedies} == {"per_class", "size"}
    assert str(caught.value).endswith("or --device cpu")
    for name, value in remedies:
        smaller, changed = loaded(**{name: int(value)})
        move_to(smaller, changed, GPU)


def test_a_remedy_that_cannot_help_is_not_named(gpu: dict[str, int]) -> None:
    dataset, settings = loaded()
    gpu["free"] = KEPT_FREE + 100
    with pytest.raises(DataError, match=r"use --device cpu$"):
        move_to(dataset, settings, GPU)


def test_features_do_not_shrink_with_the_images(gpu: dict[str, int]) -> None:
    dataset, settings = loaded(inputs="hog")
    gpu["free"] = held(dataset) * 3 // 4 + KEPT_FREE
    with pytest.raises(DataError) as caught:
        move_to(dataset, settings, GPU)
    assert "data.size" not in str(caught.value) and "data.per_class=" in str(caught.value)
