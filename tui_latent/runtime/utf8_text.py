"""The text of a file that a person may have written with any editor."""

from __future__ import annotations

import codecs


def utf8_text(content: bytes) -> str:
    """Return the text of a file, without a byte order mark and with every line ended by a newline.

    ValueError says which byte is not UTF-8, and where.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)):
        raise ValueError(
            "it begins with the byte order mark of UTF-16 or UTF-32: save the file as UTF-8"
        )
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        # The codec counts without the byte order mark, which it has taken away.
        body = content.removeprefix(codecs.BOM_UTF8)
        before = body[: error.start].decode("utf-8").split("\n")
        raise ValueError(
            f"the byte 0x{body[error.start]:02x} at line {len(before)}, column "
            f"{len(before[-1]) + 1} is not UTF-8: save the file as UTF-8"
        ) from error
