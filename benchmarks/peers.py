"""The packages that benchmarks compare with: none of them is needed to use or test the project."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

PACKAGES = ("kornia", "lightly", "opentsne", "trackio", "umap-learn", "wandb")
"""pinned in `requirements.txt`"""
SKIPPED = 77
"""exit status of a benchmark that cannot run here, as in automake"""


def need(*modules: str) -> None:
    """Exit with one sentence and `SKIPPED` if a required module is not installed."""
    missing = [module for module in modules if not there(module)]
    if missing:
        print(
            f"not installed: {', '.join(missing)}: run `make peers`, "
            "then this benchmark with .peers/bin/python instead of .venv/bin/python",
            file=sys.stderr,
        )
        sys.exit(SKIPPED)


def there(module: str) -> bool:
    """Return whether a module is installed, without importing it."""
    return find_spec(module) is not None


def versions() -> dict[str, str]:
    """Return the versions of the installed peers."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
