from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import zipfile
from pathlib import Path

import pytest
import torch

from tests.soak import syscalls
from tui_latent.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint


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


def whole(folder: Path) -> tuple[dict[str, object] | None, str]:
    """Return what is loaded, and what is told of damage."""
    told: list[str] = []
    return load_checkpoint(folder, "cpu", told.append), "\n".join(told)


def test_any_flipped_bit_is_found_and_the_checkpoint_before_is_used(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state(10), best=False)
    newest = save_checkpoint(tmp_path, state(20), best=False).path
    content = newest.read_bytes()
    generator = random.Random(0)
    places = {0, len(content) - 1, *(generator.randrange(len(content)) for _ in range(60))}
    for place in places:
        flipped = bytearray(content)
        flipped[place] ^= 1 << generator.randrange(8)
        newest.write_bytes(flipped)
        loaded, told = whole(tmp_path)
        assert loaded is not None
        if loaded["step"] == 20:  # only where the flip is in the checksum's own label
            assert place >= len(content) - 73 and torch.equal(
                loaded["method"]["weight"],  # type: ignore[index]
                torch.full((3,), 20.0),
            )
        else:
            assert "step-000000020.pt is damaged" in told
            assert "the checkpoint before it is used, of step 10" in told
    assert newest.exists()


def test_a_checkpoint_is_still_an_archive_that_torch_opens(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, state(10), best=False).path
    assert torch.load(path, weights_only=True)["step"] == 10
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.comment.startswith(b"sha256 ")


def test_a_checkpoint_of_another_version_is_refused_not_misread(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, state(10), best=False).path
    torch.save(state(10), path)  # without a format, as the first version wrote it
    with pytest.raises(CheckpointError, match=r"another version .* train anew"):
        load_checkpoint(tmp_path, "cpu")


class Planted:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {os.environ['PLANTED']}",)


def test_a_planted_pickle_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTED", str(tmp_path / "ran"))
    folder = tmp_path / "checkpoints"
    save_checkpoint(folder, state(10), best=False)
    torch.save({"step": 20, "method": Planted()}, folder / "step-000000020.pt")
    (folder / "step-000000030.pt").write_bytes(pickle.dumps(Planted()))
    (folder / "last.json").write_text('{"last": "step-000000020.pt"}')
    loaded, told = whole(folder)
    assert loaded is not None and loaded["step"] == 10
    assert told.count("is damaged") == 2
    assert not (tmp_path / "ran").exists()


def test_a_name_in_the_index_cannot_lead_elsewhere(tmp_path: Path) -> None:
    outside = save_checkpoint(tmp_path / "elsewhere", state(99), best=False).path
    folder = tmp_path / "checkpoints"
    save_checkpoint(folder, state(10), best=False)
    for name in (str(outside), f"../elsewhere/{outside.name}", "", 3, None):
        (folder / "last.json").write_text(json.dumps({"last": name}))
        loaded, _ = whole(folder)
        assert loaded is not None and loaded["step"] == 10


def test_a_checkpoint_under_another_ones_name_is_not_used(tmp_path: Path) -> None:
    first = save_checkpoint(tmp_path, state(10), best=False).path
    shutil.copy(first, tmp_path / "step-000000099.pt")
    loaded, told = whole(tmp_path)
    assert loaded is not None and loaded["step"] == 10
    (tmp_path / "last.json").unlink()
    loaded, told = whole(tmp_path)
    assert loaded is not None and loaded["step"] == 10
    assert "step-000000099.pt is damaged: it is not of the step" in told


def test_when_none_is_whole_the_training_does_not_begin_anew_by_itself(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state(10), best=False).path.write_bytes(b"torn")
    with pytest.raises(CheckpointError, match="no checkpoint is whole"):
        load_checkpoint(tmp_path, "cpu")
    assert (tmp_path / "step-000000010.pt").exists()


def test_checkpoints_of_a_life_that_is_redone_do_not_push_out_newer_ones(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        save_checkpoint(tmp_path, state(step), best=False)
    for step in (12, 14):  # after going back to step 10
        save_checkpoint(tmp_path, state(step), best=False)
    assert steps(tmp_path) == [12, 14]


@pytest.mark.skipif(not syscalls.supported(), reason="needs ptrace on x86-64 Linux")
def test_a_write_killed_at_any_system_call_leaves_a_whole_checkpoint() -> None:
    """Every seventh place here, each one in `python -m benchmarks.faults syscalls`."""
    places, problems = syscalls.kill_at_each_call(every=7)
    assert places > 40
    assert problems == []


@pytest.mark.skipif(not syscalls.supported(), reason="needs ptrace on x86-64 Linux")
def test_a_write_refused_at_any_system_call_leaves_a_whole_checkpoint_and_no_part() -> None:
    places, problems = syscalls.refuse_each_call()
    assert places > 8
    assert problems == []


def test_a_link_under_a_temporary_name_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in ("step-000000001.pt.tmp", "last.json.tmp"):
        (folder / name).symlink_to(victim)
    save_checkpoint(folder, {"step": 1}, best=False)
    assert victim.read_text() == "precious"
    assert not any(path.is_symlink() for path in folder.iterdir())
