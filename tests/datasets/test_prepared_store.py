"""What is prepared once is found again, and made in the first folder that can be written."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tui_latent.datasets import prepared_store
from tui_latent.datasets.prepared_store import prepared
from tui_latent.sources.errors import DataError


def opened(place: Path) -> str | None:
    return place.read_text() if place.is_file() else None


def made(place: Path, only: bool) -> str:
    assert only
    place.write_text(place.parent.name)
    return place.parent.name


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    both = tmp_path / "data", tmp_path / "home"
    monkeypatch.setattr(prepared_store, "prepared_folders", lambda: both)
    return both


def test_it_is_made_once(folders: tuple[Path, Path]) -> None:
    def again(place: Path, only: bool) -> str:
        raise AssertionError("made again")

    said: list[str] = []
    assert prepared("x", opened, made, "to work", "it", said.append) == "data"
    assert prepared("x", opened, again, "to work", "it", said.append) == "data"
    assert not said and not folders[1].exists()


def test_what_another_user_made_elsewhere_is_found(folders: tuple[Path, Path]) -> None:
    folders[1].mkdir()
    (folders[1] / "x").write_text("there")
    assert prepared("x", opened, made, "to work", "it", lambda _: None) == "there"


def refused(code: int) -> OSError:
    return OSError(code, "refused", "FILE")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_folder_that_is_not_writable_is_passed_over(
    folders: tuple[Path, Path], code: int
) -> None:
    def in_home(place: Path, only: bool) -> str:
        if place.parent == folders[0]:
            raise refused(code)
        return made(place, only)

    said: list[str] = []
    assert prepared("x", opened, in_home, "to work", "it", said.append) == "home"
    assert said == [f"{folders[0]} is not writable (refused)"]


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOSPC])
def test_why_nothing_could_be_kept_is_said(folders: tuple[Path, Path], code: int) -> None:
    tried: list[Path] = []

    def fail(place: Path, only: bool) -> str:
        tried.append(place.parent)
        raise refused(code)

    with pytest.raises(DataError, match=r"FILE: refused: .* TUI_LATENT_DATA .* for decoded images"):
        prepared("x", opened, fail, "to decode", "decoded images", lambda _: None)
    assert tried == list(folders[:1] if code == errno.ENOSPC else folders)
