"""Classify the folders of a dataset by name: splits, files of a desktop or a NAS, others."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

Role = Literal["train", "val", "test"]

_ROLES: dict[str, Role] = {
    "train": "train",
    "trn": "train",
    "tr": "train",
    "training": "train",
    "trainval": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "validate": "val",
    "vld": "val",
    "dev": "val",
    "development": "val",
    "test": "test",
    "testing": "test",
    "tst": "test",
    "te": "test",
    "eval": "test",
    "evaluation": "test",
    "holdout": "test",
    "heldout": "test",
}
ROLE_WORDS = tuple(_ROLES)
"""words that name a split"""
_OF_A_SPLIT = r"(?:data|dataset|images|imgs|set|split)?"
_EDITION = r"(?:(?:19|20)\d\d|v\d\d?)?"
"""the year of a competition or a version, as in train2017 and test_v2"""
_WORDS = "|".join(sorted(_ROLES, key=len, reverse=True))
_SPLIT = re.compile(rf"({_WORDS}){_OF_A_SPLIT}{_EDITION}")

_IMAGES = frozenset(("image", "images", "img", "imgs", "jpegimages", "rgb", "photos", "pictures"))
_BESIDE = frozenset(
    (
        *("mask", "masks", "label", "labels", "annotation", "annotations", "annots", "gt"),
        *("segmentation", "segmentations", "seg", "groundtruth", "depth", "depths", "trimaps"),
    )
)
"""folders of pictures that say something about the images beside them"""
_SEPARATORS = "[-_. ]"
_BESIDE_WORDS = "|".join(sorted(_BESIDE, key=len, reverse=True))
_WORD_LAST = re.compile(rf"(.+){_SEPARATORS}(?:{_BESIDE_WORDS})(?:{_SEPARATORS}?\d+)?")
_WORD_FIRST = re.compile(rf"(?:{_BESIDE_WORDS})({_SEPARATORS}?\d.*)")

_RUBBISH = frozenset(
    (
        "@eadir",
        "@recently-snapshot",
        "@recycle",
        "@sharebin",
        "@snapshot",
        "@tmp",
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "__macosx",
        "__pycache__",
        "lost+found",
        "network trash folder",
        "recycler",
        "system volume information",
        "temporary items",
    )
)
"""folders of thumbnails, deleted files and the like, which programs create"""


def is_rubbish(folder: str) -> bool:
    """Return whether a folder is hidden or was created by a NAS, a desktop or an archiver."""
    return folder.startswith(".") or folder.casefold() in _RUBBISH


def split_role(folder: str) -> Role | None:
    """Return the split that the whole name of a folder stands for: Training, test_set, val2017."""
    found = _SPLIT.fullmatch(re.sub(r"[\W_]+", "", _plain(folder)))
    return _ROLES[found[1]] if found else None


def roles_within(folder: str) -> set[Role]:
    """Return the splits that words in the name of a folder stand for: seg_train, trainA."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFKC", folder))
    words = re.split(r"[\W\d_]+", _plain(apart))
    return {_ROLES[found[1]] for word in words if (found := _SPLIT.fullmatch(word))}


def is_images_name(folder: str) -> bool:
    """Return whether a folder is called after images in general: images, JPEGImages, img."""
    return re.sub(r"[\W_]+", "", _plain(folder)) in _IMAGES


def is_images_with_masks(folders: Sequence[str]) -> bool:
    """Return whether folders are called images and what belongs to them: masks, labels, depth."""
    plain = {re.sub(r"[\W_]+", "", _plain(folder)) for folder in folders}
    return bool(plain & _IMAGES) and bool(plain & _BESIDE) and plain <= _IMAGES | _BESIDE


def described_stems(stem: str) -> list[str]:
    """Return which images a file may be the mask or the like of, by their names without an ending.

    Examples: x for x_mask and x_mask_1; image_12 and others for mask_12.
    """
    plain = stem.casefold()
    if last := _WORD_LAST.fullmatch(plain):
        return [last[1]]
    first = _WORD_FIRST.fullmatch(plain)
    return [] if first is None else [f"{word}{first[1]}" for word in sorted(_IMAGES)]


def role_of_name(name: str) -> Role | None:
    """Return the split that a name or one of its words stands for: train, PublicTest, cats-val."""
    if role := split_role(name):
        return role
    within = roles_within(name)
    return next(iter(within)) if len(within) == 1 else None


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
