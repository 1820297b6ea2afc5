"""The packages that benchmarks compare with: none of them is needed to use or test the project."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

PACKAGES = ("kornia", "lightly", "opentsne", "umap-learn")
"""as `requirements.txt` pins them"""


def need(*modules: str) -> None:
    """End with one sentence when a module that is compared with is not installed."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        sys.exit(
            f"not installed: {', '.join(missing)}: run `make peers`, "
            "then this benchmark with .peers/bin/python instead of .venv/bin/python"
        )


def versions() -> dict[str, str]:
    """Return the versions of those that are installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
