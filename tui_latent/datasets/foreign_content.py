"""Recognise files that have the name of an image but the content of something else."""

from __future__ import annotations

from typing import Final

_CONVERT: Final = "convert it to PNG or JPEG"
_STARTS: Final = {
    b"version https://git-lfs": "a pointer of Git LFS: run git lfs pull",
    b"\0\0\0\x0cjP  ": f"JPEG 2000: {_CONVERT}",
    b"\xff\x4f\xff\x51": f"JPEG 2000: {_CONVERT}",
    b"\0\0\0\x0cJXL ": f"JPEG XL: {_CONVERT}",
    b"\xff\x0a": f"JPEG XL: {_CONVERT}",
    b"8BPS": f"a Photoshop file: {_CONVERT}",
    b"%PDF": f"a PDF: {_CONVERT}",
    b"%!PS": f"PostScript: {_CONVERT}",
    b"\x1aE\xdf\xa3": "a video",
    b"PK\3\4": "a ZIP archive: unpack it",
    b"\x1f\x8b": "compressed with gzip: unpack it",
    b"\0\5\x16\7": "what macOS stores beside a file, not the file itself",
}
_FAMILIES: Final = {
    **dict.fromkeys(
        (
            b"heic",
            b"heix",
            b"heim",
            b"heis",
            b"hevc",
            b"hevx",
            b"hevm",
            b"hevs",
            b"mif1",
            b"msf1",
        ),
        "HEIC",
    ),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
}
"""picture formats in containers of MPEG-4, by their brand"""
_BEGIN_AS_TEXT: Final = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"P7", b"SIMPLE", b"#?")
"""how images begin whose header is text: PNM, FITS, Radiance"""


def foreign_content(content: bytes) -> str:
    """Say what a file is, and what to do, if that is known; else an empty text."""
    if not content:
        return "empty"
    if not any(content[: 1 << 16]):
        return "nothing but zeros, as broken copies have"
    for start, words in _STARTS.items():
        if content.startswith(start):
            return words
    if content[4:8] == b"ftyp":
        kind = _FAMILIES.get(content[8:12], "")
        return f"{kind}: {_CONVERT}" if kind else "a video"
    if content[128:132] == b"DICM":
        return f"DICOM: {_CONVERT}"
    text = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text and text.startswith((b"<?xml", b"<svg", b"<!doctype svg")):
        return f"SVG: {_CONVERT}"
    if text.startswith((b"<!doctype html", b"<html", b"<head")):
        return "a web page, as failed downloads leave: download it again"
    return ""


def not_an_image(content: bytes) -> str:
    """Say the same of a file that should be an image; then it is not text either."""
    if what := foreign_content(content):
        return what
    if not content.startswith(_BEGIN_AS_TEXT) and _is_text(content[:1024]):
        return "text, not an image, as failed downloads leave: download it again"
    return ""


def _is_text(start: bytes) -> bool:
    """Return whether a file begins with printable text; a character may be cut at the end."""
    text = start.decode(errors="ignore")
    readable = all(character.isprintable() or character.isspace() for character in text)
    return readable and len(text.encode()) > len(start) - 4
