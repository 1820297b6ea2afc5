"""Versions of installed packages, even where the installation left no record of them."""

from __future__ import annotations


def version_of(package: str) -> str:
    """Return a package's version, or `–` where none is recorded.

    A checkout on the path, or a module copied into an image, runs without such a record.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        # An interrupted installation leaves a record without a version: None.
        return version(package) or "–"
    except PackageNotFoundError:
        return "–"
