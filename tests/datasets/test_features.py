"""Features against scikit-image and torchvision, kept by content, never half."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.feature import hog as reference_hog
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import ResNet18_Weights, ResNet50_Weights, resnet18

from tui_latent.config.feature_models import PublishedModel
from tui_latent.config.settings import DataSettings
from tui_latent.datasets import feature_blocks
from tui_latent.datasets import features as features_module
from tui_latent.datasets.describe import describe_source
from tui_latent.datasets.features import hog
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.preprocessing import Preprocessing, preprocessing_state
from tui_latent.datasets.pretrained_weights import PRETRAINED
from tui_latent.datasets.published_network import feature_network
from tui_latent.datasets.sources import DataError, load_dataset


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of random weights in torchvision's format."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(resnet18().state_dict(), path)
    return path


def load(log: list[str] | None = None, **settings: object) -> Dataset:
    chosen = DataSettings.model_validate({"source": "digits", "per_class": 4, **settings})
    return load_dataset(chosen, 0, (log if log is not None else []).append)


def blobs(images: int, channels: int, side: int) -> Tensor:
    """Smooth random images: gradients in every direction."""
    coarse = torch.rand(images, channels, 5, 5, generator=torch.Generator().manual_seed(1))
    smooth = F.interpolate(coarse, (side, side), mode="bicubic", align_corners=True)
    return (smooth.clamp(0, 1) * 255).to(torch.uint8)


@pytest.mark.slow
@pytest.mark.parametrize(("side", "cell"), [(8, 2), (28, 7), (32, 8), (64, 8), (30, 7)])
@pytest.mark.parametrize("channels", [1, 3])
def test_hog_equals_scikit_images(side: int, cell: int, channels: int) -> None:
    images = blobs(20, channels, side)
    expected = [
        reference_hog(
            image.permute(1, 2, 0).numpy(),
            orientations=9,
            pixels_per_cell=(cell, cell),
            cells_per_block=(2, 2),
            channel_axis=-1,
        )
        for image in images
    ]
    np.testing.assert_allclose(hog(images).numpy(), np.stack(expected), atol=1e-4)


def test_hog_of_one_colour_is_nothing() -> None:
    assert float(hog(torch.full((1, 3, 8, 8), 77, dtype=torch.uint8)).abs().max()) == 0


def test_features_are_standardised_by_the_training_images(data_folder: Path) -> None:
    dataset = load(inputs="hog")
    train, val = dataset.train.features, dataset.val.features
    assert train is not None and val is not None
    raw, raw_val = hog(dataset.train.images), hog(dataset.val.images)
    spread = raw.std(0, correction=0)
    varies = spread > 1e-6
    torch.testing.assert_close(train.mean(0), torch.zeros(train.shape[1]), atol=1e-5, rtol=0)
    expected = (raw_val - raw.mean(0)) / spread
    torch.testing.assert_close(val[:, varies], expected[:, varies], atol=1e-3, rtol=1e-3)
    assert bool(val.isfinite().all())
    assert dataset.input_shape == (324,)
    rows = torch.tensor([3, 1])
    assert torch.equal(dataset.inputs(dataset.train, rows), train[rows])


@pytest.mark.slow
@pytest.mark.parametrize("inputs", ["hog", "resnet18"])
def test_a_network_of_features_is_given_the_same_ones_without_the_dataset(
    data_folder: Path, weights: Path, inputs: str
) -> None:
    settings = DataSettings.model_validate(
        {
            "source": "digits",
            "per_class": 2,
            "val_fraction": 0.01,
            "inputs": inputs,
            "weights": str(weights),
        }
    )
    dataset = load_dataset(settings, 0)
    features = dataset.val.features
    assert features is not None
    preprocessing = Preprocessing(settings, preprocessing_state(dataset)).eval()
    with torch.no_grad():
        found = preprocessing(dataset.val.images[:8])
    torch.testing.assert_close(found, features[:8], atol=1e-3, rtol=1e-3)


def test_features_can_be_trained_on(data_folder: Path) -> None:
    features = load(inputs="hog").train.features
    assert features is not None
    layer = nn.Linear(features.shape[1], 2)
    layer(features).square().sum().backward()
    assert layer.weight.grad is not None


@pytest.mark.slow
def test_resnet_features_are_torchvisions(weights: Path) -> None:
    images = blobs(2, 3, 32)
    network = resnet18()
    network.load_state_dict(torch.load(weights, weights_only=True))
    network.fc = nn.Identity()
    network.eval()
    preset = ResNet18_Weights.IMAGENET1K_V1.transforms(crop_size=224, resize_size=224)
    with torch.no_grad():
        expected = network(preset(images.float() / 255))
        model = PublishedModel("torchvision", "resnet18")
        ours = feature_network(model, weights, torch.device("cpu"))
        found, grey = ours(images.float() / 255), ours(images[:, :1].float() / 255)
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)
    assert grey.shape == (2, 512)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images HOG was computed of, call by call."""
    sizes: list[int] = []

    def counting(images: Tensor) -> Tensor:
        sizes.append(len(images))
        return hog(images)

    monkeypatch.setattr(features_module, "hog", counting)
    return sizes


def test_features_are_computed_once_for_a_content(data_folder: Path, computed: list[int]) -> None:
    first = load(inputs="hog").train.features
    once = sum(computed)
    again = load(inputs="hog").train.features
    assert first is not None and again is not None
    assert torch.equal(first, again) and sum(computed) == once
    load(inputs="hog", size=12)
    assert sum(computed) == 2 * once, "other pixels, other features"


def test_a_killed_computation_keeps_its_blocks(
    data_folder: Path, computed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dying(path: Path, features: Tensor) -> None:
        save(path, features)
        if sum(computed) >= 32:
            raise Killed

    save = feature_blocks._save
    monkeypatch.setattr(features_module, "_BLOCK", 16)
    monkeypatch.setattr(feature_blocks, "_save", dying)
    with pytest.raises(Killed):
        load(inputs="hog", classes=("1", "2"), per_class=30)
    monkeypatch.setattr(feature_blocks, "_save", save)
    computed.clear()
    dataset = load(inputs="hog", classes=("1", "2"), per_class=30)
    assert sum(computed) == len(dataset.train) - 32 + len(dataset.val)
    assert not list((data_folder / "prepared" / "features").glob("*.part"))


@pytest.mark.slow
@pytest.mark.parametrize("spoil", ["text", "other network", "list"])
def test_a_file_that_is_not_the_weights_is_named(
    data_folder: Path, tmp_path: Path, spoil: str
) -> None:
    path = tmp_path / "mine.pth"
    if spoil == "text":
        path.write_text("hello")
    else:
        torch.save([1, 2] if spoil == "list" else {"conv9.weight": torch.zeros(1)}, path)
    with pytest.raises(DataError, match=r"mine.pth: not the weights of torchvision's resnet18"):
        load(inputs="resnet18", weights=str(path))


def test_features_without_weights_are_refused_before_anything_is_read(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = DataSettings(source="mnist", inputs="resnet50")  # MNIST is absent as well
    with pytest.raises(DataError) as caught:
        load_dataset(settings, 0)
    for part in ("resnet50", "resnet50-0676ba61.pth", "TUI_LATENT_OFFLINE", "data.weights"):
        assert part in str(caught.value)
    digits = settings.model_copy(update={"source": "digits"})
    assert "data.weights" in describe_source(digits).problem
    absent = digits.model_copy(update={"weights": str(tmp_path / "absent.pth")})
    assert "absent.pth" in describe_source(absent).problem


@pytest.mark.slow
def test_weights_in_the_data_folder_are_found(data_folder: Path, weights: Path) -> None:
    place = data_folder / "weights" / PRETRAINED["resnet18"]
    place.parent.mkdir()
    place.write_bytes(weights.read_bytes())
    features = load(inputs="resnet18", classes=("1",), val_fraction=0.02).train.features
    assert features is not None and features.shape == (4, 512)


def test_names_of_the_weights_are_torchvisions() -> None:
    for name, enum in (("resnet18", ResNet18_Weights), ("resnet50", ResNet50_Weights)):
        assert enum.IMAGENET1K_V1.url.rpartition("/")[2] == PRETRAINED[name]
