"""What to send to a terminal so that it draws an image, in each protocol.

Sources: Kitty's graphics protocol (sw.kovidgoyal.net/kitty/graphics-protocol, "Unicode
placeholders"), iTerm2's inline images (iterm2.com/documentation-images.html), tmux's passthrough
(its manual, `allow-passthrough`).
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from functools import cache
from typing import Final

from PIL import Image

_CHUNK: Final = 4096
"""most bytes of base64 in one of Kitty's messages"""
_PLACEHOLDER: Final = "\U0010eeee"

# The marks that number rows and columns, in order: kitty's rowcolumn-diacritics.txt.
_MARKS: Final = """
305 30d-30e 310 312 33d-33f 346 34a-34c 350-352 357 35b 363-36f 483-487 592-595 597-599 59c-5a1
5a8-5a9 5ab-5ac 5af 5c4 610-617 657-65b 65d-65e 6d6-6dc 6df-6e2 6e4 6e7-6e8 6eb-6ec 730 732-733
735-736 73a 73d 73f-741 743 745 747 749-74a 7eb-7f1 7f3 816-819 81b-823 825-827 829-82d 951 953-954
f82-f83 f86-f87 135d-135f 17dd 193a 1a17 1a75-1a7c 1b6b 1b6d-1b73 1cd0-1cd2 1cda-1cdb 1ce0 1dc0-1dc1
1dc3-1dc9 1dcb-1dcc 1dd1-1de6 1dfe 20d0-20d1 20d4-20d7 20db-20dc 20e1 20e7 20e9 20f0 2cef-2cf1
2de0-2dff a66f a67c-a67d a6f0-a6f1 a8e0-a8f1 aab0 aab2-aab3 aab7-aab8 aabe-aabf aac1 fe20-fe26 10a0f
10a38 1d185-1d189 1d1aa-1d1ad 1d242-1d244
"""


@cache
def _marks() -> tuple[str, ...]:
    ends = [part.partition("-") for part in _MARKS.split()]
    ranges = [range(int(first, 16), int(last or first, 16) + 1) for first, _, last in ends]
    return tuple(chr(number) for numbers in ranges for number in numbers)


def most_cells() -> int:
    """Return how many rows or columns of placeholders there can be."""
    return len(_marks())


def kitty_image(image: Image.Image, number: int, columns: int, rows: int) -> Iterator[str]:
    """Yield the messages that send an image and fit it into cells, for placeholders to show.

    `number` identifies the image in the terminal; `placeholders` says which numbers can be shown.
    Nothing is answered (q=2): an answer would be read as keys.
    """
    data = base64.b64encode(_png(image)).decode()
    parts = [data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK)]
    for index, part in enumerate(parts):
        more = int(index < len(parts) - 1)
        head = f"a=T,U=1,f=100,i={number},c={columns},r={rows}," if index == 0 else ""
        yield f"\x1b_G{head}q=2,m={more};{part}\x1b\\"


def kitty_removal(number: int) -> str:
    """Return the message that frees an image."""
    return f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\"


def kitty_number(first: int, count: int) -> int:
    """Return the number of the `count`-th image of this process, given a random byte.

    Only the lowest byte of the colour is used, as an index of the palette (16 to 255): tmux may
    round other colours. A mark has the highest byte, so that two programs rarely meet.
    """
    return (first & 255) << 24 | (16 + count % 240)


def placeholders(number: int, columns: int, rows: int) -> list[str]:
    """Return the rows of text that show an image; their colour is `number & 255` of 256."""
    marks = _marks()
    high = marks[number >> 24]
    return [
        "".join(f"{_PLACEHOLDER}{marks[row]}{marks[column]}{high}" for column in range(columns))
        for row in range(rows)
    ]


def through_tmux(message: str) -> str:
    """Wrap a message so that tmux passes it on to its terminal."""
    doubled = message.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{doubled}\x1b\\"


def iterm2_image(image: Image.Image, columns: int, rows: int) -> str:
    """Return the message that draws an image at the cursor, stretched to cells."""
    data = _png(image)
    arguments = (
        f"inline=1;size={len(data)};width={columns};height={rows}"
        ";preserveAspectRatio=0;doNotMoveCursor=1"
    )
    return f"\x1b]1337;File={arguments}:{base64.b64encode(data).decode()}\x07"


def sixel_image(image: Image.Image, background: tuple[int, int, int]) -> str:
    """Return the message that draws an image at the cursor, a pixel for each of its own."""
    # Not through textual_image's own modules: they ask the terminal as they are imported, and
    # lose keys that are typed meanwhile.
    from textual_image._sixel import image_to_sixels

    return image_to_sixels(image, None, (*background, 1.0))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()
