"""An evaluation without the dashboard: progress on stderr, the table on stdout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from tui_latent.analysis.evaluate import Tell, evaluate_run
from tui_latent.analysis.evaluation_table import table_lines
from tui_latent.runs.evaluations import evaluation_file
from tui_latent.runs.failure import failure_line
from tui_latent.runs.status import readable_status

_LINE = 78
"""cells of the progress line"""


def evaluate_in_terminal(
    path: Path, outliers: str | None, as_json: bool, out: TextIO, progress: TextIO
) -> dict[str, Any]:
    """Evaluate the run at `path` and print the result, as one line of JSON with `as_json`."""
    with _telling(progress) as tell:
        found = evaluate_run(path, outliers, tell)
    if as_json:
        out.write(json.dumps(found) + "\n")
    else:
        file = evaluation_file(path, found["step"])
        failed = failure_line(readable_status(path))
        kept = found.get("unkept") or f"written to {file}"
        lines = [*([failed] if failed else []), *table_lines(found), kept, ""]
        out.write("\n".join(lines))
    return found


@contextmanager
def _telling(stream: TextIO) -> Iterator[Tell]:
    """Show progress in one line of a terminal, or as a line for each change elsewhere."""
    shown = ""
    live = stream.isatty()

    def tell(words: str) -> None:
        nonlocal shown
        if words == shown:
            return
        shown = words
        text = words.replace("\n", " ")
        stream.write(f"\r{text[:_LINE]:<{_LINE}}" if live else f"{text}\n")
        stream.flush()

    try:
        yield tell
    finally:
        if live and shown:
            stream.write(f"\r{' ' * _LINE}\r")
            stream.flush()
