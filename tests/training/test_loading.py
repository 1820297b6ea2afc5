"""A stop while images are listed and read, also where the disk never answers."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.training.conftest import MakeRun
from tests.waiting import patience, until
from tui_latent.analysis.run_data import RunData
from tui_latent.config.settings import DataSettings, Preset
from tui_latent.datasets import decoded_cache as decode
from tui_latent.datasets import describe as facts
from tui_latent.datasets import listing
from tui_latent.datasets.describe import describe_source
from tui_latent.launch.start import train_run
from tui_latent.runs.control import request
from tui_latent.runs.reader import RunReader
from tui_latent.training.loading import idle_colours


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUI_LATENT_DATA", str(tmp_path / "data"))
    for name in ("a", "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for k in range(8):
            Image.new("L", (8, 8), 20 * k).save(tmp_path / "photos" / name / f"{k}.png")
    return tmp_path / "photos"


@pytest.fixture
def lost_disk() -> Iterator[threading.Event]:
    """What a read waits for; it comes when the test is over."""
    back = threading.Event()
    yield back
    back.set()


def stopped_within_five_seconds(path: Path, waiting: threading.Event) -> None:
    worker = threading.Thread(target=train_run, args=(path,), daemon=True)
    worker.start()
    assert waiting.wait(patience())
    request(path, state="stop")
    until(lambda: not worker.is_alive(), 5.0)
    assert RunReader(path).refresh().status.state == "stopped"


@pytest.mark.parametrize("where", ["a read", "a listing"])
def test_a_stop_is_heeded_while_a_disk_does_not_answer(
    make_run: MakeRun,
    photos: Path,
    lost_disk: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    path = make_run(data__source="folder", data__path=str(photos), data__size=8)
    waiting = threading.Event()

    def hang(*_: object, **__: object) -> None:
        waiting.set()
        lost_disk.wait()

    if where == "a read":
        monkeypatch.setattr(decode, "decode_chunk", hang)
    else:
        monkeypatch.setattr(listing, "_list_class", hang)
    stopped_within_five_seconds(path, waiting)
    monkeypatch.undo()
    monkeypatch.setenv("TUI_LATENT_DATA", str(photos.parent / "data"))
    assert train_run(path).state == "finished"


def test_a_listing_without_end_stops_with_the_run(
    make_run: MakeRun, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run(data__source="folder", data__path=str(photos), data__size=8)
    waiting, ended = threading.Event(), threading.Event()

    def list_for_ever(*arguments: Any) -> None:
        try:
            while True:
                arguments[-1]()
                waiting.set()
                time.sleep(0.01)
        finally:
            ended.set()

    monkeypatch.setattr(listing, "_list_class", list_for_ever)
    stopped_within_five_seconds(path, waiting)
    assert ended.wait(patience())


def test_a_read_that_never_returns_does_not_hold_up_the_end_of_the_process() -> None:
    program = """
import threading
from tui_latent.datasets.read_ahead import in_order
class Stop(Exception): pass
looks = iter(range(3))
def look():
    if next(looks) == 2:
        raise Stop
try:
    list(in_order(lambda _: threading.Event().wait(), range(4), 2, 2, look))
except Stop:
    print("stopped")
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=patience(),
        check=True,
    )
    assert ended.stdout == "stopped\n"


def test_the_menu_does_not_wait_for_a_disk_that_does_not_answer(
    photos: Path, lost_disk: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def hang(*_: object, **__: object) -> None:
        asked.append(1)
        lost_disk.wait()

    monkeypatch.setattr(facts, "layout_of", hang)
    monkeypatch.setattr(facts, "ANSWER_WITHIN", 0.2)
    settings = DataSettings(source="folder", path=str(photos))
    for _ in range(3):
        described = describe_source(settings)
        assert "no response" in described.note and described.problem == ""
    assert len(asked) == 1
    lost_disk.set()
    monkeypatch.undo()
    until(lambda: describe_source(settings).had == "on disk")


def test_a_run_of_before_the_natural_order_keeps_its_own(make_run: MakeRun, photos: Path) -> None:
    for old, new in (("a", "10"), ("b", "9")):
        (photos / old).rename(photos / new)
    of_now = make_run(data__source="folder", data__path=str(photos), data__size=8)
    of_0_1 = make_run(data__source="folder", data__path=str(photos), data__size=8)
    preset = of_0_1 / "preset.toml"
    text = preset.read_text()
    assert 'class_order = "natural"\n' in text
    preset.write_text(text.replace('class_order = "natural"\n', ""))
    for path, names in ((of_now, ("9", "10")), (of_0_1, ("10", "9"))):
        assert train_run(path).state == "finished"
        shown = RunReader(path).refresh().map
        dataset = RunData(path).dataset()
        assert shown is not None and shown.class_names == dataset.val.class_names == names
        assert shown.labels.tolist() == dataset.val.labels.tolist()


def test_a_run_is_not_resumed_on_other_classes(make_run: MakeRun, photos: Path) -> None:
    path = make_run(data__source="folder", data__path=str(photos), data__size=8)
    assert train_run(path).state == "finished"
    (path / "images.npz").unlink()  # as in a run of version 0.1, which noted no images
    (photos / "b").rename(photos / "c")
    status = train_run(path)
    assert status.state == "failed"
    assert status.error is not None and "now a, c" in status.error and "on a, b" in status.error
    (photos / "c").rename(photos / "b")
    assert train_run(path).state == "finished"


def test_changes_of_colours_that_are_not_there_are_reported() -> None:
    table = {
        "data": {"source": "folder", "path": "d"},
        "method": {"name": "vicreg", "latent_dim": 2},
        "augment": {"jitter": 0.5, "hue": 0.1, "grayscale": 0.2, "brightness": 0.4},
    }
    preset = Preset.model_validate(table)
    assert idle_colours(preset, 3) == ""
    said = idle_colours(preset, 5)
    assert said.startswith("augment.hue and augment.grayscale: left out") and "5 channels" in said
    assert "one channel" in idle_colours(preset, 1)
    plain = Preset.model_validate(table | {"augment": {"brightness": 0.4, "jitter": 1}})
    assert idle_colours(plain, 5) == ""
