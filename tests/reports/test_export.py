"""Reports as files."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from tests.reports.conftest import MakeRun
from tui_latent.cli.main import main
from tui_latent.reports import ReportError, export_report
from tui_latent.runs.reader import RunReader


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing."""
    monkeypatch.setattr("tui_latent.reports.export.drawn_png", lambda *_: b"png")


def test_the_png_is_1600_wide_and_the_json_holds_the_runs_numbers(make_run: MakeRun) -> None:
    run = make_run()
    png = export_report(run)
    with Image.open(png) as image:
        assert image.format == "PNG" and image.width == 1600
        assert len(np.unique(np.asarray(image.convert("L")))) > 100
    snapshot = RunReader(run).refresh()
    assert snapshot.reports == (png,)
    table = json.loads(png.with_suffix(".json").read_text())
    for name, value in table["metrics"].items():
        assert value == snapshot.curves[name].last
    assert table["knn"][2]["line"]["last"] == snapshot.curves["val/knn_20"].last
    assert snapshot.confusion is not None
    assert table["confusion"]["images"] == snapshot.confusion.tolist()
    accuracy = np.trace(snapshot.confusion) / snapshot.confusion.sum()
    assert table["metrics"]["val/knn_20"] == pytest.approx(accuracy)
    assert table["map"]["step"] == 200 and table["map"]["images"] == 120
    assert table["about"]["seconds"] == 133


@pytest.mark.usefixtures("quick")
def test_it_lies_in_the_run_unless_said_otherwise(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    png = export_report(run)
    assert png.parent == run / "reports"
    assert re.fullmatch(r"\d{8}-\d{6}-step-200\.png", png.name)
    out = tmp_path / "new folder" / "mine.png"
    assert export_report(run, out) == out
    written = sorted(path.name for path in out.parent.iterdir())
    assert written == ["mine.json", "mine.png"], "and no temporary file"


@pytest.mark.usefixtures("quick")
def test_a_report_that_is_no_png_is_refused(make_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"report\.pdf: a report is a PNG"):
        export_report(make_run(), tmp_path / "report.pdf")


@pytest.mark.usefixtures("quick")
def test_a_place_that_cannot_be_written_is_named(make_run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ReportError, match=r"mine\.png: cannot be written: "):
        export_report(make_run(), tmp_path / "file" / "mine.png")


@pytest.mark.usefixtures("quick")
def test_a_run_that_cannot_be_written_says_how_to_write_its_report_elsewhere(
    make_run: MakeRun, tmp_path: Path
) -> None:
    run = make_run()
    (run / "reports").write_text("in the way")
    for command, option in (("report", "-o FILE.png"), ("points", "-o FILE.csv")):
        refused = CliRunner().invoke(main, [command, str(run)])
        assert refused.exit_code == 1
        assert "cannot be written: " in refused.stderr and option in refused.stderr
        out = tmp_path / f"mine.{option[-3:]}"
        assert CliRunner().invoke(main, [command, str(run), "-o", str(out)]).exit_code == 0
        assert out.is_file()


def test_a_folder_that_is_not_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="not a run"):
        export_report(tmp_path)


def test_two_threads_draw_at_once_and_leave_matplotlib_as_it_was(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 33.0)
    monkeypatch.setitem(matplotlib.rcParams, "axes.facecolor", "black")
    run = make_run(("a", "b"))
    alone = export_report(run, tmp_path / "alone.png").read_bytes()
    threads = [
        threading.Thread(target=export_report, args=(run, tmp_path / f"{n}.png")) for n in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert matplotlib.rcParams["font.size"] == 33.0
    assert (tmp_path / "0.png").read_bytes() == alone
    assert (tmp_path / "1.png").read_bytes() == alone
    with Image.open(tmp_path / "alone.png") as image:
        assert image.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_the_verdict_is_in_the_json_with_its_evidence(make_run: MakeRun, quick: None) -> None:
    table = json.loads(export_report(make_run()).with_suffix(".json").read_text())
    kinds = {finding["kind"]: finding for finding in table["findings"]}
    accuracy = RunReader(make_run(name="again")).refresh().newest("val/knn_20")
    assert accuracy is not None and f"{accuracy:.3f}"[:4] in kinds["accuracy"]["sentence"]
    said = [finding["sentence"] for finding in table["findings"] if finding["headline"]]
    assert table["verdict"] == " ".join(said)
    assert all(finding["evidence"] for finding in table["findings"])
