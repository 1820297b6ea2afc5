"""A worker thread for drawing: plotext holds the GIL for milliseconds and has a single figure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable

from tui_latent.runtime.cpu_share import count_this_thread

Job = Callable[[], object]


class WorkerThread:
    """Runs jobs one at a time in its own thread; the newest job of each key wins."""

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._failed = failed
        self._jobs: dict[Hashable, Job] = {}
        self._changed = threading.Condition()
        self._busy = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def submit(self, key: Hashable, job: Job) -> None:
        """Queue a job; it replaces one that waits under the same key."""
        with self._changed:
            if self._closed:
                return
            self._jobs[key] = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="drawing", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def idle(self) -> bool:
        """Return whether no job is waiting or running."""
        with self._changed:
            return not self._jobs and not self._busy

    def close(self) -> None:
        """Drop waiting jobs and end the thread after the current one."""
        with self._changed:
            self._closed = True
            self._jobs.clear()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout=2.0)

    def _work(self) -> None:
        count_this_thread()
        while True:
            with self._changed:
                self._busy = False
                while not self._jobs and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                key = next(iter(self._jobs))
                job = self._jobs.pop(key)
                self._busy = True
            try:
                job()
            # One panel that fails must not stop the others.
            except Exception as error:
                self._failed(error)
