"""Which class a line of a label file gives, where numbers stand for classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_latent.launch.label_file import read_label_file


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        ("-1 1 1 -1", ["-1", "1", "1", "-1"]),
        ("-1 +1 +1", ["-1", "+1", "+1"]),
        ("-1.0 1.0 nan", ["-1", "1", ""]),
        ("-1 0 1", ["", "0", "1"]),
        ("-1 cat", ["", "cat"]),
        ("-1 -1", ["", ""]),
        ("1 2.0 null", ["1", "2", ""]),
    ],
)
@pytest.mark.parametrize("header", ["", "path,class\n"], ids=["plain", "header"])
def test_minus_one_is_a_class_where_only_one_is_the_other(
    cells: str, classes: list[str], header: str, tmp_path: Path
) -> None:
    lines = [f"{row}.png,{cell}\n" for row, cell in enumerate(cells.split())]
    (tmp_path / "labels.csv").write_text(header + "".join(lines))
    found = read_label_file(tmp_path / "labels.csv", lambda name: name.endswith(".png"))
    assert [entry.class_name for entry in found] == classes
