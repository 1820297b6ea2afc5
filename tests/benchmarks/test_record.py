"""What a benchmark leaves where something fails after it has measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import record
from benchmarks.record import Row, for_device, save
from benchmarks.rounds import devices


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


def row(what: str) -> Row:
    return Row(what, "≥ 2 x", "3 x", True, {"ratio": 3.0})


def test_rows_before_a_failure_are_on_the_disk_and_on_the_screen(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def rows() -> Iterator[Row]:
        yield row("first")
        assert "| first | ≥ 2 x | 3 x | yes |" in capsys.readouterr().out
        assert len(json.loads((results / "tried.json").read_text())["rows"]) == 1
        yield row("second")
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with pytest.raises(RuntimeError, match="illegal"):
        save("tried", "python -m tried", rows())
    kept = json.loads((results / "tried.json").read_text())
    assert [one["what"] for one in kept["rows"]] == ["first", "second"]


def test_hardware_that_cannot_be_told_takes_no_figures_away(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def machine() -> dict[str, object]:
        raise OSError("no /proc here")

    monkeypatch.setattr(record, "machine", machine)
    with pytest.raises(OSError, match="/proc"):
        save("tried", "python -m tried", [row("only")])
    assert json.loads((results / "tried.json").read_text())["rows"][0]["measured"] == "3 x"


def test_a_whole_result_has_hardware_and_versions(results: Path) -> None:
    save("tried", "python -m tried", [row("only")])
    kept = json.loads((results / "tried.json").read_text())
    assert kept["hardware"]["cores"] >= 1
    assert kept["versions"]["numpy"][0].isdigit()
    assert not list(results.glob("*.part"))


def test_a_result_of_one_device_has_a_file_of_its_own() -> None:
    assert for_device("gpu", None) == "gpu"
    assert for_device("gpu", "cuda") == "gpu-cuda"


def test_a_gpu_that_is_asked_for_and_not_here_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(SystemExit) as ended:
        devices("cuda")
    assert ended.value.code == 77
    assert capsys.readouterr().err == "torch sees no GPU here\n"
    assert [device.type for device in devices()] == ["cpu"]
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert [device.type for device in devices("cuda")] == ["cuda"]
    assert [device.type for device in devices()] == ["cpu", "cuda"]
