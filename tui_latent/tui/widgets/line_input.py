"""A text field of one row."""

from __future__ import annotations

from typing import Any

from textual.widgets import Input


class LineInput(Input):
    """Textual's input without its borders, which leave no room for the text in a single row.

    `border: none` on the type does not suffice: the borders come back with the focus.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, compact=True, **options)
