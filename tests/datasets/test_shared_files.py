"""A data folder that several processes and several users work in at once."""

from __future__ import annotations

import codecs
import fcntl
import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.waiting import patience, until
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.download import download
from tui_latent.datasets.shared_files import alone, whole_file
from tui_latent.datasets.sources import load_dataset

CONTENT = np.random.default_rng(0).bytes(300_000)
FETCH = """
import sys
from pathlib import Path
from tui_latent.datasets.download import download
url, target, md5 = sys.argv[1:]
download([url], Path(target), "md5:" + md5, lambda line: None, "Toy")
print(Path(target).stat().st_size)
"""
LOAD = """
import sys, time
from tui_latent.datasets import decoded_cache as decode
from tui_latent.datasets.sources import load_dataset
from tui_latent.config.settings import DataSettings
quick = decode.decode_chunk
decode.decode_chunk = lambda items, **how: (time.sleep(0.02 * len(items)), quick(items, **how))[1]
decode._CHUNK, decode._CHUNKS_AHEAD, decode._SECONDS_BETWEEN_SYNCS = 4, 1, 0.05
log = []
found = load_dataset(DataSettings(source="folder", path=sys.argv[1], size=8), 0, log.append)
images = [*found.train.images[:, 0, 0, 0].tolist(), *found.val.images[:, 0, 0, 0].tolist()]
print(sorted(images) == list(range(60)), sum(line.startswith("decoding") for line in log))
"""


@pytest.fixture
def slow_url() -> Iterator[tuple[str, list[str]]]:
    """An address whose file takes a second, and what was asked of it."""
    asked: list[str] = []

    class Slow(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            try:
                for start in range(0, len(CONTENT), 30_000):
                    self.wfile.write(CONTENT[start : start + 30_000])
                    time.sleep(0.1)
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/file", asked
    server.shutdown()
    server.server_close()


def fetching(url: str, target: Path) -> subprocess.Popen[str]:
    md5 = hashlib.md5(CONTENT).hexdigest()
    words = [sys.executable, "-c", FETCH, url, str(target), md5]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_of_two_processes_one_fetches_and_both_have_the_whole_file(
    tmp_path: Path, slow_url: tuple[str, list[str]]
) -> None:
    url, asked = slow_url
    target = tmp_path / "data" / "file.bin"
    both = [fetching(url, target) for _ in range(2)]
    assert [process.communicate(timeout=patience())[0] for process in both] == ["300000\n"] * 2
    assert target.read_bytes() == CONTENT and len(asked) == 1
    assert [path.name for path in target.parent.iterdir()] == ["file.bin"]


def test_a_killed_download_leaves_nothing_that_is_taken_for_the_file(
    tmp_path: Path, slow_url: tuple[str, list[str]]
) -> None:
    url, _ = slow_url
    target = tmp_path / "data" / "file.bin"
    neighbour = tmp_path / "data" / ".file.bin.other.0123456789ab.part"
    killed = fetching(url, target)
    until(lambda: list(tmp_path.glob("data/.file.bin.*.part")))
    killed.kill()
    killed.communicate()
    assert not target.exists()
    neighbour.write_text("of another download that goes on")
    assert fetching(url, target).communicate(timeout=patience())[0] == "300000\n"
    assert sorted(path.name for path in target.parent.iterdir()) == [neighbour.name, "file.bin"]


def test_without_locks_each_process_fetches_a_whole_file(
    tmp_path: Path, slow_url: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    no_locks(monkeypatch)
    url, asked = slow_url
    target = tmp_path / "data" / "file.bin"
    checksum = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
    fetch = [
        threading.Thread(target=download, args=([url], target, checksum, lambda _: None, "Toy"))
        for _ in range(2)
    ]
    for thread in fetch:
        thread.start()
    for thread in fetch:
        thread.join()
    assert len(asked) == 2 and target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["file.bin"]


def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.fixture
def folder(tmp_path: Path, data_folder: Path) -> Path:
    """60 grey images, each of its own grey."""
    for i in range(60):
        path = tmp_path / "images" / "a" / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), i).save(path)
    return tmp_path / "images"


def loading(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", LOAD, str(folder)], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_two_processes_make_one_store(folder: Path, data_folder: Path) -> None:
    both = [loading(folder) for _ in range(2)]
    said = sorted(process.communicate(timeout=patience())[0] for process in both)
    assert said == ["True 0\n", "True 1\n"], "one decodes, the other waits"
    kept = {path.name.split("-")[0] for path in (data_folder / "prepared").iterdir()}
    assert kept == {"images", "known"}


@pytest.mark.slow
def test_who_waits_goes_on_where_a_killed_process_stopped(folder: Path, data_folder: Path) -> None:
    first = loading(folder)
    rows = "prepared/images-*/rows"
    until(lambda: any(path.stat().st_size for path in data_folder.glob(rows)))
    second = loading(folder)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert second.communicate(timeout=patience())[0] == "True 1\n"


def test_without_locks_a_store_appears_whole(
    folder: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_locks(monkeypatch)
    chosen = DataSettings(source="folder", path=str(folder), size=8)
    results: list[list[int]] = []

    def load() -> None:
        found = load_dataset(chosen, 0)
        parts = (found.train.images, found.val.images)
        results.append(sorted(v for part in parts for v in part[:, 0, 0, 0].tolist()))

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [list(range(60))] * 3
    stores = [path for path in (data_folder / "prepared").iterdir() if path.name != "known"]
    assert len(stores) == 1 and stores[0].name.startswith("images-")


def test_a_link_that_somebody_put_there_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the very name of the temporary file, and under that of the lock."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    monkeypatch.setattr("secrets.token_hex", lambda _: "0" * 12)
    (tmp_path / ".file.000000000000.part").symlink_to(victim)
    with pytest.raises(FileExistsError), whole_file(tmp_path / "file") as file:
        file.write(b"overwritten")
    (tmp_path / ".file.lock").symlink_to(tmp_path / "made")
    with pytest.raises(OSError), alone(tmp_path / "file", lambda: None):
        pass
    assert victim.read_text() == "precious" and not (tmp_path / "made").exists()


LAB, ALICE, BOB = 54_321, 54_322, 54_323


def as_user(user: int, work: Callable[[], None]) -> int:
    """Do some work as another user of the group LAB, with a common umask; return 0 if it can."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([LAB])
            os.setgid(user)
            os.setuid(user)
            os.umask(0o022)
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of a group, as its owner made it: `chgrp lab` and `chmod g+w`."""
    if os.geteuid() != 0:
        pytest.skip("only root can become two other users")
    for place in [tmp_path, *tmp_path.parents]:
        if place.owner() == "root" and place != Path("/") and place != Path("/tmp"):
            place.chmod(0o755)
    codecs.lookup("cp437")  # of archives; another user may not be able to read root's Python
    folder = tmp_path / "shared"
    folder.mkdir()
    os.chown(folder, ALICE, LAB)
    folder.chmod(0o775)
    monkeypatch.setenv("TUI_LATENT_DATA", str(folder))
    monkeypatch.setenv("HOME", "/nonexistent")
    return folder


def test_two_users_of_a_group_use_and_extend_one_data_folder(shared: Path, tmp_path: Path) -> None:
    def fetch(name: str) -> Callable[[], None]:
        origin = tmp_path / name
        origin.write_bytes(CONTENT)
        origin.chmod(0o644)
        checksum = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
        target = shared / "weights" / name
        return lambda: download([origin.as_uri()], target, checksum, lambda _: None, "Toy")

    assert as_user(ALICE, fetch("first")) == 0
    assert as_user(BOB, fetch("second")) == 0
    for name in ("first", "second"):
        stat = (shared / "weights" / name).stat()
        assert stat.st_gid == LAB and stat.st_mode & 0o660 == 0o660


def test_a_store_begun_by_one_user_is_finished_and_read_by_another(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui_latent.datasets import decoded_cache as decode_module

    for i in range(60):
        path = tmp_path / "images" / "a" / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), i).save(path)
    chosen = DataSettings(source="folder", path=str(tmp_path / "images"), size=8)
    monkeypatch.setattr(decode_module, "_CHUNK", 8)
    monkeypatch.setattr(decode_module, "_CHUNKS_AHEAD", 1)
    monkeypatch.setattr(decode_module, "_SECONDS_BETWEEN_SYNCS", 0.0)

    def dying(line: str) -> None:
        if line.startswith("decoded 32 "):
            os._exit(7)

    def finishing() -> None:
        log: list[str] = []
        load_dataset(chosen, 0, log.append)
        assert log[0].startswith("decoding 28 images")

    def reading() -> None:
        log: list[str] = []
        load_dataset(chosen, 0, log.append)
        assert not any(line.startswith("decod") for line in log)

    assert as_user(ALICE, lambda: (load_dataset(chosen, 0, dying), None)[1]) == 7
    assert as_user(BOB, finishing) == 0
    assert as_user(ALICE, reading) == 0
    for path in (shared / "prepared").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (shared / "prepared").chmod(0o755)
    assert as_user(BOB, reading) == 0, "whole, and another's: read, not written"


def test_where_a_user_may_not_write_the_images_are_kept_at_home(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, BOB, BOB)
    shared.chmod(0o755)
    (tmp_path / "images" / "a").mkdir(parents=True)
    for i in range(4):
        Image.new("L", (8, 8), i).save(tmp_path / "images" / "a" / f"{i}.png")
    chosen = DataSettings(source="folder", path=str(tmp_path / "images"), size=8)

    def load() -> None:
        load_dataset(chosen, 0)
        load_dataset(chosen.model_copy(update={"inputs": "hog"}), 0)

    def without_a_home() -> None:
        from tui_latent.sources.errors import DataError

        with pytest.raises(DataError, match=r"make it writable, or set TUI_LATENT_DATA"):
            load_dataset(chosen, 0)

    assert as_user(BOB, without_a_home) == 0
    monkeypatch.setenv("HOME", str(home))
    assert as_user(BOB, load) == 0
    assert list((home / ".cache").rglob("images.u8")) and not list(shared.iterdir())
