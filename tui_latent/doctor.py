"""What this machine offers, for `tui-latent doctor`."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from tui_latent.data.facts import describe_source
from tui_latent.data.places import data_folder
from tui_latent.data.public import PUBLIC_DATASETS
from tui_latent.hardware import devices
from tui_latent.preset_files import preset_folder, preset_names
from tui_latent.records.locks import FileLock
from tui_latent.settings import DataSettings, TrainSettings

PACKAGES = ("tui-latent", "torch", "torchvision", "textual", "plotext", "textual-image", "numpy")


def examine(runs: Path) -> dict[str, dict[str, str]]:
    """Return findings by topic, each a name and a value in words; imports torch."""
    return {
        "devices": _devices(),
        "terminal": _terminal(),
        "data": _data(),
        "folders": {"runs": _folder(runs), "presets": f"{preset_folder()}, {len(preset_names())}"},
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
    }


def _devices() -> dict[str, str]:
    import torch

    from tui_latent.training.device import choose_device, choose_precision, limit_threads

    limit_threads()
    found = {device.id: device.describe() for device in devices()}
    chosen = choose_device("auto")
    precision = str(choose_precision(TrainSettings(), chosen)).removeprefix("torch.")
    found["auto is"] = f"{chosen}, {precision}, {torch.get_num_threads()} CPU threads"
    return found


def _terminal() -> dict[str, str]:
    size = shutil.get_terminal_size()
    return {
        "TERM": os.environ.get("TERM", "not set"),
        "size": f"{size.columns}x{size.lines} (the dashboard needs 60x20)",
        "interactive": "yes" if sys.stdin.isatty() and sys.stderr.isatty() else "no",
        "colours": os.environ.get("COLORTERM", "not announced"),
        "tmux": "yes: images as half-blocks" if "TMUX" in os.environ else "no",
        "ssh": "yes: no animations" if "SSH_CONNECTION" in os.environ else "no",
    }


def _data() -> dict[str, str]:
    facts = {name: describe_source(DataSettings(source=name)) for name in PUBLIC_DATASETS}
    return {"folder": str(data_folder())} | {name: fact.note for name, fact in facts.items()}


def _folder(path: Path) -> str:
    if not path.is_dir():
        return f"{path}, not there yet"
    free = shutil.disk_usage(path).free / 1e9
    writable = "writable" if os.access(path, os.W_OK) else "NOT writable"
    return f"{path}, {writable}, {free:,.1f} GB free, {_locks(path)}"


def _locks(path: Path) -> str:
    """Say whether two trainers of one run find out about each other at once here."""
    try:
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=path) as folder:
            lock = FileLock(Path(folder) / "lock")
            locks = lock.take()
            lock.release()
    except OSError:
        return "locks not tried"
    return "locks work" if locks else "no locks: a second trainer is found by its heartbeat"
