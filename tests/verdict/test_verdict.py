"""The verdict as a line and as JSON, and what every finding must carry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tui.evaluations import evaluation
from tests.verdict.snapshots import curve, matrix, run
from tui_latent.runs.evaluations import newest_evaluation
from tui_latent.runs.reader import RunReader
from tui_latent.tui.keymap import KEYMAP
from tui_latent.verdict import Verdict, judge

OLD = sorted((Path(__file__).parents[1] / "fixtures" / "runs_0_1").iterdir())


def poor() -> Verdict:
    """Return a verdict with much to say."""
    curves = {"latent/collapsed": curve([0, 1]), "train/loss": curve([1, float("nan")])}
    return judge(run(0.5, curves=curves, confusion=matrix(_8_1=90)), evaluation())


@pytest.mark.parametrize("width", [20, 40, 80, 118, 200])
def test_the_line_fits_and_holds_whole_sentences(width: int) -> None:
    line = poor().line(width)
    assert 0 < len(line) <= width
    assert line.endswith(".") or line.endswith("…")
    assert line.endswith("…") is (len(poor().findings[0].sentence) > width)


def test_every_finding_is_a_sentence_with_evidence_a_threshold_and_a_key() -> None:
    ids = {key.id for rows in KEYMAP.values() for key in rows}
    for finding in poor().findings:
        for text in filter(None, (finding.sentence, finding.evidence, finding.threshold)):
            assert text[0].isupper() or not text[0].isalpha() or text.startswith("kNN"), text
            assert text.endswith("."), text
        assert finding.door.key in ids, finding.door


def test_it_is_json() -> None:
    table = json.loads(json.dumps(poor().as_json()))
    assert {"kind", "severity", "sentence", "evidence", "threshold", "door"} <= set(table[0])


@pytest.mark.parametrize("path", OLD, ids=[path.name for path in OLD])
def test_runs_of_0_1_are_judged(path: Path) -> None:
    verdict = judge(RunReader(path).refresh(), newest_evaluation(path))
    assert verdict.findings
