"""The right to train a run: one process has it, in the very folder that it locked."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from tui_latent.runs.file_lock import FileLock
from tui_latent.runs.own_folder import OwnFolder
from tui_latent.runs.process import is_alive, same_boot, this_process
from tui_latent.runs.run_list import LOCK_FILE, busy_error
from tui_latent.runs.schema import LIVE_STATES, FolderLostError, Status
from tui_latent.runs.status import awaits_launched, beats, moving_status, readable_status

_TRAINED_HERE: Final[set[str]] = set()
"""folders of the runs that this process is training"""


class TrainerLock:
    """The lock on a run's folder, from `take` to `release`.

    Where the file system has no locks, and after a lock file was deleted, the status tells who
    trains the run: the trainer writes its mark (`process`) there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._real_path = os.path.realpath(path)
        self._lock = FileLock(path / LOCK_FILE)
        self._locked = False
        self._folder: OwnFolder | None = None
        self._lost: FolderLostError | None = None
        self.process = ""
        """marks the trainer in the status; empty before `take`"""

    def take(self) -> Status:
        """Take the run for this process; return the status as it was before.

        RunBusyError when another live trainer has it, OSError when it cannot be written.
        """
        try:
            self._locked = self._lock.take()
        except BlockingIOError as error:
            raise busy_error(self._path, readable_status(self._path), "try again") from error
        status = readable_status(self._path)
        taken = status.state in LIVE_STATES and status.pid and not awaits_launched(status)
        if taken and self._is_trained(status):
            self.release()
            raise busy_error(self._path, status, "try again")
        self.process = f"{this_process()} {secrets.token_hex(8)}".strip()
        self._folder = OwnFolder(self._path, self._wrote_the_status)
        _TRAINED_HERE.add(self._real_path)
        return status

    def check(self) -> bool:
        """Make sure that what is written now goes into the folder that was locked.

        Returns whether the folder came back on another mount, so that open files must be opened
        anew. FolderLostError when it is no longer this run's; OSError while its disk is away.
        """
        self.check_still_mine()
        try:
            return self._folder is not None and self._folder.check()
        except FolderLostError as lost:
            self._lost = lost
            raise

    @property
    def lost(self) -> bool:
        """Whether the folder is known to be no longer this run's."""
        return self._lost is not None

    def check_still_mine(self) -> None:
        """Raise FolderLostError once it is known that the folder is no longer this run's."""
        if self._lost is not None:
            raise self._lost

    def refuse_second_trainer(self) -> None:
        """Give up the run if another trainer has taken it over, say after its lock was deleted."""
        status = readable_status(self._path)
        other = status.process not in ("", self.process) and status.state in LIVE_STATES
        if not other and self._locked and not self.stands():
            again = FileLock(self._path / LOCK_FILE)
            try:
                again.take()
            except BlockingIOError:
                other = True
            else:
                self._lock.release()
                self._lock = again
        if other:
            self._lost = FolderLostError(
                f"{self._path}: process {status.pid} on {status.host} has taken over this run",
                "training has stopped here and writes nothing more to it",
            )
            raise self._lost

    def stands(self) -> bool:
        """Return whether the lock is held on the file that others would lock."""
        return self._lock.stands()

    def release(self) -> None:
        """Let others train the run; does nothing when it is not held."""
        if self._folder is not None:
            _TRAINED_HERE.discard(self._real_path)
            self._folder.close()
            self._folder = None
        self._lock.release()

    def _is_trained(self, status: Status) -> bool:
        """Return whether the trainer that a live status names is running."""
        alive = is_alive(status.host, status.pid, status.process)
        if alive and status.pid == os.getpid():
            return self._real_path in _TRAINED_HERE
        if alive is not None:
            return alive
        if beats(status) and not (self._locked and same_boot(status.process)):
            return True
        # Its lock is free on this very system, or its clock differs: what counts is that it moves.
        return moving_status(self._path, status) is not None

    def _wrote_the_status(self) -> bool:
        return readable_status(self._path).process == self.process
