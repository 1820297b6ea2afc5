"""Comparisons as a page, as files and on the command line."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from tests.reports.conftest import PROVENANCE, MakeRun
from tests.reports.looks import Drawn, require_tidy
from tui_latent.cli.main import main
from tui_latent.number_format import number
from tui_latent.palettes import run_colors
from tui_latent.reports import ReportError, export_comparison
from tui_latent.reports.comparison_export import read_comparison
from tui_latent.reports.comparison_figure import draw_comparison
from tui_latent.reports.style import RC
from tui_latent.runs.reader import RunReader

VICREG = {"name": "vicreg", "invariance_weight": 25.0, "projector": [128, 128]}
LONG = "20261122-160000-" + "a-preset-with-a-long-name-" * 3


def drawn(paths: list[Path]) -> Figure:
    with style.context(["default", RC]):
        figure = draw_comparison(read_comparison(paths))
        figure.canvas.draw()
    return figure


@pytest.fixture
def runs(make_run: MakeRun) -> list[Path]:
    return [
        make_run(name="20261122-120000-first"),
        make_run(name="20261122-130000-second", method=VICREG, dimensions=9),
        make_run(("a", "b"), name="20261122-140000-other-classes", provenance={}),
        make_run(name="20261122-150000-begun", evaluated=False),
    ]


@pytest.mark.parametrize("more", [0, 6])
def test_nothing_overlaps_or_leaves_the_page(
    make_run: MakeRun, runs: list[Path], more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    longs = [make_run(name=f"{LONG}{index}") for index in range(more)]
    shown = Drawn(monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = drawn(runs[:2] + longs)
    require_tidy(figure, shown)


def test_every_run_has_its_color_and_every_gap_its_reason(runs: list[Path]) -> None:
    figure = drawn(runs[:4])
    texts = [text.get_text() for text in figure.findobj(Text)]
    joined = " ".join(texts)
    assert "not aligned: 24 images, but the first map has 120" in joined
    assert "aligned to first, disparity" in joined
    assert "no evaluation has made a map" in joined
    assert "different methods (contrastive, vicreg): their losses are not comparable" in joined
    assert texts.count("method.name") == 1 and texts.count("vicreg") == 1
    assert "title" not in texts, "words are not settings"
    canvas: Any = figure.canvas
    paper = np.array(canvas.buffer_rgba())[:300:2, ::3, :3]
    seen = {tuple(pixel) for pixel in paper.reshape(-1, 3).tolist()}
    colors = run_colors((path.name for path in runs[:4]), dark=False)
    assert len(set(colors.values())) == 4 and set(colors.values()) <= seen


def test_runs_that_have_only_begun(make_run: MakeRun) -> None:
    figure = drawn([make_run(name="a", evaluated=False), make_run(name="b", evaluated=False)])
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert "curves appear after the first records" in texts
    assert "the presets have the same settings" in texts


def test_the_files_hold_the_numbers_of_the_runs(runs: list[Path]) -> None:
    png = export_comparison(runs[:2])
    assert png.parent == runs[0] / "reports" and png.name.endswith("-compared.png")
    with Image.open(png) as image:
        assert image.width == 1600
    table = json.loads(png.with_suffix(".json").read_text())
    snapshots = [RunReader(path).refresh() for path in runs[:2]]
    assert [run["run"] for run in table["runs"]] == [path.name for path in runs[:2]]
    for metric, row in table["metrics"].items():
        assert row["last"] == [snapshot.curves[metric].last for snapshot in snapshots]
    assert table["settings"]["method.name"] == ["contrastive", "vicreg"]
    assert table["maps"][1]["turned_onto"] == runs[0].name
    curve = snapshots[1].curves["val/knn_20"]
    assert table["curves"]["val/knn_20"][1]["means"] == curve.means.tolist()


def test_one_run_nine_runs_and_no_runs_are_refused(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="at least two different runs"):
        export_comparison([runs[0], runs[0]])
    with pytest.raises(ReportError, match="shows at most 8"):
        read_comparison([tmp_path / str(index) for index in range(9)])
    with pytest.raises(ReportError, match="not a run"):
        export_comparison([runs[0], tmp_path])
    with pytest.raises(ReportError, match=r"x\.pdf: a report is a PNG"):
        export_comparison(runs[:2], tmp_path / "x.pdf")


def compare(*arguments: str) -> tuple[int, list[str], str]:
    result = CliRunner().invoke(main, ["compare", *arguments])
    return result.exit_code, result.stdout.splitlines(), result.stderr


def test_the_command_writes_a_table_and_a_picture(runs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "both.png"
    names = ["--runs", str(runs[0].parent), "20261122-12", "20261122-13"]
    code, lines, _ = compare(*names, "-o", str(out))
    assert code == 0 and lines[-1] == str(out) and out.is_file()
    rows = {line.split()[0]: line.split() for line in lines if line}
    assert rows["method.name"] == ["method.name", "contrastive", "vicreg"]
    knn = RunReader(runs[1]).refresh().curves["val/knn_20"].last
    assert number(knn, 4) in rows["val/knn_20"]
    code, lines, _ = compare(*names, "-o", str(out), "--json")
    result = json.loads(lines[-1])
    assert code == 0 and result["png"] == str(out) and "curves" not in result
    assert result["metrics"]["val/knn_20"]["last"][1] == knn


@pytest.mark.usefixtures("runs")
def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    runs = str(tmp_path / "runs")
    assert compare("--runs", runs, "20261122-12")[0] == 2
    code, _, problem = compare("--runs", runs, "20261122-12", "nothing-like-it")
    assert code == 2 and "no such run" in problem
    code, _, problem = compare("--runs", runs, "20261122-12", "20261122-13", "-o", f"{runs}/x.pdf")
    assert code == 1 and "a report is a PNG" in problem


def test_names_cannot_steer_the_terminal(make_run: MakeRun) -> None:
    method = {"name": "contrastive", "loss": "\x1b[31mred"}
    paths = [make_run(name="a"), make_run(name="b", method=method, provenance=PROVENANCE)]
    code, lines, _ = compare(*map(str, paths))
    assert code == 0 and "\x1b" not in "\n".join(lines)
