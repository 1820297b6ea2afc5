"""The parts of an evaluation in words and cells."""

from __future__ import annotations

import pytest
from textual.strip import Strip

from tests.tui.evaluations import curve, evaluation, knn
from tui_latent.tui.screens.evaluation.roc_panel import draw_curves, roc_curves
from tui_latent.tui.screens.evaluation.views import class_table, confusion_table, figures


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.split("\n")]


def test_figures_stand_whole_in_a_narrow_page() -> None:
    wide, narrow = (lines(figures(evaluation(), width).plain) for width in (114, 74))
    assert "kNN held out  k=1 .890 (.880–.900)  k=5 .890 (.880–.900)  k=20 .890 (.880–.900)" in wide
    assert "kNN held out  k=1 .890 (.880–.900)  k=5 .890 (.880–.900)" in narrow
    assert "              k=20 .890 (.880–.900)" in narrow
    assert all(len(line) <= 74 for line in narrow)


def test_what_is_missing_says_why_and_a_collapse_stands_out() -> None:
    found = evaluation(missing={"probe": "all training images are of one class"})
    found["collapse"]["signs"] = ["effective rank 2.24 of 128: most latents lie in one direction"]
    del found["probe"]
    content = figures(found, 100)
    assert "linear probe  not measured: all training images are of one class" in content.plain
    at = content.plain.index("collapse: effective rank 2.24")
    assert any(at == span.start and "warning" in str(span.style) for span in content.spans)


def test_the_class_table_has_a_line_a_class_with_its_area() -> None:
    found = evaluation(classes=3, class_names=["ant", "bee", "a very long name of a class"])
    found["anomaly"]["classes"][1] = None
    header, ant, bee, long = lines(class_table(found, True).plain)
    assert header.split() == ["prec.", "recall", "F1", "images", "AUC"]
    assert ant.split() == ["●", "ant", ".890", ".890", ".890", "100", ".900"]
    assert bee.split()[-1] == "–"
    assert len({len(line) for line in (ant, bee, long)} - {len(bee)}) <= 1 and "…" in long


MATRIX = knn(10, 600, 6)["confusion"]
DIGITS = [str(digit) for digit in range(10)]


def test_a_matrix_is_counts_where_they_fit() -> None:
    header, *rows = lines(confusion_table(MATRIX, DIGITS, 54, True).plain)
    assert header.split() == DIGITS and len(rows) == 10
    assert rows[0].split() == ["●", "0", "594", "6", *"········"]
    assert rows[9].split() == ["●", "9", "6", *"········", "594"]


def test_counts_too_wide_become_per_cent() -> None:
    matrix = [[123_456, 6], [0, 200_000]]
    rows = lines(confusion_table(matrix, ["a", "b"], 12, True).plain)
    assert rows[1].split() == ["●", "a", "100", "<1"] and rows[2].split() == ["●", "b", "·", "100"]


@pytest.mark.slow
def test_a_matrix_of_many_classes_is_shaded_and_one_of_too_many_is_named_in_pairs() -> None:
    names = [f"class {index}" for index in range(100)]
    matrix = knn(100, 50, 10)["confusion"]
    shaded = lines(confusion_table(matrix, names, 115, True).plain)
    assert len(shaded) == 100 and shaded[0].startswith("● class 0 █░")
    pairs = lines(confusion_table(matrix, names, 56, True).plain)
    assert pairs[:2] == ["confused with:", "class 0 → class 1  10"]
    right = [[3 if a == b else 0 for b in range(100)] for a in range(100)]
    assert lines(confusion_table(right, names, 20, True).plain)[1] == "no errors"


def test_a_class_often_taken_for_another_stands_out() -> None:
    content = confusion_table([[80, 20], [1, 99]], ["a", "b"], 40, False)
    loud = [
        content.plain[s.start : s.end].strip() for s in content.spans if "warning" in str(s.style)
    ]
    assert loud == ["20"]


def picture(strips: list[Strip]) -> list[str]:
    return [strip.text for strip in strips]


def test_a_curve_of_area_one_runs_along_the_left_and_the_top() -> None:
    perfect = {"auc": 1.0, "false_positives": [0.0, 0.0, 1.0], "true_positives": [0.0, 1.0, 1.0]}
    curves, _ = roc_curves(evaluation(outliers=[{"outliers": "mnist"} | perfect]))
    legend, *rows = picture(draw_curves(curves, 50, 14, True))
    assert "mnist 1.00" in legend
    left, top = [row[6] for row in rows[:-2]], rows[0][7:-1]
    assert all(mark > "\u2800" for mark in left), "the curve rises at the left"
    assert all(mark > "\u2800" for mark in top), "and stays at the top"
    middle = rows[len(rows) // 2][8:20]
    assert all(mark in " \u2800" for mark in middle)


def test_named_outliers_stand_before_classes_and_each_has_its_area() -> None:
    curves, titles = roc_curves(evaluation(classes=3))
    assert [c.name for c in curves] == ["0", "1", "2"] and "each class" in titles[0]
    named = [{"outliers": name} | curve(0.7) for name in ("mnist", "class 3")]
    curves, titles = roc_curves(evaluation(outliers=named))
    assert [c.name for c in curves] == ["mnist", "class 3"] and "outliers" in titles[0]


def test_without_colour_each_curve_is_a_letter() -> None:
    curves, _ = roc_curves(evaluation(classes=2))
    text = "".join(picture(draw_curves(curves, 50, 14, False)))
    assert "0 0 .900" in text and text.count("1") > 6


def test_names_of_classes_are_whole_where_there_is_room() -> None:
    names = [f"tissue type {index:02}" for index in range(24)]
    right = [[int(row == column) for column in range(24)] for row in range(24)]
    wide, narrow = (confusion_table(right, names, width, True).plain for width in (60, 36))
    assert all(name in wide for name in names)
    assert not any(name in narrow for name in names)
