"""The public datasets: their names, sizes and files, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui_latent.datasets.paths import find_file

_TEN = tuple("0123456789")
_FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_KUZUSHIJI = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
_CIFAR10 = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
_CIFAR100 = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
    butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch
    crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo
    keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse
    mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy
    porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper
    snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television
    tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
_STL10 = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")


@dataclass(frozen=True)
class PublicDataset:
    """A dataset with a fixed content and, unless it is bundled, fixed files."""

    title: str
    shape: tuple[int, int, int]
    """(C, H, W)"""
    class_names: tuple[str, ...]
    train: int
    held_out: int
    training_files: tuple[str, ...] = ()
    """below the data folder, in torchvision's layout"""
    test_files: tuple[str, ...] = ()
    megabytes: int = 0
    """size of the download"""


def _idx_files(name: str, split: str) -> tuple[str, str]:
    return f"{name}/raw/{split}-images-idx3-ubyte", f"{name}/raw/{split}-labels-idx1-ubyte"


def _mnist_like(
    title: str, name: str, class_names: tuple[str, ...], megabytes: int
) -> PublicDataset:
    return PublicDataset(
        title,
        (1, 28, 28),
        class_names,
        60_000,
        10_000,
        _idx_files(name, "train"),
        _idx_files(name, "t10k"),
        megabytes,
    )


def find_dataset_file(root: Path, file: str) -> Path | None:
    """Return the path of a dataset's file under a name that some mirror gives it; None if absent.

    MNIST's files are also known as train-images.idx3-ubyte, and also found outside `raw/` and
    in a folder of their own name, as one archive unpacks them; each plain or gzipped.
    """
    if "-idx" not in file:
        return find_file(root, file)
    folder, name = Path(file).parent, Path(file).name
    names = (name, name.replace("-idx", ".idx"))
    for place in (folder, folder.parent):
        for called in names:
            for below in (called, f"{called}/{called}"):
                if (found := find_file(root, str(place / below))) is not None:
                    return found
    return None


def wanted_file(file: str) -> str:
    """Say which file is missing, with the names under which it would be found."""
    other = f" or {Path(file).name.replace('-idx', '.idx')}" if "-idx" in file else ""
    return f"no {file}{other}, plain or as .gz"


PUBLIC_DATASETS: dict[str, PublicDataset] = {
    "digits": PublicDataset("scikit-learn digits", (1, 8, 8), _TEN, 1438, 359),
    "mnist": _mnist_like("MNIST", "MNIST", _TEN, 12),
    "fashion-mnist": _mnist_like("Fashion-MNIST", "FashionMNIST", _FASHION, 31),
    "kmnist": _mnist_like("Kuzushiji-MNIST", "KMNIST", _KUZUSHIJI, 21),
    "cifar10": PublicDataset(
        "CIFAR-10",
        (3, 32, 32),
        _CIFAR10,
        50_000,
        10_000,
        tuple(f"cifar-10-batches-py/data_batch_{part}" for part in range(1, 6)),
        ("cifar-10-batches-py/test_batch",),
        170,
    ),
    "cifar100": PublicDataset(
        "CIFAR-100",
        (3, 32, 32),
        tuple(_CIFAR100.split()),
        50_000,
        10_000,
        ("cifar-100-python/train",),
        ("cifar-100-python/test",),
        169,
    ),
    "stl10": PublicDataset(
        "STL-10",
        (3, 96, 96),
        _STL10,
        5_000,
        8_000,
        ("stl10_binary/train_X.bin", "stl10_binary/train_y.bin"),
        ("stl10_binary/test_X.bin", "stl10_binary/test_y.bin"),
        2640,
    ),
}
