"""Which classes of a map are shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassFilter:
    """The classes that are hidden; never all of them."""

    hidden: frozenset[int] = frozenset()

    def only(self, label: int, classes: int) -> ClassFilter:
        """Show one class alone; all again when it is alone already."""
        if not 0 <= label < classes:
            return self
        alone = frozenset(range(classes)) - {label}
        return ClassFilter() if self.hidden == alone else ClassFilter(alone)

    def hide(self, label: int, classes: int) -> ClassFilter:
        """Hide one class more, unless it is the last one shown."""
        hidden = self.hidden | {label}
        return self if len(hidden) >= classes else ClassFilter(hidden)
