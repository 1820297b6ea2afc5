"""Follow a run folder from a thread; screens get immutable snapshots."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from textual.message import Message

from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunError, RunSnapshot
from tui_latent.runtime.cpu_share import count_this_thread


class SnapshotRead(Message, bubble=False):
    """The run folder has changed."""

    def __init__(self, snapshot: RunSnapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        """Drop older snapshots if the screen falls behind."""
        return isinstance(message, SnapshotRead)


class RunLost(Message, bubble=False):
    """The run folder cannot be read, or can no longer be read."""

    def __init__(self, problem: str) -> None:
        super().__init__()
        self.problem = problem


class RunWatcher:
    """Reads a run in its own thread and posts each change, until it is closed."""

    def __init__(
        self, path: Path, post: Callable[[Message], object], interval: float = 0.4
    ) -> None:
        """`post` is called from the thread, at most once every `interval` seconds."""
        self._path = path
        self._post = post
        self._interval = interval
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="run-watcher", daemon=True)

    def start(self) -> None:
        """Start; the first snapshot is posted as soon as it is read."""
        self._thread.start()

    def close(self) -> None:
        """Post nothing more; returns at once."""
        self._closed.set()

    def _watch(self) -> None:
        count_this_thread()
        reader: RunReader | None = None
        shown: RunSnapshot | None = None
        told = ""
        while not self._closed.is_set():
            try:
                reader = reader or RunReader(self._path)
                snapshot = reader.refresh()
            except RunError as error:  # its disk may come back
                if str(error) != told and not self._closed.is_set():
                    self._post(RunLost(str(error)))
                told, shown = str(error), None
            else:
                if snapshot is not shown and not self._closed.is_set():
                    self._post(SnapshotRead(snapshot))
                told, shown = "", snapshot
            self._closed.wait(self._interval)
