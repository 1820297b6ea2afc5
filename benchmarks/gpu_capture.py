"""A capture that fails must cost a run nothing: it continues without, and the next run captures.

python -m benchmarks.gpu_capture
"""

from __future__ import annotations

import argparse
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from benchmarks.peers import SKIPPED
from benchmarks.record import Row, save
from benchmarks.rounds import device_option, devices
from tui_latent.config.presets import load_preset
from tui_latent.launch.start import create_run, train_run
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunSnapshot
from tui_latent.training.loop import Update


def trained(folder: Path, name: str, thread: bool) -> RunSnapshot:
    """Train the digits with a CUDA graph, optionally in a worker thread as in the dashboard."""
    changes: dict[str, object] = {"train.device": "cuda", "train.acceleration": "graph"}
    changes |= {"train.epochs": 3, "stages": []}
    preset = load_preset("digits-contrastive-2d", changes)
    path = create_run("digits-contrastive-2d", preset, folder, name)
    if thread:
        worker = threading.Thread(target=train_run, args=(path,))
        worker.start()
        worker.join()
    else:
        train_run(path)
    return RunReader(path).refresh()


def rows() -> Iterator[Row]:
    """Make a capture fail by a wait in the update, then train as usual in the same process."""
    update = Update.__call__

    def waiting(self: Update, *arguments: Any, **named: Any) -> Any:
        terms = update(self, *arguments, **named)
        if torch.cuda.is_current_stream_capturing():
            terms["loss"].item()  # no capture allows this
        return terms

    with tempfile.TemporaryDirectory() as made:
        for thread in (False, True):
            where = "in a worker thread" if thread else "in the main thread"
            with mock.patch.object(Update, "__call__", waiting):
                hurt = trained(Path(made), f"hurt-{thread}", thread)
            told = [line for line in hurt.log if "graph failed" in line]
            finished = hurt.status.state == "finished"
            words = f"{hurt.status.state}: {hurt.status.error or (told or ['not reported'])[-1]}"
            what = f"a capture that fails, {where}"
            yield Row(what, "finished, reported", words, finished and bool(told), {"log": hurt.log})
            after = trained(Path(made), f"after-{thread}", thread)
            again = after.status.state == "finished" and not any("failed" in x for x in after.log)
            words = f"{after.status.state}: {after.status.error or 'captured'}"
            numbers: dict[str, object] = {"log": after.log}
            yield Row(f"the run after it, {where}", "finished by a graph", words, again, numbers)
        drawn = torch.rand(3, device="cuda").sum().item()
        yield Row("the default generator after both", "draws", f"{drawn:.3f}", True, {})


def main() -> None:
    """Try it on a GPU."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_capture")
    device_option(parser)
    if devices(parser.parse_args().device)[-1].type != "cuda":
        print("a capture needs a GPU")
        raise SystemExit(SKIPPED)
    save("capture", "python -m benchmarks.gpu_capture", rows())


if __name__ == "__main__":
    main()
