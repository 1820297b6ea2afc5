"""Evaluations on disk: what is read back, and what is passed over."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from tui_latent.runs.evaluations import (
    evaluation_file,
    newest_evaluation,
    read_evaluation,
    write_evaluation,
)


def test_what_is_written_is_read_back_and_holds_no_number_that_json_lacks(tmp_path: Path) -> None:
    found: dict[Any, Any] = {
        "format": 1,
        "auc": math.nan,
        "rows": [(1, math.inf)],
        5: "keys are words",
        "n": "é",
    }
    path = write_evaluation(tmp_path, 120, found)
    assert path == tmp_path / "evaluations" / "step-000000120.json"
    expected = {"format": 1, "auc": None, "rows": [[1, None]], "5": "keys are words", "n": "é"}
    assert read_evaluation(tmp_path, 120) == json.loads(path.read_text("utf-8")) == expected
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_the_newest_is_that_of_the_latest_step_that_can_be_read(tmp_path: Path) -> None:
    assert newest_evaluation(tmp_path) is None
    for step in (60, 900, 1_000_000_000):
        write_evaluation(tmp_path, step, {"format": 1, "step": step})
    found = newest_evaluation(tmp_path)
    assert found is not None and found["step"] == 1_000_000_000
    evaluation_file(tmp_path, 1_000_000_000).write_text('{"format": 1, "st')
    evaluation_file(tmp_path, 2000).write_text('{"format": 99}')
    evaluation_file(tmp_path, 3000).write_text("[]")
    (tmp_path / "evaluations" / "step-9.json.tmp").write_text("{}")
    found = newest_evaluation(tmp_path)
    assert found is not None and found["step"] == 900
