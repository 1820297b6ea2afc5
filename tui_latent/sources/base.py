"""Descriptions of the sources of images, without torch or numpy.

Presets, menus, forms and loading read these descriptions and know no public dataset by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from tui_latent.plugins.registry import Registry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tui_latent.sources.files.raw import RawImages

Split: TypeAlias = "tuple[NDArray[np.uint8], NDArray[np.integer[Any]]]"
"""images (N, C, H, W) and labels (N,), indices into the class names"""
Shape = tuple[int, int, int]
"""(C, H, W)"""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source of images, as `data.source` names it."""

    name: str
    heading: str
    """above the presets of this source in the menu"""
    needs_path: bool = False
    """whether `data.path` must give the location of the images"""
    skips_corrupt: bool = False
    """whether `data.skip_corrupt` can skip single images"""
    is_table: bool = False
    """whether images are rows of a table, whose columns and paths settings name"""
    megabytes: int = 0
    """size of the download"""

    def image_shape(self, path: str) -> Shape | None:
        """Return the shape of the images if it can be found quickly."""
        return None


@dataclass(frozen=True, kw_only=True)
class PublicDataset(Source):
    """A dataset with a fixed content and, unless it is bundled with a package, fixed files."""

    title: str
    shape: Shape
    class_names: tuple[str, ...]
    train: int
    """number of training images"""
    held_out: int
    """number of held-out images"""
    read: Callable[[Sequence[Path]], Split]
    """reads the files of a split; ValueError, or WrongFileError with its path, if one is damaged"""
    bundled_with: str = ""
    """Python package that contains it; it then has no files"""
    training_files: tuple[str, ...] = ()
    """below the data folder"""
    test_files: tuple[str, ...] = ()
    torchvision: str = ""
    """class in `torchvision.datasets` with the download address; empty if there is no download"""
    aliases: Callable[[str], tuple[str, ...]] = lambda file: (file,)
    """other paths under which mirrors and archives have a file"""

    def image_shape(self, path: str) -> Shape | None:
        """Return the shape of all images."""
        return self.shape


@dataclass(frozen=True, kw_only=True)
class OwnSource(Source):
    """A source that a plugin reads in any way it likes; derive from it and write `read`."""

    def read(self, path: str) -> RawImages:
        """Return the images at `data.path`, which is empty unless the source needs a path.

        `labels` are indices into the class names; -1 marks an image without a class. If `test` is
        None, a share of the training images is held out.
        """
        raise NotImplementedError

    def problem(self, path: str) -> str:
        """Return why the images cannot be read, if that can be found quickly; empty if not."""
        return ""


SOURCES: Registry[Source] = Registry("source")
"""a preset's `data.source` -> its description"""

Added = TypeVar("Added", bound=Source)


def register(source: Added) -> Added:
    """Make a source known to presets, menus and loading; PluginError when its name is taken."""
    SOURCES.add(source.name, source)
    return source


def public_datasets() -> dict[str, PublicDataset]:
    """Return the public datasets by name, the smallest download first."""
    found = [source for source in SOURCES.values() if isinstance(source, PublicDataset)]
    return {source.name: source for source in sorted(found, key=menu_order)}


def menu_order(source: Source) -> tuple[bool, int, str]:
    """Return a sort key for lists: bundled first, then by size of download, own images last."""
    return source.needs_path, source.megabytes, source.name
