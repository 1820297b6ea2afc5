"""Datasets against scikit-learn and raw bytes, and what is said about files that are wrong."""

from __future__ import annotations

import gzip
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision.datasets
from PIL import Image
from sklearn.datasets import load_digits

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.describe import describe_source
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.public import fetch_public
from tui_latent.datasets.sources import DataError, channel_statistics, load_dataset, resized
from tui_latent.sources import public_datasets

from .conftest import write_idx, write_mnist


def load(seed: int = 0, **settings: object) -> Dataset:
    return load_dataset(DataSettings.model_validate(settings), seed)


def test_digits_are_scikit_learns() -> None:
    dataset = load(source="digits")
    reference = load_digits()
    expected = {
        (image.tobytes(), label)
        for image, label in zip(
            np.rint(reference.images * 255 / 16).astype(np.uint8), reference.target, strict=True
        )
    }
    both = [dataset.train, dataset.val]
    found = {
        (image.numpy().tobytes(), int(label))
        for split in both
        for image, label in zip(split.images[:, 0], split.labels, strict=True)
    }
    assert found == expected
    assert sum(len(split) for split in both) == 1797
    share = torch.bincount(dataset.val.labels) / torch.bincount(
        torch.cat([split.labels for split in both])
    )
    assert bool((share - 0.2).abs().max() < 0.01)
    assert dataset.held_out == "20 % of the training images"
    assert dataset.train.images.dtype == torch.uint8 and int(dataset.train.images.max()) == 255
    facts = public_datasets()["digits"]
    assert (facts.train, facts.held_out) == (len(dataset.train), len(dataset.val))


def test_the_seed_does_not_change_what_is_held_out() -> None:
    first, second = load(0, source="digits"), load(1, source="digits")
    assert torch.equal(first.val.images, second.val.images)


def test_mean_and_deviation_are_those_of_the_training_images() -> None:
    dataset = load(source="digits")
    values = dataset.train.images.numpy() / 255
    assert float(dataset.mean) == pytest.approx(values.mean(), rel=1e-6)
    assert float(dataset.std) == pytest.approx(values.std(), rel=1e-5)
    x = dataset.inputs(dataset.train, torch.arange(len(dataset.train)))
    assert float(x.mean()) == pytest.approx(0, abs=1e-4)
    assert float(x.std()) == pytest.approx(1, abs=1e-3)


def test_channel_statistics_equal_numpys() -> None:
    images = torch.randint(0, 256, (700, 3, 5, 7), dtype=torch.uint8)
    mean, std = channel_statistics([images])
    values = images.double().numpy() / 255
    np.testing.assert_allclose(mean.flatten(), values.mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(std.flatten(), values.std((0, 2, 3)), rtol=1e-6)


def test_images_of_one_colour_can_be_normalised() -> None:
    mean, std = channel_statistics([torch.full((4, 1, 3, 3), 9, dtype=torch.uint8)])
    assert float(mean) == pytest.approx(9 / 255) and float(std) == pytest.approx(1 / 255)


def test_resized_equals_pillow() -> None:
    images = torch.randint(0, 256, (3, 3, 20, 31), dtype=torch.uint8)
    found = resized(images, 8)
    for image, small in zip(images, found, strict=True):
        square = Image.fromarray(image[:, :, 5:25].permute(1, 2, 0).numpy())
        expected = np.asarray(square.resize((8, 8), Image.Resampling.BILINEAR))
        difference = small.permute(1, 2, 0).numpy().astype(int) - expected.astype(int)
        assert np.abs(difference).max() <= 1
    assert resized(images[:, :, :, :20], 20).data_ptr() == images.data_ptr()


def test_subset_cap_and_composites_together() -> None:
    dataset = load(
        source="digits",
        classes=("1", "4", "7", "9"),
        per_class=12,
        merge={"upright": ("1", "7")},
        size=4,
    )
    train, val = dataset.train, dataset.val
    assert train.class_names == ("1", "4", "7", "9")
    assert torch.bincount(train.labels).tolist() == [12, 12, 12, 12]
    assert train.target_names == ("upright", "4", "9")
    assert torch.equal(train.targets, torch.tensor([0, 1, 0, 2])[train.labels])
    assert torch.equal(val.targets, torch.tensor([0, 1, 0, 2])[val.labels])
    assert len(val) > 100, "only training images are capped"
    assert train.images.shape == (48, 1, 4, 4) and val.images.shape[2:] == (4, 4)
    assert train.target_name(0) == "upright"


def test_the_cap_is_drawn_by_the_seed() -> None:
    first, second = (load(seed, source="digits", per_class=3) for seed in (0, 1))
    assert not torch.equal(first.train.images, second.train.images)


def test_val_fraction_leaves_the_test_images_alone(data_folder: Path) -> None:
    write_mnist(data_folder, train=100)
    dataset = load(source="mnist", val_fraction=0.3)
    assert (len(dataset.train), len(dataset.val)) == (70, 30)
    assert dataset.held_out == "30 % of the training images"
    assert load(source="mnist").held_out == "test images"


@pytest.mark.slow
def test_real_mnist_is_its_bytes(mnist_data: Path) -> None:
    def content(name: str) -> bytes:
        path = mnist_data / "MNIST" / "raw" / name
        return path.read_bytes() if path.exists() else gzip.open(f"{path}.gz").read()

    dataset = load(source="mnist")
    for images, split in ((dataset.train, "train"), (dataset.val, "t10k")):
        assert images.images.numpy().tobytes() == content(f"{split}-images-idx3-ubyte")[16:]
        labels = content(f"{split}-labels-idx1-ubyte")[8:]
        assert images.labels.tolist() == list(labels)
    assert float(dataset.mean) == pytest.approx(0.1307, abs=1e-4)
    assert float(dataset.std) == pytest.approx(0.3081, abs=1e-4)


@pytest.mark.parametrize(
    ("source", "name"),
    [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST"), ("kmnist", "KMNIST")],
)
def test_idx_files_plain_and_gzipped(data_folder: Path, source: str, name: str) -> None:
    write_mnist(data_folder, name)
    plain = load(source=source)
    assert plain.train.images.shape == (30, 1, 28, 28) and len(plain.val) == 20
    for path in (data_folder / name / "raw").iterdir():
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert torch.equal(load(source=source).train.images, plain.train.images)


def test_cifar_files(data_folder: Path) -> None:
    random = np.random.default_rng(0)
    folder = data_folder / "cifar-10-batches-py"
    folder.mkdir()
    pixels = random.integers(0, 256, (60, 3072)).astype(np.uint8)
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    for part, name in enumerate(names):
        rows = slice(10 * part, 10 * part + 10)
        entry = {"data": pixels[rows], "labels": list(range(10)), "filenames": ["a.png"] * 10}
        (folder / name).write_bytes(pickle.dumps(entry, protocol=2))
    dataset = load(source="cifar10")
    np.testing.assert_array_equal(dataset.train.images.numpy().reshape(50, -1), pixels[:50])
    np.testing.assert_array_equal(dataset.val.images.numpy().reshape(10, -1), pixels[50:])
    assert dataset.val.class_names[int(dataset.val.labels[3])] == "cat"


def test_cifar100_files(data_folder: Path) -> None:
    folder = data_folder / "cifar-100-python"
    folder.mkdir()
    entry = {
        "data": np.zeros((100, 3072), np.uint8),
        "fine_labels": list(range(100)),
        "coarse_labels": [0] * 100,
    }
    for name in ("train", "test"):
        (folder / name).write_bytes(pickle.dumps(entry, protocol=2))
    dataset = load(source="cifar100")
    assert dataset.train.labels.tolist() == list(range(100))
    assert dataset.train.class_names[0] == "apple" and dataset.train.class_names[99] == "worm"


def test_a_pickle_that_would_run_code_does_not(data_folder: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "hacked"),)

    folder = data_folder / "cifar-100-python"
    folder.mkdir()
    for name in ("train", "test"):
        (folder / name).write_bytes(pickle.dumps({"data": Evil()}))
    with pytest.raises(DataError, match=r"cifar-100-python.train"):
        load(source="cifar100")
    assert not (tmp_path / "hacked").exists()


def test_stl_files_are_column_by_column_and_labels_start_at_one(data_folder: Path) -> None:
    folder = data_folder / "stl10_binary"
    folder.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (10, 3, 96, 96)).astype(np.uint8)
    for split in ("train", "test"):
        (folder / f"{split}_X.bin").write_bytes(images.transpose(0, 1, 3, 2).tobytes())
        (folder / f"{split}_y.bin").write_bytes(bytes(range(1, 11)))
    dataset = load(source="stl10")
    np.testing.assert_array_equal(dataset.train.images.numpy(), images)
    assert dataset.train.labels.tolist() == list(range(10))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda content: content[:-1], "bytes for"),
        (lambda content: content[:9], "shorter than its header"),
        (lambda content: b"<html>not found</html>" * 50, "starts with"),
        (lambda content: b"", "shorter"),
    ],
)
def test_a_file_that_is_not_right_is_named(data_folder: Path, spoil: object, message: str) -> None:
    assert callable(spoil)
    write_mnist(data_folder)
    path = data_folder / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DataError, match=message) as caught:
        load(source="mnist")
    assert str(path) in str(caught.value) and "delete it" in str(caught.value)


def test_labels_that_do_not_fit_the_images_are_named(data_folder: Path) -> None:
    write_mnist(data_folder)
    path = data_folder / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    write_idx(path, np.arange(29) % 10, 2049)
    with pytest.raises(DataError, match="29 labels for 30 images"):
        load(source="mnist")
    write_idx(path, np.full(30, 10), 2049)
    with pytest.raises(DataError, match="label 10, but 10 classes"):
        load(source="mnist")


def test_an_absent_dataset_offline_says_where_and_what(data_folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(source="cifar10")
    for part in ("CIFAR-10", str(data_folder), "TUI_LATENT_OFFLINE", "TUI_LATENT_DATA"):
        assert part in str(caught.value)


def test_facts_without_reading(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def facts(**settings: object) -> tuple[str, str]:
        described = describe_source(DataSettings.model_validate(settings))
        return described.had, described.problem

    assert facts(source="digits") == ("bundled", "")
    had, problem = facts(source="mnist")
    assert had == "missing" and str(data_folder) in problem
    monkeypatch.setenv("TUI_LATENT_OFFLINE", "0")
    assert facts(source="mnist") == ("download", "")
    write_mnist(data_folder)
    assert facts(source="mnist") == ("on disk", "")
    assert "no class 'ten'" in facts(source="mnist", classes=("ten",))[1]
    assert "in 'a' and in 'b'" in facts(source="mnist", merge={"a": ("1",), "b": ("1",)})[1]


def test_tables_of_public_datasets_are_consistent() -> None:
    for dataset in public_datasets().values():
        assert len(set(dataset.class_names)) == len(dataset.class_names)
    assert [len(public_datasets()[name].class_names) for name in ("cifar10", "cifar100")] == [
        10,
        100,
    ]
    names = public_datasets()["cifar100"].class_names
    assert list(names) == sorted(names)


def test_torchvision_lists_the_files_of_every_dataset_that_can_be_downloaded() -> None:
    for dataset in public_datasets().values():
        if dataset.torchvision:
            known = vars(getattr(torchvision.datasets, dataset.torchvision))
            assert {"url", "filename", "tgz_md5"} <= known.keys() or "resources" in known


@pytest.mark.parametrize("listed", ["USPS", "EMNIST"])
def test_files_that_torchvision_does_not_list_must_be_provided_by_hand(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch, listed: str
) -> None:
    monkeypatch.delenv("TUI_LATENT_OFFLINE")
    dataset = replace(public_datasets()["mnist"], title="Toy", torchvision=listed)
    with pytest.raises(DataError, match=f"files of Toy: put MNIST/.* into {data_folder}"):
        fetch_public(dataset, lambda line: None)


@pytest.mark.parametrize("place", ["MNIST/raw/{0}", "MNIST/{0}", "MNIST/raw/{0}/{0}"])
@pytest.mark.parametrize("zipped", [False, True])
def test_files_are_found_under_the_names_of_other_mirrors(
    data_folder: Path, tmp_path: Path, place: str, zipped: bool
) -> None:
    write_mnist(tmp_path / "given")
    for path in (tmp_path / "given" / "MNIST" / "raw").iterdir():
        name = path.name.replace("-idx", ".idx")
        target = data_folder / (place.format(name) + (".gz" if zipped else ""))
        target.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes()
        target.write_bytes(gzip.compress(content) if zipped else content)
    assert describe_source(DataSettings(source="mnist")).had == "on disk"
    assert len(load(source="mnist").train) == 30


def test_a_missing_file_is_named_as_it_may_be_called(data_folder: Path) -> None:
    names = "MNIST/raw/train-images-idx3-ubyte or train-images.idx3-ubyte"
    assert names in describe_source(DataSettings(source="mnist")).problem
    with pytest.raises(DataError, match=names):
        load(source="mnist")
