"""CIFAR-100: 60,000 small photos of 100 classes."""

from __future__ import annotations

from tui_latent.sources.base import PublicDataset, register
from tui_latent.sources.formats import read_cifar

_CLASSES = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
    butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch
    crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo
    keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse
    mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy
    porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper
    snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television
    tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""

register(
    PublicDataset(
        name="cifar100",
        heading="CIFAR-100",
        title="CIFAR-100",
        shape=(3, 32, 32),
        class_names=tuple(_CLASSES.split()),
        train=50_000,
        held_out=10_000,
        read=read_cifar,
        training_files=("cifar-100-python/train",),
        test_files=("cifar-100-python/test",),
        torchvision="CIFAR100",
        megabytes=169,
    )
)
