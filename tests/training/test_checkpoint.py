from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import shutil
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.soak import syscalls
from tui_latent.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from tui_latent.training.checkpoint_index import write_index


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


def test_a_lost_index_is_not_a_loss(tmp_path: Path) -> None:
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
        assert loaded is not None and loaded["step"] == 10
        assert "step-000000020.pt is damaged: its checksum differs" in told
        assert "using the checkpoint before it, of step 10" in told
    assert newest.exists()


def sealed_as_version_0_1(path: Path) -> None:
    """Put the checksum into the file instead of the index, as the archive's comment."""
    body = path.read_bytes()[:-2] + struct.pack("<H", 71)
    path.write_bytes(body + b"sha256 " + hashlib.sha256(body[:-2]).hexdigest().encode())
    index = path.with_name("last.json")
    index.write_text(json.dumps({"last": json.loads(index.read_text())["last"]}))


def test_a_checksum_inside_an_older_file_is_checked_too(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state(10), best=False)
    newest = save_checkpoint(tmp_path, state(20), best=False).path
    sealed_as_version_0_1(newest)
    loaded, _ = whole(tmp_path)
    assert loaded is not None and loaded["step"] == 20
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    loaded, told = whole(tmp_path)
    assert loaded is not None and loaded["step"] == 10
    assert "step-000000020.pt is damaged: its checksum differs" in told


def test_a_step_saved_again_and_killed_before_its_checksum_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checksum of the file before must not stand beside the new one."""
    save_checkpoint(tmp_path, state(10), best=False)

    def killed(folder: Path, index: Any) -> None:
        if index.sha256:
            raise KeyboardInterrupt
        write_index(folder, index)

    monkeypatch.setattr("tui_latent.training.checkpoint.write_index", killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path, state(10) | {"seconds": 2.0}, best=False)
    loaded, told = whole(tmp_path)
    assert loaded is not None and loaded["seconds"] == 2.0 and not told


def test_the_index_names_only_files_that_are_kept(tmp_path: Path) -> None:
    for step in (10, 20, 30, 40):
        save_checkpoint(tmp_path, state(step), best=step == 10)
    index = json.loads((tmp_path / "last.json").read_text())
    assert (index["last"], index["best"]) == ("step-000000040.pt", "step-000000010.pt")
    assert steps(tmp_path) == [10, 30, 40]
    names = {f"step-{step:09d}.pt" for step in (10, 30, 40)}
    assert names <= index["sha256"].keys() <= names | {"step-000000020.pt"}


def test_a_checkpoint_is_still_an_archive_that_torch_opens(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, state(10), best=False).path
    assert torch.load(path, weights_only=True)["step"] == 10
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None


def test_a_checkpoint_of_another_version_is_refused_not_misread(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, state(10), best=False).path
    torch.save(state(10), path)  # without a format, as the first version wrote it
    (tmp_path / "last.json").write_text('{"last": "step-000000010.pt"}')
    with pytest.raises(CheckpointError, match=r"another version .* start a new run"):
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
    assert "step-000000099.pt is damaged: its name gives another step" in told


def test_when_none_is_whole_the_training_does_not_begin_anew_by_itself(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state(10), best=False).path.write_bytes(b"torn")
    with pytest.raises(CheckpointError, match="no checkpoint is intact"):
        load_checkpoint(tmp_path, "cpu")
    assert (tmp_path / "step-000000010.pt").exists()


def test_checkpoints_from_before_a_run_went_back_do_not_push_out_newer_ones(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        save_checkpoint(tmp_path, state(step), best=False)
    for step in (12, 14):  # after going back to step 10
        save_checkpoint(tmp_path, state(step), best=False)
    assert steps(tmp_path) == [12, 14]


@pytest.mark.skipif(not syscalls.supported(), reason="needs ptrace on x86-64 Linux")
def test_a_write_killed_at_any_system_call_leaves_a_whole_checkpoint() -> None:
    """Every seventh place here, each one in `python -m tests.soak syscalls`."""
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
