"""A process beside the watched one, which does the work that would take the loop's interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from numpy.typing import NDArray

from tui_latent.watching.pipe import receive, send

_ALONE: Final = {
    "CUDA_VISIBLE_DEVICES": "",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""environment of the process: cores and GPUs are the loop's"""


class EndedError(Exception):
    """The process has ended; the message says how."""


class OwnProcess:
    """Runs `python -m tui_latent.watching.worker` from the first question on.

    It is started again for the question after one that it did not survive. Any thread may ask,
    one at a time.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._mutex = threading.Lock()
        self._asking = threading.Lock()
        self._over = False

    def ask(
        self, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Send a question and return the answer; EndedError when the process ends over it."""
        with self._asking:
            try:
                process = self._started()
                assert process.stdin is not None and process.stdout is not None
                send(process.stdin, table, arrays)
                return receive(process.stdout)
            except (OSError, EOFError) as error:
                raise EndedError(self._end() or str(error)) from error

    def close(self) -> None:
        """Let the process end by itself."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def kill(self) -> None:
        """End the process now; no other is started."""
        with self._mutex:
            self._over = True
            process = self._process
        if process is not None:
            process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)

    def forsake(self) -> None:
        """Close the pipe in a process that was forked off: it would keep ours from ending."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()  # unbuffered: nothing is written by that

    def _started(self) -> subprocess.Popen[bytes]:
        with self._mutex:
            if self._over:
                raise EOFError("it was ended")
            if self._process is None:
                package = str(Path(__file__).parents[2])
                path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
                self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (as long as the process)
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tui_latent.watching.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._errors,
                    bufsize=0,
                    env={**os.environ, **_ALONE, "PYTHONPATH": path},
                    # Ctrl-C in the terminal is for the loop. Not a session of its own: Linux shares
                    # the cores among sessions first, where being polite counts for nothing.
                    process_group=0,
                )
            return self._process

    def _end(self) -> str:
        """Forget the process, and return how it ended, with its last line of errors."""
        with self._mutex:
            process, errors = self._process, self._errors
            self._process = self._errors = None
        if process is None or errors is None:
            return ""
        process.kill()
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").strip().splitlines()
        errors.close()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"{how}: {lines[-1]}" if lines else how
