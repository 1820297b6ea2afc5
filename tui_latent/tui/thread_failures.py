"""Report a thread that failed, so that nobody waits for its result."""

from __future__ import annotations

from textual.message_pump import MessagePump
from textual.worker import Worker, WorkerState


class TellsFailures(MessagePump):
    """A widget or screen whose threads may fail without ending the program."""

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Show the error of a thread instead of crashing."""
        error = event.worker.error
        if event.state is WorkerState.ERROR and error is not None:
            text = str(error) or type(error).__name__
            self.app.notify(text, title="Failed", severity="error", timeout=20, markup=False)
