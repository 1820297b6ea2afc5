"""The list of runs with its index in the cache, so that only runs that changed are read."""

from __future__ import annotations

from pathlib import Path

from tui_latent.preferences.view_state import cache_folder
from tui_latent.runs.run_index import RunIndex
from tui_latent.runs.run_list import SUMMARIES, list_runs
from tui_latent.runs.schema import RunSummary

INDEX_FOLDER = "runs"
"""name of the folder in the cache that has the indices"""


def index_of(folder: Path) -> RunIndex:
    """Return the index of a folder of runs, with its lines read."""
    index = RunIndex(cache_folder() / INDEX_FOLDER, folder, SUMMARIES)
    index.load(folder)
    return index


def listed_runs(folder: Path, certain: bool = False) -> list[RunSummary]:
    """List runs as `list_runs` does, and store the lines that were read anew."""
    index = index_of(folder)
    runs = list_runs(folder, certain)
    index.keep(runs)
    return runs
