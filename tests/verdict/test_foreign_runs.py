"""Nothing is promised of a run from elsewhere, and nothing is said of classes without labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.foreign_runs import foreign_run, forget_labels
from tui_latent.analysis.evaluate import evaluate_run
from tui_latent.runs.manifest import PRESET_FILE
from tui_latent.runs.reader import RunReader
from tui_latent.verdict import Verdict, judge
from tui_latent.verdict.map_words import map_sentences


def judged(run: Path, evaluation: bool = False) -> Verdict:
    return judge(RunReader(run).refresh(), evaluate_run(run) if evaluation else None)


def sentences(verdict: Verdict) -> str:
    return "\n".join(finding.sentence for finding in verdict.findings)


def test_no_preset_promises_anything_of_a_run_from_elsewhere(tmp_path: Path) -> None:
    run = foreign_run(tmp_path)
    file = run / PRESET_FILE
    file.write_text(f'[expect]\n"val/knn_20" = 0.99\n{file.read_text()}')
    text = sentences(judged(run))
    assert "kNN@20 is 0.800." in text and "promise" not in text
    assert "longer training may help" in text and "epochs" not in text


def test_without_labels_no_accuracy_is_spoken_of(tmp_path: Path) -> None:
    verdict = judged(foreign_run(tmp_path, labels=False, bank=False), evaluation=True)
    text = sentences(verdict)
    assert "There are no labels, so no accuracy is known." in text
    assert "few" not in text and "kNN" not in text and "class" not in text
    found = next(f for f in verdict.findings if f.kind == "unlabelled")
    assert "their-loop --csv FILE" in found.evidence
    assert not found.headline


def test_an_opened_run_is_judged_by_its_evaluation(tmp_path: Path) -> None:
    run = foreign_run(tmp_path, origin="opened", bank=False)
    text = sentences(judged(run, evaluation=True))
    assert "kNN@20 is" in text and "no labels" not in text


def test_the_images_that_count_are_those_with_a_label(tmp_path: Path) -> None:
    run = foreign_run(tmp_path)
    forget_labels(run)
    assert "There are only 45 held-out images" in sentences(judged(run))


def described(run: Path) -> str:
    latent_map = RunReader(run).refresh().map
    assert latent_map is not None
    return " ".join(map_sentences(latent_map))


def test_a_map_without_labels_is_described_without_classes(tmp_path: Path) -> None:
    text = described(foreign_run(tmp_path, labels=False))
    assert "60 held-out images, none of which has a label." in text
    assert "class" not in text and "-1" not in text
    assert "far from all others" in text


def test_images_without_a_label_are_no_class(tmp_path: Path) -> None:
    run = foreign_run(tmp_path)
    forget_labels(run)
    text = described(run)
    assert "of 3 classes; 15 images have no label." in text
    assert "class -1" not in text and "no label and" not in text


@pytest.mark.parametrize("name", ["cat", "dog", "owl"])
def test_the_places_of_classes_are_still_told(tmp_path: Path, name: str) -> None:
    run = foreign_run(tmp_path)
    forget_labels(run)
    assert name in described(run)
