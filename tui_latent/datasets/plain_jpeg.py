"""Small JPEGs without metadata, decoded with a fraction of the work that opening a file takes.

For a JPEG of 32 pixels Pillow spends most of its time on reading headers into Python objects. The
files that this module understands (8 bits, grey or YCbCr, no orientation and no profile) are given
to the same decoder directly, so their pixels are the same.
"""

from __future__ import annotations

from typing import Final

from PIL import Image

from tui_latent.datasets.image_file import FULL_SIZE, NOTES

_START: Final = b"\xff\xd8"
_FRAMES: Final = (0xC0, 0xC1, 0xC2)
"""markers of baseline, extended and progressive frames (ITU-T T.81, table B.1)"""
_TABLES: Final = (0xC4, 0xDB, 0xDD, 0xE0, 0xFE)
"""markers of Huffman and quantisation tables, restarts, JFIF and comments"""
_SCAN: Final = 0xDA
_MODES: Final = {1: "L", 3: "RGB"}


def read_plain_jpeg(content: bytes, near: int) -> Image.Image | None:
    """Return a JPEG in mode L or RGB with NOTES and FULL_SIZE; None if Pillow has to open it.

    None is returned for other formats, other markers and damaged files, and for images that are
    large enough to be decoded at a reduced size of `near` pixels.
    """
    found = _frame(content)
    if found is None:
        return None
    width, height, channels = found
    if not near or min(width, height) >= 2 * near or channels not in _MODES:
        return None
    mode = _MODES[channels]
    try:
        image = Image.frombytes(mode, (width, height), content, "jpeg", mode, "")
    except (OSError, ValueError):  # damaged: Pillow says how
        return None
    image.info = {NOTES: 0, FULL_SIZE: (width, height)}
    return image


def _frame(content: bytes) -> tuple[int, int, int] | None:
    """Return width, height and channels of a JPEG that has only plain markers before its scan."""
    if not content.startswith(_START):
        return None
    at, found, end = 2, None, len(content) - 9
    while at < end and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == _SCAN:
            return found
        if marker in _FRAMES and found is None and content[at + 4] == 8:
            height = content[at + 5] << 8 | content[at + 6]
            width = content[at + 7] << 8 | content[at + 8]
            found = width, height, content[at + 9]
            if not (width and height):
                return None
        elif marker not in _TABLES:
            return None
        at += 2 + (content[at + 2] << 8 | content[at + 3])
    return None
