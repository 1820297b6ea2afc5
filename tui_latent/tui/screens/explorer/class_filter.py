"""Which classes of a map are shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

EXAMPLES: Final = (None, 500, 100, 20, 5)
"""points of each class that can be chosen to be shown; None is all"""


@dataclass(frozen=True)
class ClassFilter:
    """The classes that are hidden; never all of them."""

    hidden: frozenset[int] = frozenset()
    per_class: int | None = None
    """points of each class that are shown; None is all"""

    def fewer(self) -> ClassFilter:
        """Show fewer points of each class; after the fewest all again."""
        at = EXAMPLES.index(self.per_class) + 1
        return replace(self, per_class=EXAMPLES[at % len(EXAMPLES)])

    def only(self, label: int, classes: int) -> ClassFilter:
        """Show one class alone; all again when it is alone already."""
        if not 0 <= label < classes:
            return self
        alone = frozenset(range(classes)) - {label}
        return replace(self, hidden=frozenset() if self.hidden == alone else alone)

    def hide(self, label: int, classes: int) -> ClassFilter:
        """Hide one class more, unless it is the last one shown."""
        hidden = self.hidden | {label}
        return self if len(hidden) >= classes else replace(self, hidden=hidden)
