"""The shortcut to a long run's curves: it changes nothing but the time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runs.test_metrics import record
from tui_latent.runs import metrics, records
from tui_latent.runs.curve_cache import NAME, read_curve_cache
from tui_latent.runs.metrics import MetricsReader
from tui_latent.runs.writer import RunWriter


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


def lines(steps: range, value: float = 0.0) -> bytes:
    return b"".join(record(step, loss=value + step, knn=step / 1e6) for step in steps)


def read(file: Path) -> MetricsReader:
    reader = MetricsReader(file)
    reader.refresh()
    return reader


def plainly(file: Path) -> MetricsReader:
    """Read a copy that nothing is kept of."""
    alone = file.parent / "alone"
    alone.mkdir(exist_ok=True)
    copy = alone / file.name
    copy.write_bytes(file.read_bytes())
    return read(copy)


def assert_same(one: MetricsReader, other: MetricsReader) -> None:
    assert list(one.curves) == list(other.curves)
    assert (one.last_step, one.skipped, one.rewound) == (
        other.last_step,
        other.skipped,
        other.rewound,
    )
    for name, curve in one.curves.items():
        expected = other.curves[name]
        for field in ("steps", "times", "lows", "highs"):
            np.testing.assert_array_equal(getattr(curve, field), getattr(expected, field))
        np.testing.assert_allclose(curve.means, expected.means, rtol=1e-12)
        found = (curve.last, curve.best, curve.non_finite)
        np.testing.assert_equal(found, (expected.last, expected.best, expected.non_finite))


lives = st.lists(
    st.tuples(st.integers(0, 90), st.integers(1, 60), st.integers(0, 60)), min_size=1, max_size=6
)
"""(how many of the steps so far stand, how many follow, after how many of them curves are kept)"""


@given(lives, st.booleans())
def test_a_run_reads_the_same_whenever_its_curves_were_kept(
    folder: Path, history: list[tuple[int, int, int]], garbage: bool
) -> None:
    file = folder / "metrics.jsonl"
    file.write_bytes(b"")
    (folder / NAME).unlink(missing_ok=True)
    writer, newest = MetricsReader(file), 0
    for life, (kept, added, keep_after) in enumerate(history):
        start = min(kept, newest) + 1
        newest = start + added - 1
        middle = min(start + keep_after, newest + 1)
        for steps, keeps in ((range(start, middle), True), (range(middle, newest + 1), False)):
            with file.open("ab") as out:
                out.write(lines(steps, 1000.0 * life))
                out.write(b"no record\n" if garbage else b"")
            if keeps:
                writer.keep()
            assert_same(read(file), plainly(file))


def count_parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    parsed: list[bytes] = []
    real = records.parse_record

    def counting(line: bytes) -> records.Record | None:
        parsed.append(line)
        return real(line)

    monkeypatch.setattr(metrics, "parse_record", counting)
    return parsed


def test_opening_reads_only_what_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_bytes(lines(range(1, 5001)))
    MetricsReader(file).keep()
    with file.open("ab") as out:
        out.write(lines(range(5001, 5004)))
    parsed = count_parsed(monkeypatch)
    reader = read(file)
    assert len(parsed) == 3
    assert reader.last_step == 5003
    assert_same(reader, plainly(file))


def test_going_back_behind_the_last_record_reads_from_the_kept_curves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_bytes(lines(range(1, 3001)))
    MetricsReader(file).keep()
    with file.open("ab") as out:
        out.write(lines(range(3001, 3011)) + lines(range(3001, 3006), 7.0))
    parsed = count_parsed(monkeypatch)
    reader = read(file)
    assert len(parsed) < 40
    assert_same(reader, plainly(file))


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda good: b"",
    "torn": lambda good: good[: len(good) // 2],
    "not a zip": lambda good: b"x" * len(good),
    "bits": lambda good: good[:700] + bytes(byte ^ 0x55 for byte in good[700:900]) + good[900:],
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_shortcut_is_not_taken(tmp_path: Path, kind: str) -> None:
    file, kept = tmp_path / "metrics.jsonl", tmp_path / NAME
    file.write_bytes(lines(range(1, 200)))
    MetricsReader(file).keep()
    kept.write_bytes(DAMAGE[kind](kept.read_bytes()))
    assert_same(read(file), plainly(file))


def test_a_shortcut_to_another_file_is_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_bytes(lines(range(1, 200)))
    MetricsReader(file).keep()
    for other in (lines(range(1, 200), 5.0), lines(range(1, 20)), b""):
        file.write_bytes(other)
        assert_same(read(file), plainly(file))


def test_an_archive_that_unpacks_to_far_more_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_bytes(lines(range(1, 20)))
    np.savez_compressed(tmp_path / NAME, about=np.zeros(2**28, dtype=np.uint8))
    assert read_curve_cache(tmp_path / NAME) is None
    assert_same(read(file), plainly(file))


@given(st.binary(max_size=300))
def test_no_bytes_whatever_in_its_place_make_reading_fail(folder: Path, content: bytes) -> None:
    file = folder / "metrics.jsonl"
    file.write_bytes(lines(range(1, 4)))
    (folder / NAME).write_bytes(content)
    assert read(file).last_step == 3


def test_a_checkpoint_of_a_run_keeps_its_curves(tmp_path: Path) -> None:
    preset = {"data": {"source": "digits"}, "method": {"name": "contrastive"}}
    writer = RunWriter.create(tmp_path, "made", preset, {"preset": "made"}, "made")
    writer.metrics(1, 0.1, 0.2, {"train/loss": 3.0})
    assert not (writer.path / NAME).exists()
    writer.sync()
    assert (writer.path / NAME).exists()
    writer.metrics(2, 0.2, 0.4, {"train/loss": 2.0})
    writer.close()
    assert read(writer.path / "metrics.jsonl").curves["train/loss"].means.tolist() == [3.0, 2.0]
