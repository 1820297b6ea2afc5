"""What is said of a file that is not UTF-8."""

from __future__ import annotations

import pytest

from tui_latent.runtime.utf8_text import utf8_text


def test_line_ends_and_byte_order_marks_of_other_editors_are_read() -> None:
    assert utf8_text("\ufeffé\r\nb\rc\n".encode()) == "é\nb\nc\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a\nb\xe9c", "0xe9 at line 2, column 2"),
        (b"\xef\xbb\xbf\xff", "0xff at line 1, column 1"),
        ("é".encode("utf-16"), "UTF-16"),
    ],
    ids=["latin-1", "after a mark", "utf-16"],
)
def test_the_place_of_what_is_not_utf8_is_named(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        utf8_text(content)
