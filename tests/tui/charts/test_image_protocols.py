"""What is sent to terminals, read by independent readers: as the protocols' documents say it."""

from __future__ import annotations

import base64
import io
import re
import unicodedata

import numpy as np
from PIL import Image

from tui_latent.tui.charts.image_protocols import (
    iterm2_image,
    kitty_image,
    kitty_number,
    kitty_removal,
    most_cells,
    placeholders,
    through_tmux,
)

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 90, 4), np.uint8), "RGBA")


def read_kitty(messages: list[str]) -> tuple[dict[str, str], bytes]:
    """Return the first message's keys and the data of all."""
    keys: list[dict[str, str]] = []
    data = ""
    for message in messages:
        found = re.fullmatch(r"\x1b_G([^;]*);([A-Za-z0-9+/=]*)\x1b\\", message)
        assert found is not None
        keys.append(dict(pair.split("=") for pair in found[1].split(",")))
        assert len(found[2]) <= 4096 and keys[-1]["q"] == "2"
        data += found[2]
    assert [entry["m"] for entry in keys] == ["1"] * (len(keys) - 1) + ["0"]
    return keys[0], base64.b64decode(data)


def test_kitty_gets_the_image_in_parts_for_placeholders() -> None:
    messages = list(kitty_image(NOISE, 77, 12, 5))
    assert len(messages) > 1
    keys, data = read_kitty(messages)
    assert {k: keys[k] for k in "aUficr"} == dict(a="T", U="1", f="100", i="77", c="12", r="5")
    assert (np.asarray(Image.open(io.BytesIO(data))) == np.asarray(NOISE)).all()


def test_placeholders_number_their_row_and_column() -> None:
    number = kitty_number(3, 250)
    rows = placeholders(number, 4, 3)
    assert len(rows) == 3
    for text in rows:
        assert text.count("\U0010eeee") == 4
        # Every mark combines with the placeholder, which has one cell.
        assert all(unicodedata.combining(mark) == 230 for mark in text.replace("\U0010eeee", ""))
    # The first marks are those that Kitty's document shows for rows and columns 0 and 1.
    assert rows[0].startswith("\U0010eeee\u0305\u0305") and rows[1][5:7] == "\u030d\u030d"
    assert rows[2][1] == "\u030e" and rows[0][3] == rows[2][3] == "\u0310"
    assert most_cells() == 297


def test_numbers_fit_into_an_index_of_the_palette_and_a_mark() -> None:
    numbers = [kitty_number(200, count) for count in range(1000)]
    assert {number & 255 for number in numbers} == set(range(16, 256))
    assert {number >> 24 for number in numbers} == {200}
    assert {number >> 8 & 0xFFFF for number in numbers} == {0}


def test_tmux_gets_every_escape_twice() -> None:
    message = kitty_removal(5)
    wrapped = through_tmux(message)
    assert wrapped.startswith("\x1bPtmux;") and wrapped.endswith("\x1b\\")
    inner = wrapped.removeprefix("\x1bPtmux;")[:-2]
    assert inner.replace("\x1b\x1b", "\x1b") == message
    assert not re.search("(?<!\x1b)\x1b(\x1b\x1b)*(?!\x1b)", inner)


def test_iterm2_gets_the_image_and_its_cells() -> None:
    found = re.fullmatch("\x1b]1337;File=([^:]*):([A-Za-z0-9+/=]*)\x07", iterm2_image(NOISE, 9, 4))
    assert found is not None
    arguments = dict(pair.split("=") for pair in found[1].split(";"))
    data = base64.b64decode(found[2])
    assert arguments["inline"] == "1" and arguments["preserveAspectRatio"] == "0"
    assert (arguments["width"], arguments["height"]) == ("9", "4")
    assert int(arguments["size"]) == len(data)
    assert (np.asarray(Image.open(io.BytesIO(data))) == np.asarray(NOISE)).all()
