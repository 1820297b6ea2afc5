"""Which folders are splits, which are classes, and what is refused with a way out that works."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from PIL import Image

from tui_latent.config.settings import AugmentSettings, DataSettings
from tui_latent.datasets.describe import describe_source
from tui_latent.datasets.folder_layout import FolderLayout, find_layout
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.pairing import make_pairing
from tui_latent.datasets.sources import load_dataset
from tui_latent.datasets.unlabelled_layout import layout_of
from tui_latent.sources.errors import DataError
from tui_latent.sources.naming import natural_order, shown_names


def lay(root: Path, *folders: str, images: int = 4) -> Path:
    """Make folders of images below a root; no two images are equal."""
    for number, folder in enumerate(folders):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for k in range(images):
            colour = (40 * (number % 6), 60 * k % 256, 100)
            Image.new("RGB", (12, 12), colour).save(root / folder / f"{number}-{k}.png")
    return root


def load(root: Path, log: list[str] | None = None, **settings: object) -> Dataset:
    chosen = {"source": "folder", "path": str(root), "size": 8} | settings
    told = log if log is not None else []
    return load_dataset(DataSettings.model_validate(chosen), 0, told.append)


def named(layout: FolderLayout) -> tuple[str, str | None, tuple[str, ...]]:
    return layout.train.name, layout.test.name if layout.test else None, layout.folders


@pytest.mark.parametrize(
    ("train", "held"),
    [
        ("train", "val"),
        ("Train", "Valid"),
        ("TRAIN", "TEST"),
        ("training", "testing"),
        ("Training", "Testing"),
        ("train", "validation"),
        ("train", "dev"),
        ("train", "eval"),
        ("train", "hold-out"),
        ("training_set", "test_set"),
        ("Training Data", "Test Data"),
        ("train-images", "val-images"),
        ("train2017", "val2017"),
        ("Train_2012", "test-2012"),
    ],
)
def test_splits_are_known_in_any_case_and_form(tmp_path: Path, train: str, held: str) -> None:
    lay(tmp_path, *(f"{split}/{name}" for split in (train, held) for name in ("cat", "dog")))
    assert named(find_layout(tmp_path)) == (train, held, ("cat", "dog"))


def test_validation_images_are_held_out_before_test_images(
    tmp_path: Path, data_folder: Path
) -> None:
    root = lay(tmp_path / "d", *(f"{s}/{c}" for s in ("train", "test", "valid") for c in "ab"))
    log: list[str] = []
    assert load(root, log).held_out == "images in valid"
    assert "not used: test beside train" in log[-1]


@pytest.mark.parametrize("wrapped", ["archive", "archive/animals", "__MACOSX/../archive"])
def test_an_archive_unpacked_deeper_is_looked_into(
    tmp_path: Path, data_folder: Path, wrapped: str
) -> None:
    root = tmp_path / "d"
    lay(root, "__MACOSX", f"{wrapped}/train/cat", f"{wrapped}/train/dog", f"{wrapped}/test/cat")
    log: list[str] = []
    dataset = load(root, log)
    assert dataset.train.class_names == ("cat", "dog")
    assert (len(dataset.train), len(dataset.val)) == (8, 4)
    assert "entered" in log[-1] and "held out: 4 images, images in test" in log[-1]


def test_classes_below_a_single_folder_are_classes(tmp_path: Path) -> None:
    assert find_layout(lay(tmp_path, "photos/cat", "photos/dog")).folders == ("cat", "dog")


def test_a_single_class_stays_one(tmp_path: Path) -> None:
    assert find_layout(lay(tmp_path, "cat")).folders == ("cat",)


def test_a_split_within_a_folder_of_its_name_is_found(tmp_path: Path) -> None:
    lay(tmp_path, *(f"{s}/{s}/{c}" for s in ("training_set", "test_set") for c in ("cat", "dog")))
    layout = find_layout(tmp_path)
    assert layout.folders == ("cat", "dog") and layout.test_folders == ("cat", "dog")


@pytest.mark.parametrize(
    "classes",
    [
        ("bus", "car", "train"),  # vehicles
        ("control", "test"),
        ("invalid", "valid"),
        ("station", "train_station"),
        ("test_negative", "test_positive"),
    ],
)
def test_classes_called_like_splits_are_classes(tmp_path: Path, classes: tuple[str, ...]) -> None:
    assert find_layout(lay(tmp_path, *classes)).folders == classes


SEG = tuple(f"seg_{split}/seg_{split}/{c}" for split in ("train", "test") for c in ("a", "b"))


@pytest.mark.parametrize(
    ("folders", "message", "way_out"),
    [
        (SEG, "seg_test and seg_train look like splits", "seg_train"),
        (("test/a", "test/b"), "there is test, but no train", "test"),
        (("Testing/a", "dev/b"), "no train", "Testing"),
        (("trainning/a", "test/a"), "rename trainning to train, or", "test"),
        (("train/x", "train/y", "bus", "car"), "train contains folders.* bus and car", "train"),
        (("cat/train", "cat/test", "dog/train", "dog/test"), "outermost", None),
        (("bottle/train/good", "bottle/test/bad", "nut/train/good"), "outermost", "bottle"),
        (("val",), "val: contains images, but no class folders", "val"),
        (("train", "test", "bus"), "train: contains images, but no class folders", "train"),
        (("trainA", "trainB", "testA", "testB"), "look like splits", None),
        (("train/a", "Train/a", "test/a"), "Train and train look like the train split", None),
        (("train/a", "val/a", "valid/a"), "val and valid look like the val split", None),
    ],
)
def test_what_is_neither_splits_nor_classes_is_refused_with_a_way_out(
    tmp_path: Path, data_folder: Path, folders: tuple[str, ...], message: str, way_out: str | None
) -> None:
    root = lay(tmp_path / "d", *folders)
    with pytest.raises(DataError, match=message) as caught:
        load(root)
    facts = describe_source(DataSettings(source="folder", path=str(root)))
    assert facts.problem == str(caught.value)
    if way_out:
        path = re.search(r"data\.path to (\S+?)[,;]?(?: |$)", str(caught.value))
        assert path is not None and Path(path[1]).name == way_out
        classes = ("good",) if way_out == "bottle" else ()
        kept = 0.5 if way_out == "bottle" else 0.0
        assert len(load(Path(path[1]), classes=classes, val_fraction=kept).train) > 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.heic", b"\0\0\0\x18ftypheic", r"3 \.heic files, such as 0a.heic \(HEIC: convert"),
        ("a", b"\x89PNG\r\n\x1a\n", r"3 files without an extension, .*: end its name with \.png"),
        ("a.dcm", bytes(128) + b"DICM", r"3 \.dcm files, .*\(DICOM: convert it to PNG or JPEG\)"),
        ("a.parquet", b"PAR1", r"3 \.parquet files, .*\(set data.source=manifest\)"),
        ("a.weird", b"\1\2", r"3 \.weird files, such as 0a\.weird[:;]"),
    ],
    ids=["HEIC", "no extension", "DICOM", "Parquet", "unknown"],
)
def test_what_is_there_instead_of_images_is_named(
    tmp_path: Path, data_folder: Path, name: str, content: bytes, said: str
) -> None:
    for folder in ("flat", "classes/cat", "classes/dog", "splits/train", "splits/test"):
        (tmp_path / folder).mkdir(parents=True)
        for number in range(3):
            (tmp_path / folder / f"{number}{name}").write_bytes(content)
        (tmp_path / folder / ".DS_Store").write_bytes(b"x")
    for root in ("flat", "classes", "splits"):
        with pytest.raises(DataError, match=said):
            load(tmp_path / root)


def test_a_link_from_one_split_to_the_other_is_refused(tmp_path: Path) -> None:
    lay(tmp_path, "train/a", "train/b")
    (tmp_path / "val").symlink_to(tmp_path / "train")
    with pytest.raises(DataError, match="the same folder"):
        find_layout(tmp_path)


def test_a_class_that_is_held_out_only_is_left_out_by_data_classes(
    tmp_path: Path, data_folder: Path
) -> None:
    root = lay(tmp_path / "d", "train/cat", "train/dog", "val/cat", "val/dog", "val/unknown")
    with pytest.raises(DataError, match="class 'unknown' is not in") as caught:
        load(root)
    assert "data.classes" in str(caught.value) and "data.val_fraction=0.2" in str(caught.value)
    for settings in ({"classes": ("cat", "dog")}, {"val_fraction": 0.2}):
        dataset = load(root, **settings)
        assert dataset.train.class_names == ("cat", "dog")
        chosen = {"source": "folder", "path": str(root), **settings}
        assert describe_source(DataSettings.model_validate(chosen)).problem == ""
    with pytest.raises(DataError, match=r"'unknown' is in .*val and not in .*train"):
        load(root, classes=("cat", "unknown"))


def test_one_image_a_class_is_told_what_helps(tmp_path: Path, data_folder: Path) -> None:
    root = lay(tmp_path / "d", *(f"person{i}" for i in range(6)), images=1)
    for fraction in (0.0, 0.5):
        with pytest.raises(DataError, match="every class has a single image") as caught:
            load(root, val_fraction=fraction)
        assert "val_fraction" not in str(caught.value)
    Image.new("L", (9, 9), 3).save(root / "person3" / "second.png")  # "add a second image"
    assert len(load(root).val) == 1
    together = lay(tmp_path / "together", "all", images=6)  # "put the images … into one"
    assert len(load(together).val) > 0


def test_held_out_images_of_other_classes_are_told_what_helps(
    tmp_path: Path, data_folder: Path
) -> None:
    root = lay(tmp_path / "d", "train/cat", "train/dog", "val/dog")
    with pytest.raises(DataError, match=r"data\.val_fraction=0\.2"):
        load(root, classes=("cat",))
    assert len(load(root, classes=("cat",), val_fraction=0.2).val) > 0


def test_numbers_come_in_their_order_and_text_after_them() -> None:
    assert natural_order(["100", "11", "2", "10", "1", "3"]) == ["1", "2", "3", "10", "11", "100"]
    assert natural_order(["img10", "img2", "IMG1"]) == ["IMG1", "img2", "img10"]
    assert natural_order(["0.5", "-1", "0.25", "10"]) == ["-1", "0.25", "0.5", "10"]
    assert natural_order(["b", "10", "A", "9"]) == ["9", "10", "A", "b"]
    assert natural_order(["١٠", "٢", "١"]) == ["١", "٢", "١٠"]
    assert natural_order(["cat", "Cat", "01", "1"]) == ["01", "1", "Cat", "cat"]


def test_labels_follow_the_order_of_the_names(tmp_path: Path, data_folder: Path) -> None:
    root = tmp_path / "d"
    for number in (1, 2, 10, 11, 100):
        for k in range(5):
            (root / str(number)).mkdir(parents=True, exist_ok=True)
            Image.new("L", (8, 8), number).save(root / str(number) / f"{k}.png")
    for order, names in (("natural", "1 2 10 11 100"), ("plain", "1 10 100 11 2")):
        dataset = load(root, class_order=order)
        assert dataset.val.class_names == tuple(names.split())
        for image, label in zip(dataset.train.images, dataset.train.labels, strict=True):
            assert dataset.train.class_names[int(label)] == str(int(image[0, 0, 0]))


def test_names_that_are_no_text_stay_different() -> None:
    names = [os.fsdecode(b"caf\xe9"), os.fsdecode(b"caf\xe8"), "a\x1b", "a\x1c", "日本"]
    shown = shown_names(names)
    assert len(set(shown)) == 5 and all(name.isprintable() for name in shown)


def test_accents_of_macos_are_the_same_class(tmp_path: Path, data_folder: Path) -> None:
    composed, apart = "gr\u00fcn", "gru\u0308n"
    root = lay(tmp_path / "d", f"train/{apart}", "train/rot", f"val/{composed}", "val/rot")
    dataset = load(root, classes=(composed,))
    assert (len(dataset.train), len(dataset.val)) == (4, 4)


@pytest.mark.parametrize(
    ("names", "alike"),
    [
        (("cat", "Cat", "dog"), "Cat and cat"),
        (("gr\u00fcn", "gru\u0308n", "rot"), "gru\u0308n and gr\u00fcn"),
        (("red one", "red  one", "blue"), "red  one and red one"),
        (("2", "\uff12", "3"), "2 and \uff12"),
    ],
    ids=["case", "accent", "space", "digit"],
)
def test_names_that_look_alike_are_reported(
    tmp_path: Path, names: tuple[str, ...], alike: str
) -> None:
    notes = find_layout(lay(tmp_path, *names)).notes
    assert any(f"names look alike: {alike}" in note for note in notes)


def test_names_that_can_be_told_apart_are_not_reported(tmp_path: Path) -> None:
    notes = find_layout(lay(tmp_path, "1", "01", "a.b", "ab", "a-b", "\u00e9", "e")).notes
    assert not any("alike" in note for note in notes)


def test_a_folder_within_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path)
    assert find_layout(tmp_path).folders == ("a",)


def test_a_class_of_one_held_out_image_is_told_what_helps_pairs(
    tmp_path: Path, data_folder: Path
) -> None:
    root = lay(tmp_path / "d", "train/cat", "train/dog", "val/dog")
    lay(root, "val/cat", images=1)

    def pair(fraction: float = 0.0) -> None:
        dataset = load(root, val_fraction=fraction)
        for split in (dataset.train, dataset.val):
            make_pairing("pairs", split, dataset, AugmentSettings())

    with pytest.raises(DataError, match=r"'cat' has one held-out image.*data\.val_fraction=0\.2"):
        pair()
    pair(0.2)
    for path in list((root / "train" / "cat").iterdir())[1:]:
        path.unlink()
    with pytest.raises(DataError, match="'cat' has one training image") as caught:
        pair()
    assert "val_fraction" not in str(caught.value)


def test_folders_that_look_like_splits_of_unknown_names_are_asked_about(tmp_path: Path) -> None:
    for split in ("Entrenamiento", "Prueba"):
        for name in ("gato", "perro"):
            lay(tmp_path, f"d/{split}/{name}", images=1)
    settings = {"source": "folder", "path": str(tmp_path / "d")}
    with pytest.raises(DataError, match=r"contain folders of the same names \(gato and perro\)"):
        layout_of(DataSettings.model_validate(settings), tmp_path / "d", lambda: None)
    chosen = settings | {"classes": ["Entrenamiento", "Prueba"]}
    layout = layout_of(DataSettings.model_validate(chosen), tmp_path / "d", lambda: None)
    assert layout.folders == ("Entrenamiento", "Prueba")
    for name in ("2019", "2020"):
        for kind in ("oak", "pine"):
            lay(tmp_path, f"years/{kind}/{name}", images=1)
    years = DataSettings.model_validate(settings | {"path": str(tmp_path / "years")})
    layout = layout_of(years, tmp_path / "years", lambda: None)
    assert layout.folders == ("oak", "pine")


def test_images_and_their_masks_are_no_two_classes(tmp_path: Path) -> None:
    for name in ("JPEGImages", "Masks"):
        lay(tmp_path, name, images=1)
    settings = DataSettings.model_validate({"source": "folder", "path": str(tmp_path)})
    with pytest.raises(DataError, match=r"set data\.path to .*JPEGImages"):
        layout_of(settings, tmp_path, lambda: None)
    lay(tmp_path, "Cats", images=1)
    assert len(layout_of(settings, tmp_path, lambda: None).folders) == 3


@pytest.mark.parametrize(("train", "test"), [("tr", "te"), ("TRN", "TST")])
def test_short_names_of_splits(tmp_path: Path, train: str, test: str) -> None:
    for split in (train, test):
        for name in ("a", "b"):
            lay(tmp_path, f"{split}/{name}", images=1)
    layout = find_layout(tmp_path)
    assert layout.train.name == train and layout.test is not None and layout.test.name == test


def test_held_out_classes_are_matched_without_regard_to_case_where_that_is_clear(
    tmp_path: Path,
) -> None:
    for name in ("Cat", "Dog"):
        lay(tmp_path, f"train/{name}", images=1)
        lay(tmp_path, f"test/{name.upper()}", images=1)
    layout = find_layout(tmp_path)
    assert layout.test_folders == ("CAT", "DOG") and not layout.strangers
    assert "matched although the case differs: Cat and Dog" in layout.notes
    lay(tmp_path, "test/cat", images=1)
    assert set(find_layout(tmp_path).strangers) == {"CAT", "cat"}


def test_a_class_that_is_a_link_to_another_is_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        lay(tmp_path, name, images=1)
    (tmp_path / "c").symlink_to(tmp_path / "a")
    assert "the same folder, so the same images: a and c" in find_layout(tmp_path).notes
