"""What the documents name exists: files, tests and commands."""

from __future__ import annotations

import ast
import importlib.util
import re
import textwrap
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
DOCUMENTS = [
    REPOSITORY / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "benchmarks/README.md",
        "benchmarks/SPEEDRUN.md",
        "Makefile",
    )
] + sorted((REPOSITORY / "docs").rglob("*.md"))
ARCHITECTURE = REPOSITORY / "docs" / "ARCHITECTURE.md"
GLOSSARY = REPOSITORY / "docs" / "GLOSSARY.md"
RELIABILITY = REPOSITORY / "docs" / "RELIABILITY.md"
TO_BE_WRITTEN = {"Density", "SpectrumScreen"}
OF_TEXTUAL = {"LinuxDriver", "XTermParser"}
CODE = re.compile(r"`([^`\n]+)`")


@cache
def python_files() -> tuple[str, ...]:
    folders = ("tui_latent", "tests", "benchmarks", "experiments")
    return tuple(
        path.relative_to(REPOSITORY).as_posix()
        for folder in folders
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix == ".py" or path.is_dir()
    )


@cache
def defined(kind: str, folder: str) -> frozenset[str]:
    """Return the names of all functions (`def`) or classes (`class`) in a folder."""
    pattern = re.compile(rf"^ *(?:async )?{kind} (\w+)", re.MULTILINE)
    texts = (path.read_text() for path in (REPOSITORY / folder).rglob("*.py"))
    return frozenset(name for text in texts for name in pattern.findall(text))


def is_there(path: str) -> bool:
    """Return whether a path, or the end of one, is that of a file or folder of Python."""
    path = path.rstrip("/")
    return any(file == path or file.endswith(f"/{path}") for file in python_files())


@pytest.mark.parametrize("page", [ARCHITECTURE, RELIABILITY], ids=lambda page: page.name)
def test_the_python_files_that_a_document_names_exist(page: Path) -> None:
    named = CODE.findall(page.read_text())
    paths = {name for name in named if re.fullmatch(r"[\w/]+\.py", name)}
    assert paths
    assert not [path for path in sorted(paths) if not is_there(path)]


@pytest.mark.parametrize("page", [ARCHITECTURE, RELIABILITY], ids=lambda page: page.name)
def test_the_classes_that_a_document_names_exist(page: Path) -> None:
    quoted = CODE.findall(page.read_text())
    named = {match[1] for name in quoted if (match := re.match(r"([A-Z][a-z]+[A-Z]\w+)", name))}
    assert named
    assert not named - defined("class", "tui_latent") - OF_TEXTUAL


def test_the_folders_of_the_architecture_exist() -> None:
    named = CODE.findall(ARCHITECTURE.read_text())
    folders = {name for name in named if re.fullmatch(r"[\w/]+/", name)}
    of_runs = {"latents/", "checkpoints/", "evaluations/", "reports/", "thumbnails/"}
    assert not [name for name in sorted(folders - of_runs) if not is_there(name)]


def test_every_module_and_folder_of_the_package_has_a_row() -> None:
    rows = "\n".join(row for row in ARCHITECTURE.read_text().splitlines() if row.startswith("|"))
    package = REPOSITORY / "tui_latent"
    names = [path.name for path in package.glob("[!_]*.py")]
    names += [f"{path.parent.name}/" for path in package.glob("*/__init__.py")]
    assert not [name for name in sorted(names) if f"`{name}`" not in rows]


@pytest.mark.parametrize("page", [ARCHITECTURE, GLOSSARY], ids=lambda page: page.name)
def test_nothing_has_two_rows_in_a_table(page: Path) -> None:
    for table in re.split(r"\n(?!\|)", page.read_text()):
        # A table has its titles and a line of dashes above its rows.
        names = [row.split("|")[1].strip() for row in table.splitlines() if row.startswith("|")][2:]
        assert len(names) == len(set(names)), sorted({n for n in names if names.count(n) > 1})


def test_the_tests_that_stand_for_the_promises_exist() -> None:
    names = [name for name in CODE.findall(RELIABILITY.read_text()) if name.startswith("test_")]
    assert len(names) > 50
    tests, missing = defined("def", "tests"), []
    for name in names:
        start = name.removesuffix("…")
        found = [t for t in tests if t.startswith(start)] if "…" in name else [name]
        if not found or not set(found) <= tests:
            missing.append(name)
    assert not missing


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_the_python_of_a_document_is_valid_and_imports_what_exists(page: Path) -> None:
    for block in re.findall(r"^ *```python\n(.*?)```", page.read_text(), re.DOTALL | re.MULTILINE):
        for node in ast.walk(ast.parse(textwrap.dedent(block))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("tui_latent."):
                file = REPOSITORY.joinpath(*str(node.module).split(".")).with_suffix(".py")
                for alias in node.names:
                    own = alias.name in TO_BE_WRITTEN
                    name = rf"^(?:class |def )?{alias.name}\b"
                    assert own or re.search(name, file.read_text(), re.MULTILINE), alias.name


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_the_commands_that_a_document_quotes_exist(page: Path) -> None:
    modules = set(re.findall(r"python -m ([\w.]+)", page.read_text()))
    assert not [module for module in sorted(modules) if not can_be_run(module)]


def can_be_run(module: str) -> bool:
    """Return whether `python -m` finds a module, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def test_the_targets_of_make_that_the_documents_quote_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    for page in DOCUMENTS:
        if page.suffix == ".md":
            quoted = re.findall(r"(?:^|`)make ([\w-]+)", page.read_text(), re.MULTILINE)
            assert set(quoted) <= targets, page
