"""What would keep a trial from training, found before anything starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tui_latent.launch.start import check_preset
from tui_latent.launch.sweep.plan import Trial


def check_trials(trials: Sequence[Trial], runs: Path, where: str) -> None:
    """Raise PresetError for what would fail before its first step.

    What many trials share, such as the images, is checked once.
    """
    seen = set()
    for trial in trials:
        preset = trial.preset
        earlier = preset.method.earlier_run()
        same = (preset.data.model_dump_json(), preset.train.device, earlier and earlier.run)
        if same not in seen:
            seen.add(same)
            check_preset(preset, runs, where)
