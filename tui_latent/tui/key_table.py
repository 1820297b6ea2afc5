"""The README's table of keys: `make docs` writes it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from tui_latent.tui.keymap import KEYMAP
from tui_latent.tui.remapping import TOGETHER, key_label

BEGIN: Final = "<!-- keys -->\n"
END: Final = "<!-- /keys -->\n"
_EVERYWHERE: Final = ("app.help", "app.quit")
"""named above the table"""


def key_table() -> str:
    """Return a Markdown table with the keys of every screen's footer."""
    lines = ["| screen | keys |", "|---|---|"]
    for screen, views in TOGETHER.items():
        keys: dict[tuple[str, str], list[str]] = {}
        listed = set(_EVERYWHERE)
        for row in (row for view in views for part in view for row in KEYMAP[part] if row.show):
            if row.id not in listed:
                listed.add(row.id)
                place = keys.setdefault((row.action.partition("(")[0], row.tooltip), [])
                label = f"`{row.display or key_label(row, {})}`"
                place += [label] * (label not in place)
        cells = [f"{' '.join(named)} {_phrase(words)}" for (_, words), named in keys.items()]
        lines.append(f"| {screen} | {' · '.join(cells)} |")
    return "\n".join(lines) + "\n"


def with_key_table(text: str) -> str:
    """Return a text with the table between its markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{key_table()}{END}{after}"


def _phrase(tooltip: str) -> str:
    """Return a tooltip as part of a sentence; a name in capitals stays one."""
    return tooltip if tooltip[:2].isupper() else tooltip[:1].lower() + tooltip[1:]


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_key_table(path.read_text(encoding="utf-8")), encoding="utf-8")
