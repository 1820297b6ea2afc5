from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.runs.conftest import PRESET, MakeMap, MakeRun
from tui_latent.runs.maps import map_file
from tui_latent.runs.reader import RunReader
from tui_latent.runs.run_list import list_runs
from tui_latent.runs.schema import RunError
from tui_latent.runs.writer import RunWriter


def test_a_snapshot_holds_what_was_written(make_run: MakeRun, make_map: MakeMap) -> None:
    run = make_run()
    run.lock()
    run.status(state="running", total_steps=50)
    run.metrics(10, 0.5, 1.25, {"train/loss": 2.0, "val/knn_20": 0.9})
    run.latent_map(make_map(10), np.eye(2, dtype=np.int64))
    run.log("one\ntwo")
    (run.path / "reports").mkdir()
    for name in ("b.png", "a.png", "a.json", ".a.png.tmp"):
        (run.path / "reports" / name).touch()
    shot = RunReader(run.path).refresh()
    assert shot.name == run.path.name
    assert shot.preset == PRESET
    assert (shot.provenance["preset"], shot.provenance["seed"]) == ("digits-2d", 3)
    assert (shot.status.state, shot.status.total_steps) == ("running", 50)
    assert list(shot.curves) == ["train/loss", "val/knn_20"]
    assert shot.curves["train/loss"].times.tolist() == [1.25]
    assert shot.map is not None and shot.map.step == 10
    assert shot.map_steps == (10,)
    assert [line[9:] for line in shot.log] == ["one", "two"]
    assert shot.confusion is not None and shot.confusion.tolist() == [[1, 0], [0, 1]]
    assert shot.class_names == ("[red]", "ß 2")
    assert [path.name for path in shot.reports] == ["a.png", "b.png"]
    assert shot.problems == ()


def test_a_run_of_which_nothing_is_there_yet_is_a_snapshot(make_run: MakeRun) -> None:
    shot = RunReader(make_run().path).refresh()
    assert shot.status.state == "starting"
    assert (dict(shot.curves), shot.map, shot.map_steps, shot.log) == ({}, None, (), ())


def test_nothing_new_gives_the_very_same_snapshot(make_run: MakeRun, make_map: MakeMap) -> None:
    run = make_run()
    run.metrics(1, 0.1, 0.1, {"train/loss": float("nan")})
    run.latent_map(make_map(1))
    run.log("line")
    reader = RunReader(run.path)
    assert reader.refresh() is reader.refresh()


def test_parts_that_did_not_change_are_shared(make_run: MakeRun, make_map: MakeMap) -> None:
    run = make_run()
    run.metrics(1, 0.1, 0.1, {"train/loss": 1.0})
    run.metrics(1, 0.1, 0.1, {"val/loss": 1.0})
    run.latent_map(make_map(1), np.eye(2, dtype=np.int64))
    run.log("line")
    reader = RunReader(run.path)
    old = reader.refresh()
    run.metrics(2, 0.2, 0.2, {"val/loss": 0.5})
    new = reader.refresh()
    assert new is not old
    assert new.curves is not old.curves
    assert new.curves["train/loss"] is old.curves["train/loss"]
    for part in ("map", "confusion", "log", "class_names", "preset", "map_steps"):
        assert getattr(new, part) is getattr(old, part)
    run.latent_map(make_map(3))
    newest = reader.refresh()
    assert newest.curves is new.curves
    assert newest.map is not new.map
    assert (newest.map_steps, newest.confusion) == ((1, 3), None)


def test_every_map_can_be_looked_at_again(make_run: MakeRun, make_map: MakeMap) -> None:
    run = make_run()
    for step in range(50):
        run.latent_map(make_map(step))
    reader = RunReader(run.path)
    newest = reader.refresh().map
    for step in range(50):
        seen = reader.map_at(step)
        assert seen is not None and seen.step == step
        assert np.allclose(seen.points, make_map(step).points, atol=1e-2)
    assert reader.map_at(50) is None
    assert reader.refresh().map is newest  # scrubbing does not make the panel draw it again


def test_a_map_written_again_replaces_the_first(make_run: MakeRun, make_map: MakeMap) -> None:
    run = make_run()
    run.latent_map(make_map(1))
    reader = RunReader(run.path)
    reader.refresh()
    run.latent_map(make_map(1, points=9))
    newest = reader.refresh().map
    assert newest is not None and len(newest.points) == 9


def test_a_torn_map_is_passed_over_and_named(make_run: MakeRun, make_map: MakeMap) -> None:
    run = make_run()
    run.latent_map(make_map(1))
    run.latent_map(make_map(2))
    torn = map_file(run.path, 2)
    torn.write_bytes(torn.read_bytes()[:100])
    reader = RunReader(run.path)
    shot = reader.refresh()
    assert shot.map is not None and shot.map.step == 1
    assert shot.map_steps == (1,)
    assert reader.map_at(2) is None
    assert len(shot.problems) == 1 and "latents/step-000000002.npz" in shot.problems[0]
    assert reader.refresh() is shot
    run.latent_map(make_map(2))
    mended = reader.refresh()
    assert (mended.map_steps, mended.problems) == ((1, 2), ())


def test_maps_that_a_resumed_run_will_replace_are_not_shown(
    make_run: MakeRun, make_map: MakeMap
) -> None:
    run = make_run()
    for step in (10, 20, 30):
        run.metrics(step, 0.1, 0.1, {"train/loss": 1.0})
        run.latent_map(make_map(step))
    reader = RunReader(run.path)
    assert reader.refresh().map_steps == (10, 20, 30)
    run.metrics(15, 0.1, 0.1, {"train/loss": 2.0})
    shot = reader.refresh()
    assert shot.map_steps == (10,)
    assert shot.map is not None and shot.map.step == 10
    run.metrics(20, 0.1, 0.1, {"train/loss": 2.0})
    assert reader.refresh().map_steps == (10, 20)


def test_lines_that_are_no_records_are_named(make_run: MakeRun) -> None:
    run = make_run()
    (run.path / "metrics.jsonl").write_bytes(b'{"st')
    run.metrics(1, 0.1, 0.1, {"train/loss": 1.0})
    shot = RunReader(run.path).refresh()
    assert list(shot.curves) == ["train/loss"]
    assert len(shot.problems) == 1 and "metrics.jsonl" in shot.problems[0]


def test_the_log_is_its_last_thousand_lines_however_long_it_is(make_run: MakeRun) -> None:
    run = make_run()
    file = run.path / "train.log"
    file.write_text("".join(f"line {number} ü\n" for number in range(200_000)))
    reader = RunReader(run.path)
    log = reader.refresh().log
    assert (len(log), log[0], log[-1]) == (1000, "line 199000 ü", "line 199999 ü")
    with file.open("a") as out:
        out.write("new\ntor")
    log = reader.refresh().log
    assert (len(log), log[0], log[-1]) == (1000, "line 199001 ü", "new")
    file.write_text("fresh\n")
    assert reader.refresh().log == ("fresh",)


def test_a_log_that_is_not_text_is_shown_as_far_as_it_can_be(make_run: MakeRun) -> None:
    run = make_run()
    (run.path / "train.log").write_bytes(b"\xff\x00ok\n")
    assert RunReader(run.path).refresh().log[0].endswith("ok")


@pytest.mark.parametrize("what", ["absent", "empty", "file", "broken", "not text", "odd table"])
def test_what_is_not_a_run_is_an_error_that_names_it(tmp_path: Path, what: str) -> None:
    path = tmp_path / "thing"
    if what == "file":
        path.touch()
    elif what != "absent":
        path.mkdir()
    contents = {"broken": b"[data\n", "not text": b"\xff\xff", "odd table": b"provenance = 3\n"}
    if what in contents:
        (path / "preset.toml").write_bytes(contents[what])
    with pytest.raises(RunError, match="thing") as caught:
        RunReader(path)
    assert "\n" not in str(caught.value)


def test_a_run_deleted_while_looked_at_is_an_error(make_run: MakeRun) -> None:
    run = make_run()
    run.metrics(1, 0.1, 0.1, {"train/loss": 1.0})
    reader = RunReader(run.path)
    reader.refresh()
    run.close()
    shutil.rmtree(run.path)
    with pytest.raises(RunError, match="gone"):
        reader.refresh()


def test_reading_does_not_write(make_run: MakeRun, make_map: MakeMap) -> None:
    run = make_run()
    run.latent_map(make_map(1))
    run.close()
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    reader = RunReader(run.path)
    reader.refresh()
    reader.map_at(1)
    RunWriter.reopen(run.path).close()
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="needs Linux to count what is read")
def test_looking_again_reads_what_is_new_only(make_run: MakeRun, make_map: MakeMap) -> None:
    def bytes_read() -> int:
        return int(Path("/proc/self/io").read_text().split()[1])

    run = make_run()
    line = b'{"step":%d,"epoch":1.0,"time":1.0,"train/loss":1.0}\n'
    (run.path / "metrics.jsonl").write_bytes(b"".join(line % step for step in range(20_000)))
    (run.path / "train.log").write_bytes(b"a line of the log\n" * 100_000)
    run.latent_map(make_map(1, points=10_000))
    reader = RunReader(run.path)
    before = bytes_read()
    reader.refresh()
    first = bytes_read() - before
    assert first > 1_000_000
    run.metrics(20_000, 1.0, 1.0, {"train/loss": 1.0})
    run.log("another line")
    before = bytes_read()
    assert reader.refresh().curves["train/loss"].steps[-1] == 20_000
    assert bytes_read() - before < 10_000


def test_a_live_run_on_a_file_system_that_became_read_only_says_so(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    run.lock()
    run.status(state="running")
    reader = RunReader(run.path)
    assert reader.refresh().problems == ()
    real = os.statvfs

    class ReadOnly:
        f_flag = real(run.path).f_flag | os.ST_RDONLY

    monkeypatch.setattr(os, "statvfs", lambda _: ReadOnly)
    (problem,) = reader.refresh().problems
    assert str(run.path) in problem and "read-only file system" in problem
    run.status(state="finished")
    assert reader.refresh().problems == ()  # to look at an ended run is all that is wanted


def test_a_run_of_a_newer_version_says_which(make_run: MakeRun) -> None:
    run = make_run()
    text = (run.path / "preset.toml").read_text()
    assert "format = 1" in text
    newer = text.replace("format = 1", 'format = 2\nversions = {tui-latent = "9.1"}')
    (run.path / "preset.toml").write_text(newer)
    for use in (RunReader, RunWriter.reopen):
        with pytest.raises(RunError, match=r"newer tui-latent \(9\.1\), in run folder format 2"):
            use(run.path)
    (listed,) = list_runs(run.path.parent)
    assert "newer tui-latent (9.1)" in listed.problem
