"""Names of the runs that files are opened as."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tui_latent.opening.plan import Plan
from tui_latent.runs.new_run import check_name


def stems(plans: Sequence[Plan]) -> list[str]:
    """Return a short name of the files of each plan, with the folder where names are the same."""
    paths = [plan.files[0].path.absolute() for plan in plans]
    titles = [plan.files[0].title for plan in plans]
    names = [
        path.stem if title == path.name else f"{path.stem}-{title.rpartition(':')[2]}"
        for path, title in zip(paths, titles, strict=True)
    ]
    if len(set(names)) < len(names):
        names = [f"{path.parent.name}-{name}" for path, name in zip(paths, names, strict=True)]
    return [re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60] or "vectors" for name in names]


def run_names(runs: Path, plans: Sequence[Plan], name: str | None) -> list[str | None]:
    """Return the name of each run, None for one named by the time; RunError if one is taken.

    Several runs have the name, then their files'.
    """
    if name is None:
        return [None] * len(plans)
    found = [name] if len(plans) == 1 else [f"{name}-{stem}" for stem in stems(plans)]
    found = [one if found.index(one) == i else f"{one}-{i + 1}" for i, one in enumerate(found)]
    for one in found:
        check_name(runs, one)
    return list(found)
