"""Which classes of a map are shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

EXAMPLES: Final = (None, 500, 100, 20, 5)
"""choices for the number of points shown per class; None is all"""


@dataclass(frozen=True)
class ClassFilter:
    """The classes that are hidden; never all of them."""

    hidden: frozenset[int] = frozenset()
    per_class: int | None = None
    """points of each class that are shown; None is all"""

    def fewer(self, most: int) -> ClassFilter:
        """Show fewer points per class than before; after the fewest, all again.

        `most` is the number of points of the largest class.
        """
        now = most if self.per_class is None else self.per_class
        choices = (choice for choice in EXAMPLES if choice is not None and choice < now)
        return replace(self, per_class=next(choices, None))

    def only(self, label: int, classes: int) -> ClassFilter:
        """Show one class alone, or all if it already is alone."""
        if not 0 <= label < classes:
            return self
        alone = frozenset(range(classes)) - {label}
        return replace(self, hidden=frozenset() if self.hidden == alone else alone)

    def hide(self, label: int, classes: int) -> ClassFilter:
        """Hide one more class, unless it is the last visible one."""
        hidden = self.hidden | {label}
        return self if len(hidden) >= classes else replace(self, hidden=hidden)
