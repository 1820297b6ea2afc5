"""Parses a terminal's input so that nothing in it crashes the program or presses keys.

Textual's own parser (8.2, `textual._xterm_parser`) raises on numbers that are out of range, turns
replies that it does not know into key presses, and buffers an unterminated paste without limit.
Here bytes are split into characters, control sequences, strings and pastes, as in ECMA-48.
Textual still parses the sequences that it knows; all others are dropped.
"""

from __future__ import annotations

import contextlib
from codecs import getincrementaldecoder
from collections.abc import Callable, Generator
from typing import Final

from textual import events, messages
from textual._parser import ParseEOF, ParseTimeout, Peek1, Read1
from textual._xterm_parser import XTermParser
from textual.constants import ESCAPE_DELAY
from textual.message import Message

from tui_latent.tui.line_pace import ANSWER

LARGEST_SCREEN: Final = 700, 250
"""most columns and lines drawn: a screen of 65,535 by 65,535 cells would use all memory"""

LONGEST_PASTE: Final = 4096
"""bytes kept of a paste: every text field has a single line"""

_ESC: Final = "\x1b"
_PASTE_START: Final = "\x1b[200~"
_PASTE_END: Final = "\x1b[201~"
_PASTE_SILENCE: Final = 0.5
"""seconds without input after which an unterminated paste counts as complete"""
_LONG_PASTE_SILENCE: Final = 1.5
"""the same for a paste that is longer than what is kept: it arrives in parts, and no part may
press a key"""
_MOUSE_IN_BYTES: Final = "\x1b[M"
"""begins a mouse report in the oldest format; three bytes follow"""
_CANCELS: Final = "\x18\x1a"
_STRING_ENDS: Final = "\x07\x18\x1a"
_LONGEST_KNOWN: Final = 32
"""most characters of a sequence that Textual recognises"""
_NOT_ASKED_FOR: Final = (events.Resize, events.CursorPosition, messages.InBandWindowResize)
"""dropped: the size comes from the system alone, whatever a terminal reports"""


class Answered(Message):
    """The terminal has answered `line_pace.QUESTION`."""


Give = Callable[[Message], None]
Reading = Generator[Read1 | Peek1, str, str]
"""parses one item; returns the byte that begins the next one, or an empty string"""


class TerminalParser(XTermParser):
    """Turns bytes, decoded as Latin-1 so that each is one character, into Textual's messages."""

    def parse(self, token_callback: Give) -> Generator[Read1 | Peek1, str, None]:
        """Parse until the input ends; no input raises an exception."""

        def give(token: Message) -> None:
            if self._accepts(token):
                token_callback(token)

        decoder = getincrementaldecoder("utf-8")("replace")
        byte = ""
        with contextlib.suppress(ParseEOF):
            while not self.is_eof:
                unfinished = bool(decoder.getstate()[0])
                try:
                    byte = byte or (yield Read1(ESCAPE_DELAY if unfinished else None))
                except ParseTimeout:
                    byte = ""
                ends = byte in ("", _ESC)
                text = decoder.decode(b"" if ends else byte.encode("latin-1"), final=ends)
                for character in text:
                    self._recognise(character, give)
                if byte == _ESC:
                    byte = yield from self._escape(give)
                else:
                    byte = ""

    def _escape(self, give: Give) -> Reading:
        """Parse what follows an ESC."""
        try:
            byte = yield Read1(ESCAPE_DELAY)
        except ParseTimeout:
            byte = ""
        if byte in ("", _ESC):
            self._recognise(_ESC, give)
        elif byte in "[O":
            byte = yield from self._control(_ESC + byte, give)
        elif byte in "]P_^X":
            byte = yield from self._string(_ESC + byte, give)
        elif byte < "\x80":
            if byte != "\\":  # that only ends a string
                self._recognise(_ESC + byte, give)
            byte = ""
        return byte

    def _control(self, sequence: str, give: Give) -> Reading:
        """Parse a control sequence up to its final byte; drop it unless Textual knows it."""
        while True:
            try:
                byte = yield Read1(ESCAPE_DELAY)
            except ParseTimeout:
                if len(sequence) == 2:
                    self._recognise(sequence, give)  # alt and a letter
                return ""
            if not " " <= byte <= "~":
                return "" if byte in _CANCELS else byte
            if len(sequence) <= _LONGEST_KNOWN:
                sequence += byte
            if sequence == _PASTE_START:
                return (yield from self._paste(give))
            if sequence == _MOUSE_IN_BYTES:
                with contextlib.suppress(ParseTimeout):
                    for _ in range(3):
                        yield Read1(ESCAPE_DELAY)
                return ""
            if sequence == ANSWER:
                give(Answered())
                return ""
            if (byte >= "@" and sequence != "\x1b[[") or byte == "$":
                known = len(sequence) <= _LONGEST_KNOWN and self._recognise(sequence, give)
                if known or byte != "$":
                    return ""

    def _string(self, start: str, give: Give) -> Reading:
        """Skip a control string, up to its terminator or a pause."""
        while True:
            try:
                byte = yield Read1(ESCAPE_DELAY)
            except ParseTimeout:
                if start:
                    self._recognise(start, give)  # alt and a letter
                return ""
            if byte == _ESC:
                return byte
            if byte in _STRING_ENDS:
                return ""
            start = ""

    def _paste(self, give: Give) -> Reading:
        """Read a paste up to its end or a pause; keep only its beginning."""
        kept = last = ""
        with contextlib.suppress(ParseTimeout):
            while last != _PASTE_END:
                full = len(kept) == LONGEST_PASTE + len(_PASTE_END)
                byte = yield Read1(_LONG_PASTE_SILENCE if full else _PASTE_SILENCE)
                last = last[1 - len(_PASTE_END) :] + byte
                if not full:
                    kept += byte
        kept = kept.removesuffix(_PASTE_END)[:LONGEST_PASTE]
        text = kept.encode("latin-1").decode("utf-8", "replace")
        if text := "".join(c for c in text if c.isprintable() or c in "\n\t"):
            give(events.Paste(text))
        return ""

    def _recognise(self, sequence: str, give: Give) -> bool:
        """Let Textual parse a complete sequence; return False if it does not know it."""
        textual = super().parse(give)
        wanted = next(textual)
        try:
            for character in sequence:
                wanted = textual.send(character)
            if wanted.timeout is None:
                return True
            if len(sequence) <= 2:  # the key escape, or alt and a key
                textual.throw(ParseTimeout())
        except (ValueError, OverflowError, ZeroDivisionError):
            pass  # a number in it is out of range
        finally:
            textual.close()
        return False

    def _accepts(self, token: Message) -> bool:
        """Return whether the application should receive a message."""
        if isinstance(token, events.Resize):
            self.mouse_pixels = False
        if isinstance(token, events.MouseEvent):
            return token.x < LARGEST_SCREEN[0] and token.y < LARGEST_SCREEN[1]
        if isinstance(token, events.Key):
            return not any("\ud800" <= c <= "\udfff" for c in f"{token.key}{token.character}")
        return not isinstance(token, _NOT_ASKED_FOR)
