"""What this machine offers, for `tui-latent doctor`."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from tui_latent.config.own_folders import own_folders
from tui_latent.config.preset_files import preset_folder, preset_names
from tui_latent.config.settings import DataSettings, TrainSettings
from tui_latent.datasets.describe import describe_source
from tui_latent.datasets.paths import data_folder
from tui_latent.nouns import counted
from tui_latent.plugins.loading import all_plugins, failed_packages
from tui_latent.runs.file_lock import FileLock
from tui_latent.runtime.hardware import devices, driver_trouble, no_gpu_reason
from tui_latent.runtime.versions import version_of
from tui_latent.sources import public_datasets
from tui_latent.tui.charts.terminal_images import CHOICE, NAMES, chosen_way
from tui_latent.tui.color_depth import color_depth
from tui_latent.tui.terminal_query import Answers

PACKAGES = ("tui-latent", "torch", "torchvision", "textual", "plotext", "textual-image", "numpy")


def examine(runs: Path, answers: Answers) -> dict[str, dict[str, str]]:
    """Return facts by topic, as names and values in words; imports torch.

    `answers` are what the terminal has replied.
    """
    return {
        "devices": _devices(),
        "terminal": _terminal(answers),
        "data": _data(),
        "plugins": _plugins(),
        "folders": {
            "runs": _folder(runs),
            "presets": f"{preset_folder()}, {len(preset_names())}",
            "own presets": ", ".join(str(folder) for folder in own_folders()),
        },
        "versions": {"python": platform.python_version()} | {p: version_of(p) for p in PACKAGES},
    }


def _devices() -> dict[str, str]:
    import torch

    from tui_latent.training.device import choose_device, choose_precision, limit_threads

    limit_threads()
    found = {device.id: device.describe() for device in devices()}
    found |= _driver(found, _seen_by_torch())
    chosen = choose_device("auto")
    precision = str(choose_precision(TrainSettings(), chosen)).removeprefix("torch.")
    threads = counted(torch.get_num_threads(), "CPU thread")
    found["auto selects"] = f"{chosen}, {precision}, {threads}"
    return found


def _seen_by_torch() -> list[str]:
    """Return the names of the GPUs in torch's order."""
    import torch

    if not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]


def _driver(listed: dict[str, str], seen: list[str]) -> dict[str, str]:
    """Return how the driver and torch disagree on the GPUs, or why there is none."""
    words = {}
    if trouble := driver_trouble():
        words["driver"] = trouble
    by_torch = {f"cuda:{index}": name for index, name in enumerate(seen)}
    gpus = {name: line for name, line in listed.items() if name != "cpu"}
    differ = by_torch.keys() != gpus.keys() or any(
        not gpus[device].startswith(name) for device, name in by_torch.items()
    )
    if differ:
        numbered = ", ".join(f"{device} {name}" for device, name in by_torch.items())
        words["torch sees"] = numbered or "no GPU: torch's build does not match the driver"
        order = os.environ.get("CUDA_DEVICE_ORDER", "")
        if len(seen) > 1 and order != "PCI_BUS_ID":
            words["order"] = (
                f"CUDA_DEVICE_ORDER is '{order}': GPU numbers here are those of PCI_BUS_ID"
            )
    if not gpus and not seen and (reason := no_gpu_reason()):
        words["GPU"] = reason
    return words


def _terminal(answers: Answers) -> dict[str, str]:
    size = shutil.get_terminal_size()
    light = {None: "not reported: dark theme", True: "light", False: "dark"}[answers.light]
    return {
        "TERM": os.environ.get("TERM", "not set"),
        "size": f"{size.columns}x{size.lines} (the dashboard needs 60x20)",
        "interactive": "yes" if sys.stdin.isatty() and sys.stderr.isatty() else "no",
        "colours": _colors(),
        "background": light,
        "images": _images(answers),
        "tmux": "yes" if "TMUX" in os.environ else "no",
        "ssh": "yes: no animations" if "SSH_CONNECTION" in os.environ else "no",
    }


def _colors() -> str:
    depth = color_depth(os.environ)
    said = " (NO_COLOR is set)" if "NO_COLOR" in os.environ else ""
    return f"{depth}{said}"


def _images(answers: Answers) -> str:
    """Return the ways in which images can be drawn, beginning with the one that is used."""
    words = ", ".join(NAMES[way] for way in answers.ways)
    if chosen_way(os.environ):
        words += f" (chosen by {CHOICE})"
    elif "TMUX" in os.environ and answers.ways == ["cells"]:
        words += "; in Kitty or Ghostty, real pixels with: tmux set -g allow-passthrough on"
    return words


def _data() -> dict[str, str]:
    facts = {name: describe_source(DataSettings(source=name)) for name in public_datasets()}
    return {"folder": str(data_folder())} | {name: fact.note for name, fact in facts.items()}


def _plugins() -> dict[str, str]:
    """Return what each plugin adds, or why it cannot be used; one line if there are none."""
    found = {
        plugin.name: f"{plugin.version or plugin.file}: "
        + ", ".join(f"{kind} {name}" for kind, name in plugin.parts)
        for plugin in all_plugins()
    }
    failed = {name: f"cannot be used: {why}" for name, why in failed_packages().items()}
    return found | failed or {"installed": "none; --plugin FILE.py names one"}


def _folder(path: Path) -> str:
    if not path.is_dir():
        return f"{path}, does not exist yet"
    free = shutil.disk_usage(path).free / 1e9
    writable = "writable" if os.access(path, os.W_OK) else "NOT writable"
    return f"{path}, {writable}, {free:,.1f} GB free, {_locks(path)}"


def _locks(path: Path) -> str:
    """Return in words whether file locks work in this folder."""
    try:
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=path) as folder:
            lock = FileLock(Path(folder) / "lock")
            locks = lock.take()
            lock.release()
    except OSError:
        return "locks not tested"
    return "locks work" if locks else "no file locks: a second trainer is detected by its heartbeat"
