from __future__ import annotations

from pathlib import Path

import torch

from tui_latent.training.checkpoint import load_checkpoint, save_checkpoint


def state(step: int) -> dict[str, object]:
    return {"step": step, "method": {"weight": torch.full((3,), float(step))}}


def steps(folder: Path) -> list[int]:
    return sorted(int(path.stem.removeprefix("step-")) for path in folder.glob("step-*.pt"))


def test_the_newest_two_and_the_best_are_kept(tmp_path: Path) -> None:
    for step in (10, 20, 30, 40, 50):
        save_checkpoint(tmp_path, state(step), best=step == 20)
    assert steps(tmp_path) == [20, 40, 50]
    loaded = load_checkpoint(tmp_path, "cpu")
    assert loaded is not None and loaded["step"] == 50
    assert torch.equal(loaded["method"]["weight"], torch.full((3,), 50.0))


def test_a_newer_best_frees_the_older_one(tmp_path: Path) -> None:
    for step in (10, 20, 30, 40):
        save_checkpoint(tmp_path, state(step), best=step in (10, 20))
    assert steps(tmp_path) == [20, 30, 40]


def test_a_torn_newest_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state(10), best=False)
    newest = save_checkpoint(tmp_path, state(20), best=False).path
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    loaded = load_checkpoint(tmp_path, "cpu")
    assert loaded is not None and loaded["step"] == 10


def test_a_lost_index_is_no_loss(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state(10), best=False)
    save_checkpoint(tmp_path, state(20), best=False)
    (tmp_path / "last.json").write_text("{torn")
    loaded = load_checkpoint(tmp_path, "cpu")
    assert loaded is not None and loaded["step"] == 20
    save_checkpoint(tmp_path, state(30), best=False)
    assert steps(tmp_path) == [20, 30]


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "checkpoints", "cpu") is None
