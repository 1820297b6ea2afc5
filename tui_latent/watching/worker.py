"""The process beside a watched one: reads questions from a pipe, writes answers to another.

Run as `python -m tui_latent.watching.worker`; ends when the watched process does.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from tui_latent.watching.pipe import receive, send

Found = tuple[dict[str, Any], dict[str, NDArray[Any]]]

_POLITE: Final = 19
"""niceness: what the loop leaves of its cores is enough"""


def main() -> None:
    """Answer questions until the pipe is closed."""
    os.nice(_POLITE)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print must not get among the answers
    questions = os.fdopen(os.dup(0), "rb", buffering=0)
    while True:
        try:
            about, given = receive(questions)
        except EOFError:
            return
        try:
            table, arrays = _answer(about, given)
        except Exception as error:
            traceback.print_exc()
            kind = "" if isinstance(error, (ValueError, OSError)) else f"{type(error).__name__}: "
            table, arrays = {"error": f"{kind}{error}"}, {}
        try:
            send(answers, table, arrays)
        except BrokenPipeError:
            return


def _answer(about: dict[str, Any], given: dict[str, NDArray[Any]]) -> Found:
    if about["task"] == "measure":
        from tui_latent.watching.measure import measure

        return measure(about, given)
    from tui_latent.thumbnail_store import store_thumbnails

    pictures = given["images"] if "images" in given else about["paths"]
    stored = store_thumbnails(Path(about["run"]), about["split"], pictures, about["count"])
    return {"kept": stored.kept, "side": stored.side, "left_out": stored.left_out}, {}


if __name__ == "__main__":
    main()
