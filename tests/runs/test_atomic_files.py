from __future__ import annotations

from pathlib import Path

import pytest

from tui_latent.runs.atomic_files import replace_file, temporary_beside
from tui_latent.runs.file_lock import FileLock


def test_replacing_leaves_nothing_behind_when_it_fails(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    (path / "inside").mkdir(parents=True)
    with pytest.raises(OSError):
        replace_file(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_no_link_that_another_user_put_there_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the very name of the temporary file, were it known, and under that of a lock."""
    assert temporary_beside(tmp_path / "report") != temporary_beside(tmp_path / "report")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    planted = tmp_path / "planted"
    planted.symlink_to(victim)
    monkeypatch.setattr("tui_latent.runs.atomic_files.temporary_beside", lambda _: planted)
    with pytest.raises(FileExistsError):
        replace_file(tmp_path / "report", b"overwritten")
    (tmp_path / "train.lock").symlink_to(tmp_path / "made")
    with pytest.raises(OSError):
        FileLock(tmp_path / "train.lock").take()
    assert victim.read_text() == "precious" and not (tmp_path / "made").exists()
