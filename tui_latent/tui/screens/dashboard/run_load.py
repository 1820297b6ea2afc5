"""The load of this machine, while a run is training on it."""

from __future__ import annotations

from tui_latent.runs.process import is_alive
from tui_latent.runs.schema import LIVE_STATES, Status
from tui_latent.runtime.machine_load import LoadMeter, MachineLoad


class RunLoad:
    """Measures with one meter per process: a resumed run has another process."""

    def __init__(self) -> None:
        self._meter: LoadMeter | None = None
        self._process = ""

    def load(self, status: Status) -> MachineLoad | None:
        """Return the load now; None if the run is not training on this machine."""
        live = status.state in LIVE_STATES
        if not live or not is_alive(status.host, status.pid, status.process):
            self._meter = None
            return None
        if self._meter is None or self._process != status.process:
            self._meter, self._process = LoadMeter(status.pid), status.process
        return self._meter.read()
