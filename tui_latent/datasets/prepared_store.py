"""Find what was prepared once, or prepare it, in the first folder that can be written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tui_latent.datasets.paths import prepared_folders
from tui_latent.datasets.shared_files import NOT_WRITABLE, alone, make_folder
from tui_latent.sources.errors import DataError

_Kept = TypeVar("_Kept")


def prepared(
    name: str,
    opened: Callable[[Path], _Kept | None],
    made: Callable[[Path, bool], _Kept],
    doing: str,
    what: str,
    log: Callable[[str], None],
) -> _Kept:
    """Return what `opened` finds under a name in one of the folders, else what `made` makes there.

    One process makes it while others wait; `made` is told whether it is alone, which it may not be
    on a file system without locks. `doing` and `what` say in messages what others wait for (to
    decode), and what is stored (decoded images). DataError if no folder is writable, or if an
    OSError of another kind ends the work.
    """
    places = [folder / name for folder in prepared_folders()]
    for place in places:
        if (found := opened(place)) is not None:
            return found
    problem: OSError | None = None
    for place in places:
        try:
            make_folder(place.parent)
            with alone(place, lambda: log(f"waiting for another process {doing}")) as only:
                found = opened(place)
                return made(place, only) if found is None else found
        except OSError as error:
            problem = problem or error
            if error.errno not in NOT_WRITABLE:
                break
            log(f"{place.parent} is not writable ({error.strerror})")
    assert problem is not None
    raise DataError(
        f"{problem.filename or places[0]}: {problem.strerror or problem}: make it writable, or set "
        f"TUI_LATENT_DATA to a folder with space for {what}"
    ) from problem
