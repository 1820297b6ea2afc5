"""The divisions of the race: which images, how wide the latents may be, and the bar."""

from __future__ import annotations

from dataclasses import dataclass, replace

NEIGHBOURS = 20
"""that vote for the class of a test image"""
LEAST_SEEDS = 5


@dataclass(frozen=True)
class Division:
    """One race."""

    title: str
    bar: float
    """held-out kNN accuracy that the mean over the seeds must reach, with its lower bound"""
    widest: int
    """largest dimension of the latents"""
    jpegs: bool
    """whether the images are JPEG files (cifar10-jpeg) or CIFAR-10's own files"""
    training_images: int
    """drawn once, the same for everyone"""
    entry: str
    """file in `entries/` that runs where no other is named"""
    rehearsal: bool = False
    """whether a fifth of the training images is judged instead of the test images"""


RACES = {
    "small": Division(
        "5,000 JPEGs of CIFAR-10, up to 512 numbers each",
        0.41,
        512,
        True,
        5000,
        "small.py",
    ),
    "wide": Division("CIFAR-10, up to 512 numbers each", 0.80, 512, False, 50_000, "wide.py"),
    "map": Division("CIFAR-10, two numbers each", 0.80, 2, False, 50_000, "map.py"),
}
DIVISIONS = RACES | {
    f"{name}-rehearsal": replace(division, rehearsal=True) for name, division in RACES.items()
}
"""rehearsals are for choosing settings: they never read the test images, and prove nothing"""
