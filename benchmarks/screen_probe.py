"""The dashboard with a probe in its event loop; run by `benchmarks.screen` inside a pty.

python -m benchmarks.screen_probe RUNS PRESET OUT [KEY=VALUE …]
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from tui_latent.config.presets import load_preset, parse_override
from tui_latent.runs.schema import LIVE_STATES
from tui_latent.runtime.malloc import keep_freed_memory
from tui_latent.runtime.openmp import limit_spinning
from tui_latent.tui.app import LatentApp

PERIOD = 0.01
"""seconds that the probe sleeps; what it oversleeps is the lag"""


class ProbedApp(LatentApp):
    """Starts a run, measures how late the event loop wakes once a map is shown, and leaves."""

    def __init__(self, runs: Path, preset: str, overrides: dict[str, object], out: Path) -> None:
        super().__init__(runs)
        self._preset_name, self._preset = preset, load_preset(preset, overrides)
        self._out = out

    async def on_ready(self) -> None:
        """Begin once the first frame is painted."""
        self.start_run(self._preset_name, self._preset)
        self.run_worker(self._probe(), exit_on_error=False)

    async def _probe(self) -> None:
        from tui_latent.runs.reader import RunReader

        path = await self._first_map()
        lags = []
        while self.training_path is not None:
            before = time.perf_counter()
            await asyncio.sleep(PERIOD)
            lags.append(time.perf_counter() - before - PERIOD)
        snapshot = RunReader(path).refresh()
        assert snapshot.status.state not in LIVE_STATES
        points = 0 if snapshot.map is None else len(snapshot.map.points)
        result = {"path": str(path), "state": snapshot.status.state, "lags": lags, "points": points}
        self._out.write_text(json.dumps(result))
        self.exit(0)

    async def _first_map(self) -> Path:
        """Return the run's folder once its first map is there; leaves when the run failed."""
        while True:
            await asyncio.sleep(0.1)
            for path in self.runs.glob("*-*"):
                if list((path / "latents").glob("step-*.npz")):
                    return path
                if "failed" in (path / "status.json").read_text():
                    self.exit(1)


def main() -> None:
    """Run the probed dashboard to the end of its training."""
    keep_freed_memory()  # this and the next as the command line does
    limit_spinning()
    runs, preset, out, *settings = sys.argv[1:]
    overrides = dict(parse_override(text) for text in settings)
    ProbedApp(Path(runs), preset, overrides, Path(out)).run()


if __name__ == "__main__":
    main()
