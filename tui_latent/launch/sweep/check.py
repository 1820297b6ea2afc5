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
        train = preset.train
        same = (
            *(preset.data.model_dump_json(), earlier and earlier.run),
            *(train.device, train.devices, train.batch_size if train.devices > 1 else 0),
        )
        if same not in seen:
            seen.add(same)
            check_preset(preset, runs, where)
