"""Names of the networks that timm and open_clip have, read from their files.

Importing either takes seconds and imports torch, which menus and forms do without.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tui_latent.config.feature_models import PublishedModel
from tui_latent.runtime.near_names import near_names

_EXTRAS: Final = {"timm": "timm", "open_clip": "open-clip"}
"""library -> the extra of tui-latent that installs it"""
_ARCHITECTURE: Final = re.compile(r"^@register_model\s+def (\w+)\(", re.MULTILINE)
_WEIGHTS: Final = re.compile(r"""^\s*['"]([\w-]+\.[\w.-]+)['"]\s*:\s*[_{]""", re.MULTILINE)
"""an entry of a table of timm's published weights, as in 'resnet18.a1_in1k': _cfg("""


def how_to_install(library: str) -> str:
    """Return the end of a sentence about a library that is not installed."""
    return f"{library} is not installed: pip install 'tui-latent[{_EXTRAS[library]}]'"


def why_unknown(model: PublishedModel) -> str:
    """Return why a network cannot be used here, and what to do; empty if no reason is known.

    Only what can be found without importing the library: whether it is installed and knows the
    name.
    """
    if model.library == "torchvision":
        return ""
    if _package(model.library) is None:
        return how_to_install(model.library)
    known = known_models(model.library)
    if not known or _architecture(model.weights_name) in map(_architecture, known):
        return ""  # some names of weights are made up when the library is imported
    return f"{model.library} has no '{model.weights_name}'{similar(model.weights_name, known)}"


def known_models(library: str) -> tuple[str, ...]:
    """Return what a preset can name after `timm:` or `open_clip:`; nothing if it is not there."""
    folder = _package(library)
    if folder is None:
        return ()
    try:
        return _timm(folder) if library == "timm" else _open_clip(folder)
    except (OSError, SyntaxError, UnicodeDecodeError):  # a version with other files
        return ()


def similar(name: str, known: Iterable[str]) -> str:
    """Return the end of a message with the names that are most similar; empty if none is."""
    near = near_names(name, known, 3)
    return f": did you mean {' or '.join(near)}?" if near else ""


def _architecture(name: str) -> str:
    """Return a name of either library without the tag of its weights."""
    return name.partition(".")[0].rpartition("/")[0] or name.partition(".")[0]


@cache
def _package(library: str) -> Path | None:
    try:
        spec = find_spec(library)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin).parent if spec is not None and spec.origin else None


@cache
def _timm(folder: Path) -> tuple[str, ...]:
    names: set[str] = set()
    for path in sorted((folder / "models").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        names.update(_ARCHITECTURE.findall(text), _WEIGHTS.findall(text))
    return tuple(sorted(names))


@cache
def _open_clip(folder: Path) -> tuple[str, ...]:
    tree = ast.parse((folder / "pretrained.py").read_text(encoding="utf-8"))
    tables = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    names: set[str] = set()
    for model, value in _entries(tables["_PRETRAINED"]):
        tags = tables.get(value.id, value) if isinstance(value, ast.Name) else value
        names.update(f"{model}/{tag}" for tag, _ in _entries(tags))
    names.update(path.stem for path in (folder / "model_configs").glob("*.json"))
    return tuple(sorted(names))


def _entries(table: ast.expr) -> list[tuple[str, ast.expr]]:
    """Return the entries of a literal dictionary, written with braces or as dict(…)."""
    if isinstance(table, ast.Call):
        return [(word.arg, word.value) for word in table.keywords if word.arg]
    if not isinstance(table, ast.Dict):
        return []
    return [
        (key.value, value)
        for key, value in zip(table.keys, table.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    ]
