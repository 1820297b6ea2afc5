"""Style sheets name the classes that there are: a rule for any other is silently ignored."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import textual.widgets
from textual.dom import DOMNode

import tui_latent.tui

INNER = {"Underline", "FooterLabel"}
"""parts of Textual's widgets, which it does not export"""


def sheets() -> Iterator[tuple[str, str]]:
    """Yield the name and text of every style sheet, and import what they may name."""
    folder = Path(tui_latent.tui.__file__ or "").parent
    for module in pkgutil.walk_packages([str(folder)], "tui_latent.tui."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, type) and issubclass(value, DOMNode):
                own = vars(value) if value.__module__ == module.name else {}
                yield name, f"{own.get('CSS', '')}{own.get('DEFAULT_CSS', '')}"


def subclasses(of: type[DOMNode]) -> Iterator[str]:
    for found in of.__subclasses__():
        yield found.__name__
        yield from subclasses(found)


def test_every_class_that_a_style_sheet_names_exists() -> None:
    named = {
        (sheet, word)
        for sheet, text in sheets()
        for word in re.findall(r"(?<![\w.#$-])[A-Z]\w+", re.sub(r"/\*.*?\*/", "", text, flags=re.S))
    }
    assert ("ChartPanel", "ChartPanel") in named
    known = {*subclasses(DOMNode), *dir(textual.widgets), *INNER}
    assert not {(sheet, word) for sheet, word in named if word not in known}


def test_titles_of_panels_are_not_as_faint_as_their_borders() -> None:
    """A title has the colour of its border unless a rule gives it another."""
    always_focused, titled_elsewhere = {"SettingsScreen"}, {"DashboardScreen", "GroupNameScreen"}
    faint = {
        name
        for name, text in sheets()
        if "border: round $foreground" in text and "border-title-color" not in text
    }
    assert faint <= always_focused | titled_elsewhere


def test_no_text_is_in_the_accent_of_borders() -> None:
    """It is too bright for text on a light background, where `$text-accent` is darker."""
    folder = Path(tui_latent.tui.__file__ or "").parent
    wrong = re.compile(r"\"[^\"{;]*\$accent\"|(?<![-\w])color: \$accent")
    assert not [path.name for path in folder.rglob("*.py") if wrong.search(path.read_text())]
