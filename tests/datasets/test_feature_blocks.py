"""Features that several processes need: the work is shared, and nobody waits without cause."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.waiting import until
from tui_latent.datasets.feature_blocks import Extraction, features_of
from tui_latent.datasets.image_set import ImageSet
from tui_latent.datasets.shared_files import alone

BLOCK = 4


def images() -> ImageSet:
    values = torch.arange(40 * 4, dtype=torch.uint8).reshape(40, 1, 2, 2)
    labels = torch.zeros(40, dtype=torch.int64)
    return ImageSet(values, labels, ("only",), None, labels)


def corners(stored: Tensor) -> Tensor:
    return stored.flatten(1)[:, [0, 3]].float()


def features(
    extract: Callable[[Tensor], Tensor], poll: Callable[[], None] = lambda: None
) -> Tensor:
    return features_of(images(), Extraction("corners", extract, BLOCK, 2), lambda _: None, poll)


def compute(place: Path, together: int) -> None:
    """Compute features slowly, once `together` processes have begun; note each image's row."""

    def slow(stored: Tensor) -> Tensor:
        (place / f"begun-{multiprocessing.current_process().name}").touch()
        until(lambda: len(list(place.glob("begun-*"))) >= together)
        with (place / f"rows-{multiprocessing.current_process().name}").open("a") as file:
            file.write("".join(f"{int(row)}\n" for row in stored[:, 0, 0, 0] // 4))
        time.sleep(0.01)
        return corners(stored)

    found = features_of(
        images(), Extraction("corners", slow, BLOCK, 2), lambda _: None, lambda: None
    )
    assert torch.equal(found, corners(images().images))


def test_processes_share_the_blocks_and_both_get_them_all(
    data_folder: Path, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=compute, args=(tmp_path, 2)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    shares = [file.read_text().split() for file in tmp_path.glob("rows-*")]
    assert len(shares) == 2 and all(shares)
    assert sorted(int(row) for share in shares for row in share) == list(range(40)), "each once"
    assert not list((data_folder / "prepared" / "features").glob(".*"))


def test_a_block_of_a_process_that_was_killed_is_computed_at_the_end(data_folder: Path) -> None:
    context = multiprocessing.get_context("fork")
    begun = context.Event()

    def hang(_: Tensor) -> Tensor:
        begun.set()
        time.sleep(3600)
        raise AssertionError

    def run() -> None:
        features(hang)

    hanging = context.Process(target=run)
    hanging.start()
    assert begun.wait(60)
    rows: list[int] = []

    def quick(stored: Tensor) -> Tensor:
        rows.extend((stored[:, 0, 0, 0] // 4).tolist())
        if rows[-1] == 39:
            hanging.kill()
        return corners(stored)

    found = features(quick)
    hanging.join()
    assert rows == [*range(BLOCK, 40), *range(BLOCK)], "the block that was taken comes last"
    assert torch.equal(found, corners(images().images))


@pytest.mark.slow
def test_waiting_for_another_process_can_be_stopped(data_folder: Path) -> None:
    features(corners)
    first = min((data_folder / "prepared" / "features").glob("*.npz"))
    first.unlink()
    calls: list[str] = []

    def stop() -> None:
        calls.append("asked")
        raise KeyboardInterrupt

    with alone(first, lambda: None), pytest.raises(KeyboardInterrupt):
        features(corners, poll=stop)
    assert calls == ["asked"]


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_features_that_the_disk_has_changed_are_computed_again(
    data_folder: Path, share: float
) -> None:
    features(corners)
    for path in (data_folder / "prepared" / "features").glob("*.npz"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 64
        path.write_bytes(content[: round(len(content) * share)])
    assert torch.equal(features(corners), corners(images().images))
