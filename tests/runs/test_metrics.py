from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.runs.metrics import MetricsReader
from tui_latent.runs.records import parse_record, record_line
from tui_latent.runs.schema import Curve


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("metrics") / "metrics.jsonl"


def record(step: int, **values: float) -> bytes:
    return record_line(step, step / 100, step / 10, values) + b"\n"


def read(file: Path) -> MetricsReader:
    reader = MetricsReader(file)
    reader.refresh()
    return reader


def drawn(curve: Curve) -> list[tuple[float, float]]:
    return list(zip(curve.steps.tolist(), curve.means.tolist(), strict=True))


PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8)


@given(st.dictionaries(PRINTABLE, st.floats(), max_size=4))
def test_any_value_comes_back_as_it_was(values: dict[str, float]) -> None:
    values = {f"train/{name}": value for name, value in values.items()}
    line = record_line(7, 1.5, 2.5, values)
    assert b"\n" not in line
    back = parse_record(line)
    assert back is not None
    assert (back.step, back.time) == (7, 2.5)
    assert back.values.keys() == values.keys()
    for name, value in values.items():
        assert np.array_equal(back.values[name], value, equal_nan=True)
    assert json.loads(line)["epoch"] == 1.5


@given(st.integers(0, 600))
def test_a_file_cut_anywhere_shows_its_whole_lines_and_later_all(file: Path, cut: int) -> None:
    lines = [record(step, loss=float(step)) for step in range(1, 11)]
    content = b"".join(lines)
    cut = min(cut, len(content))
    file.write_bytes(content[:cut])
    reader = read(file)
    whole = content[:cut].count(b"\n")
    steps = [step for step, _ in drawn(reader.curves["loss"])] if whole else []
    assert steps == list(range(1, whole + 1))
    assert reader.skipped == 0
    with file.open("ab") as out:
        out.write(content[cut:])
    reader.refresh()
    assert drawn(reader.curves["loss"]) == [(s, s) for s in range(1, 11)]
    assert reader.skipped == 0


GARBAGE = [
    b"{",
    b"[]",
    b"3",
    b'"text"',
    b"\xff\xfe\x00",
    b'{"epoch": 1, "time": 2}',
    b'{"step": "7", "time": 2}',
    b'{"step": true, "time": 2}',
    b'{"step": -1, "time": 2}',
    b'{"step": 1e3, "time": 2}',
    b'{"step": 7, "time": null}',
    b'{"step": 7, "time": [1]}',
    b'{"step": %s, "time": 2}' % (b"9" * 5000),
    b'{"step": 7, "time": 2, "loss": %s}' % (b"9" * 400),
    b"[" * 100_000,
    b'{"step": 99999999999999999999, "time": 1, "loss": 1}',
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_a_line_that_is_no_record_is_counted_and_passed_over(file: Path, garbage: bytes) -> None:
    file.write_bytes(record(1, loss=1.0) + garbage + b"\n\n" + record(2, loss=2.0))
    reader = read(file)
    assert reader.skipped == 1
    assert drawn(reader.curves["loss"]) == [(1, 1.0), (2, 2.0)]


@given(st.binary(max_size=200))
def test_no_bytes_whatever_make_it_fail(file: Path, content: bytes) -> None:
    file.write_bytes(content + b"\n" + record(7, loss=2.0))
    assert drawn(read(file).curves["loss"])[-1] == (7, 2.0)


def test_values_that_are_no_numbers_are_left_out(file: Path) -> None:
    file.write_bytes(b'{"step":1,"epoch":0,"time":0,"a":1,"b":"x","c":null,"d":true,"e":[1]}\n')
    assert list(read(file).curves) == ["a"]


def test_not_finite_values_are_counted_and_not_drawn(file: Path) -> None:
    file.write_bytes(record(1, loss=math.nan) + record(2, loss=3.0) + record(3, loss=math.inf))
    curve = read(file).curves["loss"]
    assert drawn(curve) == [(2, 3.0)]
    assert curve.non_finite == 2
    assert curve.last == math.inf
    assert curve.best == 3.0


def test_two_records_at_one_step_are_both_kept_where_they_name_other_metrics(file: Path) -> None:
    file.write_bytes(record(10, loss=1.0) + record(10, knn=0.5) + record(20, loss=0.5))
    reader = read(file)
    assert drawn(reader.curves["loss"]) == [(10, 1.0), (20, 0.5)]
    assert drawn(reader.curves["knn"]) == [(10, 0.5)]
    assert not reader.rewound


def test_a_run_resumed_from_an_older_checkpoint_replaces_what_followed(file: Path) -> None:
    first = [record(step, loss=100.0, knn=0.9) for step in range(1, 51)]
    again = [record(step, loss=1.0) for step in range(31, 41)]
    file.write_bytes(b"".join(first))
    reader = read(file)
    with file.open("ab") as out:
        out.write(b"".join(again))
    reader.refresh()
    for one in (reader, read(file)):
        loss = one.curves["loss"]
        assert list(loss.steps) == list(range(1, 41))
        assert list(loss.means) == [100.0] * 30 + [1.0] * 10
        assert (loss.last, loss.best) == (1.0, 1.0)
        assert list(one.curves["knn"].steps) == list(range(1, 31))
        assert one.rewound
        assert one.last_step == 40


lives = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 60)), min_size=1, max_size=8)
"""(how many of the steps so far are kept, how many are added) for each life of a run"""


@pytest.mark.slow
@given(lives, st.lists(st.integers(0, 480), max_size=3))
def test_however_often_a_run_goes_back_the_newest_records_stand(
    file: Path, history: list[tuple[int, int]], looks: list[int]
) -> None:
    written: list[tuple[int, float]] = []
    standing: dict[int, float] = {}
    for life, (kept, added) in enumerate(history):
        start = min(kept, max(standing, default=0)) + 1
        standing = {step: value for step, value in standing.items() if step < start}
        new = [(step, life + step / 1000) for step in range(start, start + added)]
        standing |= dict(new)
        written += new
    file.write_bytes(b"")
    reader = read(file)
    edges = sorted({len(written), *(min(look, len(written)) for look in looks)})
    for begin, end in zip([0, *edges], edges, strict=False):
        with file.open("ab") as out:
            out.write(b"".join(record(step, loss=value) for step, value in written[begin:end]))
        reader.refresh()
    curve = reader.curves["loss"]
    assert drawn(curve) == sorted(standing.items())
    assert curve.best == min(standing.values())


@pytest.mark.slow
def test_a_long_run_that_went_back_equals_one_that_never_did(tmp_path: Path) -> None:
    def lines(steps: range, value: float) -> bytes:
        return b"".join(record(step, loss=value + step) for step in steps)

    gone_back, straight = tmp_path / "gone_back", tmp_path / "straight"
    gone_back.write_bytes(lines(range(0, 30_000, 3), -1e6) + lines(range(11_110, 20_000, 3), 0.0))
    straight.write_bytes(lines(range(0, 11_110, 3), -1e6) + lines(range(11_110, 20_000, 3), 0.0))
    a, b = read(gone_back).curves["loss"], read(straight).curves["loss"]
    for name in ("steps", "times", "lows", "highs", "means"):
        assert np.allclose(getattr(a, name), getattr(b, name))
    assert a.best == b.best


def test_curves_that_did_not_change_are_shared(file: Path) -> None:
    file.write_bytes(record(1, loss=1.0) + record(1, knn=0.5))
    reader = read(file)
    first = reader.curves
    reader.refresh()
    assert reader.curves is first
    with file.open("ab") as out:
        out.write(record(2, loss=0.5))
    reader.refresh()
    assert reader.curves is not first
    assert reader.curves["knn"] is first["knn"]
    assert reader.curves["loss"] is not first["loss"]


def test_a_new_file_in_its_place_is_read_afresh(file: Path) -> None:
    file.write_bytes(record(5, loss=1.0, old=2.0) + b"garbage\n")
    reader = read(file)
    file.write_bytes(record(1, loss=7.0))
    reader.refresh()
    assert {name: drawn(curve) for name, curve in reader.curves.items()} == {"loss": [(1, 7.0)]}
    assert (reader.skipped, reader.last_step) == (0, 1)


def test_metrics_are_listed_in_order_of_first_appearance(file: Path) -> None:
    file.write_bytes(record(1, z=1.0) + record(1, a=1.0) + record(2, z=1.0, m=1.0))
    assert list(read(file).curves) == ["z", "a", "m"]
