"""What is missing and why: kept with the map, put in words, and for the newest evaluation only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs.conftest import MakeMap
from tui_latent.runs.missing import metric_label, missing_lines
from tui_latent.runs.reader import RunReader
from tui_latent.runs.writer import RunWriter

WHY = "there are 16 training images to choose the 20 nearest from"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunWriter]:
    writer = RunWriter.create(tmp_path, "made", {"method": {"name": "contrastive"}}, {})
    yield writer
    writer.close()


def test_reasons_come_back_and_hold_until_an_evaluation_has_the_metric(
    run: RunWriter, make_map: MakeMap
) -> None:
    run.metrics(1, 1.0, 1.0, {"val/knn_20": 0.5, "val/knn_1": 0.5})
    run.latent_map(make_map(1))
    reader = RunReader(run.path)
    assert (reader.refresh().missing, reader.refresh().newest("val/knn_20")) == ({}, 0.5)
    run.metrics(2, 2.0, 2.0, {"val/knn_1": 0.75})
    run.latent_map(make_map(2), None, {"val/knn_20": WHY})
    shot = reader.refresh()
    assert shot.missing == {"val/knn_20": WHY}
    assert shot.newest("val/knn_20") is None, "the last one known is not the newest evaluation's"
    assert shot.newest("val/knn_1") == 0.75
    assert shot.newest("val/never") is None
    assert reader.refresh() is shot
    run.latent_map(make_map(3))
    assert reader.refresh().missing == {}


def test_metrics_missing_for_one_reason_share_a_line() -> None:
    missing = {"val/knn_5": "few", "latent/std_min": "one", "val/knn_20": "few"}
    assert missing_lines(missing) == ["kNN@5, kNN@20: few", "smallest std: one"]
    assert missing_lines({}) == []
    assert metric_label("val/loss") == "held-out loss"


def test_reasons_from_elsewhere_move_no_cursor(run: RunWriter, make_map: MakeMap) -> None:
    run.latent_map(make_map(1), None, {"val/\x1b[2Jx": "a\x1b[31m\nb"})
    ((metric, reason),) = RunReader(run.path).refresh().missing.items()
    assert "\x1b" not in metric + reason and "\n" not in reason


def test_a_map_of_version_0_1_has_nothing_missing(run: RunWriter, make_map: MakeMap) -> None:
    run.latent_map(make_map(1))
    assert Path(run.path / "latents" / "step-000000001.npz").is_file()
    assert RunReader(run.path).refresh().missing == {}
