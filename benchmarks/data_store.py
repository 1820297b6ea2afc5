"""Images that do not fit the memory: steps from the disk, first decoding, memory, start.

python -m benchmarks.data_store [--rounds 5] [--share 1.0]     about 12 minutes

Steps: the same training, with the same threads, from memory and from the disk; both in one
process, in turn. The file has been read before, as it has after an epoch where memory allows it.
Decoding: a folder of JPEGs that was never seen, up to its images as one array, against a loop of
Pillow over the same files in one process. Memory: a process that trains on a sparse file of 20 GB.
Start: until a changed file among 100,000 is known. `--share` takes fewer images of the last three.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.our_steps import Ours
from benchmarks.record import Row, save
from benchmarks.rounds import alternate, use_all_cores
from tui_latent.config.presets import load_preset
from tui_latent.config.settings import DataSettings, Preset
from tui_latent.datasets.identity import DataIdentity
from tui_latent.datasets.image_set import Dataset, ImageSet
from tui_latent.datasets.row_file import row_file
from tui_latent.datasets.sources import load_dataset
from tui_latent.training.loop import TrainingLoop

STEPS = {64: (64, 12), 224: (16, 6)}
"""side of the images -> images and steps of a round"""
IMAGES = {64: 6000, 224: 1000}
DECODED = {32: 60_000, 500: 5_000}
"""side of the JPEGs -> how many"""
SIZE = 64
"""side to which the 500-pixel JPEGs are decoded; those of 32 keep theirs"""
STORE = 20_000_000_000
"""bytes of the sparse file"""
FILES = 100_000
MOST_BYTES = 2e9
MEMORY_STEPS = 80


class _Known(Exception):
    """The identity of the images is known: nothing more has to be loaded."""


def preset(images: Path, side: int, resident: str) -> Preset:
    """Return the preset of unlabelled folders for an archive, in one stage."""
    batch, _ = STEPS[side]
    changes: dict[str, object] = {
        "data.source": "arrays",
        "data.path": str(images),
        "data.size": side,
        "data.skip_corrupt": False,
        "data.resident": resident,
        "train.batch_size": batch,
        "stages.*.epochs": 1000,
        "train.device": "cpu",
    }
    loaded = load_preset("folder-contrastive-2d", changes)
    return loaded.model_copy(update={"stages": loaded.stages[:1]})


def steps(folder: Path, side: int, rounds: int) -> Row:
    """Compare steps from the disk with steps from memory."""
    path = folder / f"{side}.npz"
    shape = (IMAGES[side], 3, side, side)
    np.savez(path, x_train=np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    disk, memory = (Ours(preset(path, side, where), STEPS[side][1]) for where in ("disk", "device"))
    assert disk.dataset.train.file is not None and memory.dataset.train.file is None
    found = alternate(disk, memory, rounds)
    disk.loop.close()
    path.unlink()
    words = f"{found.ratio:.2f} x: {found.words('images').partition(': ')[2]}"
    what = f"images/s from the disk over from memory, {side} px"
    return Row(what, "≥ 0.9", words, found.ratio >= 0.9, found.numbers())


def write_jpegs(folder: Path, side: int, count: int) -> None:
    """Write what a decoder takes for photographs: smooth colours with noise."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(count):
        coarse = random.integers(0, 256, (8, 8, 3), np.uint8)
        image = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
        image.save(folder / f"{number:06}.jpg", quality=85)


def pillow_loop(folder: Path, size: int) -> float:
    """Decode all files in one process, one after the other; return files per second."""
    files = sorted(folder.iterdir())
    images = np.empty((len(files), size, size, 3), np.uint8)
    start = time.perf_counter()
    for row, file in enumerate(files):
        with Image.open(file) as image:
            colour = image.convert("RGB")
            if colour.size != (size, size):
                colour = colour.resize((size, size), Image.Resampling.BILINEAR)
            images[row] = np.asarray(colour)
    return len(files) / (time.perf_counter() - start)


def first_decoding(folder: Path, size: int) -> float:
    """Load a folder that no cache knows; return files per second."""
    chosen = DataSettings(source="folder", path=str(folder), labels="none", size=size)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TUI_LATENT_DATA"] = cache
        start = time.perf_counter()
        dataset = load_dataset(chosen, 0)
        seconds = time.perf_counter() - start
    return (len(dataset.train) + len(dataset.val)) / seconds


def decoding(folder: Path, side: int, share: float, rounds: int) -> Row:
    """Compare the first decoding of a folder with a loop of Pillow."""
    size, count = min(side, SIZE), int(DECODED[side] * share)
    images = folder / f"jpeg-{side}"
    write_jpegs(images, side, count)
    found = alternate(
        lambda: first_decoding(images, size), lambda: pillow_loop(images, size), rounds
    )
    words = f"{found.ratio:.2f} x: {found.words('files').partition(': ')[2]}"
    what = f"first decoding of {count:,} JPEGs of {side} px over Pillow in one process"
    return Row(what, "≥ 1.8", words, found.ratio >= 1.8, found.numbers())


def resident_bytes() -> int:
    """Return the bytes that this process has in memory, those of mapped files too."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def train_on_sparse_file(path: Path, size: int) -> None:
    """Train on a file of `size` bytes, and print the memory at its first steps and at its end."""
    use_all_cores()
    count = size // (3 * 64 * 64)
    np.lib.format.open_memmap(path, "w+", np.uint8, (count, 3, 64, 64)).flush()
    images = np.load(path, mmap_mode="c")
    labels = torch.full((count,), -1)
    train = ImageSet(torch.from_numpy(images), labels, (), None, labels, file=row_file(images))
    mean, std = torch.zeros(3, 1, 1), torch.ones(3, 1, 1)
    dataset = Dataset("sparse", train, train, mean, std, "")
    loop = TrainingLoop(preset(path, 64, "disk"), dataset, torch.device("cpu"))
    for step in range(MEMORY_STEPS):
        loop.step()
        if step in (19, MEMORY_STEPS - 1):
            print(resident_bytes(), flush=True)
    loop.close()


def memory(folder: Path, share: float) -> Row:
    """Return the memory of a process that trains on a sparse file."""
    path, size = folder / "sparse.npy", int(STORE * share)
    command = [sys.executable, "-m", "benchmarks.data_store", "--train-on", str(path), str(size)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    early, late = (int(number) for number in said)
    path.unlink()
    words = f"{late / 1e9:.2f} GB after {MEMORY_STEPS} steps, {early / 1e9:.2f} GB after 20"
    reached = late <= MOST_BYTES and late <= 1.05 * early
    what = f"memory of a process that trains on {size / 1e9:.0f} GB"
    numbers: dict[str, object] = {"bytes_after_20": early, "bytes_at_the_end": late}
    return Row(what, "flat, ≤ 2 GB", words, reached, numbers)


def start_with_a_change(folder: Path, share: float) -> Row:
    """Return the seconds until one changed file is known."""
    count = int(FILES * share)
    images = folder / "many"
    images.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "one.png")
    content = (folder / "one.png").read_bytes()
    for number in range(count):
        # What follows the end of a PNG is not looked at, but makes each file another one.
        (images / f"{number:06}.png").write_bytes(content + number.to_bytes(4, "big"))
    chosen = DataSettings(source="folder", path=str(images), labels="none", size=8)
    identities: list[DataIdentity] = []

    def keep(found: DataIdentity) -> None:
        identities.append(found)
        raise _Known

    def look() -> float:
        start = time.perf_counter()
        with suppress(_Known):
            load_dataset(chosen, 0, found=keep)
        return time.perf_counter() - start

    with tempfile.TemporaryDirectory() as cache:
        os.environ["TUI_LATENT_DATA"] = cache
        time.sleep(2.5)  # files that changed within two seconds are read again
        first = look()
        (images / "000500.png").write_bytes(content + b"changed")
        again = look()
    assert not identities[0].same_as(identities[1])
    words = f"{again:.2f} s ({first:.1f} s the first time)"
    what = f"start until a changed image among {count:,} is known"
    return Row(what, "≤ 2 s", words, again <= 2, {"seconds": again, "first_seconds": first})


def rows(rounds: int, share: float) -> Iterator[Row]:
    """Measure one row after the other."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUI_LATENT_DATA"] = str(Path(folder, "cache"))
        for side in STEPS:
            yield steps(Path(folder), side, rounds)
        yield memory(Path(folder), share)
        yield start_with_a_change(Path(folder), share)
        for side in DECODED:
            yield decoding(Path(folder), side, share, rounds)


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="of each comparison")
    parser.add_argument("--share", type=float, default=1.0, help="of images, files and bytes")
    parser.add_argument("--train-on", nargs=2, metavar=("FILE", "BYTES"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.train_on:
        train_on_sparse_file(Path(asked.train_on[0]), int(asked.train_on[1]))
        return
    use_all_cores()
    command = f"python -m benchmarks.data_store --rounds {asked.rounds} --share {asked.share:g}"
    save("data_store", command, rows(asked.rounds, asked.share))


if __name__ == "__main__":
    main()
