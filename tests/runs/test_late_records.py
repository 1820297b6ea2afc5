"""Records that arrive after those of later steps, against a plain list of what stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.runs.curve_cache import NAME
from tui_latent.runs.metrics import MetricsReader
from tui_latent.runs.records import record_line
from tui_latent.runs.schema import Curve

Line = tuple[int, bool, dict[str, float]]

LINES = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.booleans(),
        st.dictionaries(st.sampled_from(["train/loss", "val/knn_20"]), st.floats(-9, 9)),
    ),
    max_size=30,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("late")


def standing(lines: list[Line]) -> dict[str, dict[int, float]]:
    """Return value by step and metric, by walking through the lines one by one."""
    kept: list[Line] = []
    last = -1
    for step, late, values in lines:
        if not late and step < last:
            kept = [line for line in kept if line[0] < step]
            last = step
        last = max(last, step)
        kept.append((step, late, values))
    found: dict[str, dict[int, float]] = {}
    for step, late, values in kept:
        for name, value in values.items():
            by_step = found.setdefault(name, {})
            if not (late and by_step and step < max(by_step)):
                by_step[step] = value
    return {name: by_step for name, by_step in found.items() if by_step}


def drawn(curves: dict[str, Curve]) -> dict[str, dict[int, float]]:
    return {
        name: dict(zip(map(int, curve.steps), curve.means.tolist(), strict=True))
        for name, curve in curves.items()
        if len(curve.steps)
    }


def written(lines: list[Line]) -> bytes:
    return b"".join(
        record_line(step, 0.0, float(step), values, late) + b"\n" for step, late, values in lines
    )


@given(LINES, st.integers(0, 30), st.integers(0, 30))
def test_late_records_stand_among_earlier_ones_however_the_file_is_read(
    folder: Path, lines: list[Line], first: int, kept: int
) -> None:
    file = folder / "metrics.jsonl"
    (folder / NAME).unlink(missing_ok=True)
    expected = standing(lines)

    file.write_bytes(written(lines[:first]))
    following = MetricsReader(file)
    following.refresh()
    with file.open("ab") as more:
        more.write(written(lines[first:]))
    following.refresh()
    assert drawn(dict(following.curves)) == expected

    file.write_bytes(written(lines[:kept]))
    MetricsReader(file).keep()  # what the writer saves from time to time
    with file.open("ab") as more:
        more.write(written(lines[kept:]))
    from_cache = MetricsReader(file)
    from_cache.refresh()
    assert drawn(dict(from_cache.curves)) == expected
    assert from_cache.last_step == following.last_step


@pytest.mark.slow
@given(LINES, st.integers(0, 40))
def test_a_copy_of_the_standing_lines_shows_the_same_curves(
    folder: Path, lines: list[Line], up_to: int
) -> None:
    file, copy = folder / "metrics.jsonl", folder / "copy.jsonl"
    (folder / NAME).unlink(missing_ok=True)
    file.write_bytes(written(lines))
    reader = MetricsReader(file)
    reader.refresh()
    whole = list(reader.standing_lines(40))
    copy.write_bytes(b"".join(line + b"\n" for line in whole))
    copied = MetricsReader(copy)
    copied.refresh()
    assert drawn(dict(copied.curves)) == drawn(dict(reader.curves))
    part = list(reader.standing_lines(up_to))
    assert set(part) <= set(whole)
