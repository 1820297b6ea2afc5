"""The race to a held-out accuracy: what is judged, what a proof says, and how it is checked."""

from __future__ import annotations

import json
import pickle
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from benchmarks import tables
from benchmarks.speedrun import __main__ as command
from benchmarks.speedrun import proof as proofs
from benchmarks.speedrun.divisions import DIVISIONS, LEAST_SEEDS, RACES
from benchmarks.speedrun.images import NoImagesError, digest, read_images, read_labels
from benchmarks.speedrun.judge import EntryError, judged
from benchmarks.speedrun.worker import load_entry

ENTRY = """
import numpy as np

def train(images, *, seed, device):
    assert images.shape[1:] == (3, 32, 32) and device == "cpu"
    noise = np.random.default_rng(seed).normal(0, 1e-3, 3)

    def encode(seen):
        return seen.mean((2, 3)) / 255 + noise

    return encode
"""
"""the mean colour of an image, which the made images' classes differ in"""


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """CIFAR-10's own files with few images, whose classes differ in their colour."""
    random = np.random.default_rng(0)
    folder = tmp_path / "data" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for name in (*(f"data_batch_{part}" for part in range(1, 6)), "test_batch"):
        labels = random.permutation(np.repeat(np.arange(10), 8))
        values = 20 * labels[:, None] + random.integers(0, 30, (80, 3072))
        content = {b"data": values.astype(np.uint8), b"labels": labels.tolist()}
        (folder / name).write_bytes(pickle.dumps(content))
    monkeypatch.setenv("TUI_LATENT_DATA", str(folder.parent))
    return folder


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    """An entry in a folder of its own, as someone else would bring it."""
    (tmp_path / "entry").mkdir()
    file = tmp_path / "entry" / "colour.py"
    file.write_text(ENTRY)
    return file


@pytest.fixture
def committed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A repository without changes that contains the entry."""
    monkeypatch.setattr(proofs, "_git", lambda *words: "abc" if words[0] == "rev-parse" else "")
    monkeypatch.setattr(proofs, "REPOSITORY", tmp_path)


def ran(*words: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["speedrun", *words])
    return command.main()


def test_the_vote_is_that_of_a_plain_loop(images: Path) -> None:
    division = DIVISIONS["wide"]
    latents = {
        split: read_images(division, split).mean((2, 3)).astype(np.float32)
        + np.random.default_rng(1).normal(0, 9, (len(read_labels(division, split)), 3)).astype("f4")
        for split in ("train", "test")
    }
    right = 0
    bank, labels = latents["train"].astype(np.float64), read_labels(division, "train")
    for query, truth in zip(latents["test"], read_labels(division, "test"), strict=True):
        nearest = ((bank - query) ** 2).sum(1).argsort()[:20]
        votes = Counter(labels[nearest].tolist())
        most = max(votes.values())
        right += min(name for name, count in votes.items() if count == most) == truth
    assert judged("wide", latents) == pytest.approx(right / len(latents["test"]))
    assert 0.2 < judged("wide", latents) < 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda z: z[:-1], "rows of at most 512"),
        (lambda z: np.zeros((len(z), 513), np.float32), "rows of at most 512"),
        (lambda z: z * np.float32("nan"), "not all finite"),
    ],
    ids=["a row is missing", "too wide", "not finite"],
)
def test_latents_that_cannot_be_judged_are_refused(images: Path, change: Any, said: str) -> None:
    latents = {
        split: read_images(DIVISIONS["wide"], split).mean((2, 3)).astype(np.float32)
        for split in ("train", "test")
    }
    with pytest.raises(EntryError, match=said):
        judged("wide", latents | {"test": change(latents["test"])})


def test_the_order_of_the_images_tells_nothing_of_their_classes(tmp_path: Path) -> None:
    folder = tmp_path / "cifar10-jpeg"
    for split, count in (("train", 30), ("test", 10)):
        for label, name in enumerate(("cat", "dog", "ship")):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                colour = (80 * label, 10 + number, 0)
                file = folder / split / name / f"{number:04}.jpg"
                Image.new("RGB", (32, 32), colour).save(file, quality=95)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUI_LATENT_DATA", str(tmp_path))
        division = DIVISIONS["small"]
        labels = read_labels(division, "train")
        seen = read_images(division, "train")
        assert seen.shape == (90, 3, 32, 32) and seen.dtype == np.uint8
        assert (np.round(seen[:, 0].mean((1, 2)) / 80) == labels).all()
        changes = int((labels[1:] != labels[:-1]).sum())
        assert changes > 40  # listed class by class, there would be two
        patch.setenv("TUI_LATENT_DATA", str(tmp_path / "elsewhere"))
        with pytest.raises(NoImagesError, match="set TUI_LATENT_DATA"):
            read_images(division, "train")


def test_a_rehearsal_never_reads_the_test_images(images: Path) -> None:
    def seen(name: str, split: str) -> set[bytes]:
        return {image.tobytes() for image in read_images(DIVISIONS[name], split)}

    whole = seen("wide", "train")
    (images / "test_batch").unlink()
    fitted, judged_on = (seen("wide-rehearsal", split) for split in ("train", "test"))
    assert fitted | judged_on == whole and not fitted & judged_on
    assert len(judged_on) == len(whole) // 5
    assert len(read_labels(DIVISIONS["wide-rehearsal"], "test")) == len(judged_on)
    results = [{"knn": 0.9, "seconds": 1.0} for _ in range(LEAST_SEEDS)]
    said = proofs.summary("wide-rehearsal", results, "clean")
    assert said["verdict"] == "not reached" and said["why"] == "a rehearsal proves nothing"


def test_a_batch_that_would_run_code_is_refused(images: Path) -> None:
    (images / "test_batch").write_bytes(pickle.dumps({b"data": print}))
    with pytest.raises(pickle.UnpicklingError, match="has no place"):
        read_images(DIVISIONS["wide"], "test")


def test_the_lower_bound_is_that_of_a_t_test() -> None:
    scores = [0.81, 0.83, 0.80, 0.82, 0.85]
    bound = proofs.lower_bound(scores)
    # At its own lower bound a one-sided test has a p of exactly 0.05.
    assert stats.ttest_1samp(scores, bound, alternative="greater").pvalue == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("scores", "tree", "verdict", "why"),
    [
        ([0.81, 0.82, 0.83, 0.82, 0.81], "clean", "reached", "at least 0.80"),
        ([0.80, 0.81, 0.79, 0.80, 0.81], "clean", "not reached", "below the bar"),
        ([0.85, 0.86, 0.87, 0.86], "clean", "not reached", "5 seeds are needed"),
        ([0.81, 0.82, 0.83, 0.82, 0.81], "changed", "not reached", "commit your changes"),
    ],
    ids=["reached", "mean above, bound below", "too few seeds", "uncommitted"],
)
def test_the_verdict_follows_from_all_seeds(
    scores: list[float], tree: str, verdict: str, why: str
) -> None:
    results = [{"knn": score, "seconds": 2.0} for score in scores]
    said = proofs.summary("wide", results, tree)
    assert said["verdict"] == verdict and why in said["why"]


@pytest.mark.slow
def test_a_race_is_proved_and_the_proof_holds(
    images: Path,
    entry: Path,
    committed: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "proof.json"
    words = ("--division", "wide", "--entry", str(entry), "--out", str(out))
    assert ran(*words, monkeypatch=monkeypatch) == 0
    proof = json.loads(out.read_text())
    assert proof["summary"]["verdict"] == "reached"
    assert [result["seed"] for result in proof["results"]] == list(range(LEAST_SEEDS))
    assert all(result["seconds"] > result["cpu_seconds"] * 0.1 > 0 for result in proof["results"])
    assert {"hardware", "versions", "date", "device"} <= proof.keys()
    assert len({result["latents_sha256"] for result in proof["results"]}) == LEAST_SEEDS
    assert ran("--verify", str(out), monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert "The proof holds (its first seed was trained again). Verdict: reached." in said


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("bar",), 0.1, "bar is not that of the division"),
        (("rules",), 0, "version 0 of the rules"),
        (("division",), "map", "bar|dimension|images|entry"),
        (("results", 0, "knn"), 0.99, "do not follow from its results"),
        (("results", 0, "dimension"), 600, "600 dimensions"),
        (("results", 0, "seconds"), -1, "impossible"),
        (("results", 0, "seed"), 7, "must not be chosen"),
        (("summary", "verdict"), "won", "do not follow from its results"),
        (("images_sha256",), "0", "other images"),
        (("source", "entry_sha256"), "0", "entry differs .*git checkout abc"),
        (("source", "judge_sha256"), "0", "judge differs .*git checkout abc"),
        (("results", 0), {}, "not a proof"),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_what_was_changed_in_a_proof_is_found(
    images: Path, entry: Path, committed: None, path: tuple[Any, ...], value: Any, said: str
) -> None:
    results = [
        {"seed": seed, "knn": 0.9 + seed / 100, "seconds": 1.0, "dimension": 3}
        for seed in range(LEAST_SEEDS)
    ]
    source = proofs.source(entry)
    proof: dict[str, Any] = {
        "rules": proofs.RULES,
        "division": "wide",
        "bar": 0.80,
        "neighbours": 20,
        "images_sha256": digest(DIVISIONS["wide"]),
        "source": source,
        "results": results,
        "summary": proofs.summary("wide", results, source["tree"]),
    }
    known = str(proof["images_sha256"])
    assert proofs.faults(proof, known) == []
    *parts, last = path
    place: Any = proof
    for part in parts:
        place = place[part]
    place[last] = value
    found = " ".join(proofs.faults(proof, known))
    assert re.search(said, found), found


@pytest.mark.slow
def test_an_entry_that_does_not_train_as_it_says_is_found(
    images: Path,
    entry: Path,
    committed: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The file is right in itself, but nobody else gets its numbers."""
    out = tmp_path / "proof.json"
    words = ("--division", "wide", "--entry", str(entry), "--out", str(out), "--seeds", "1")
    assert ran(*words, monkeypatch=monkeypatch) == 1  # one seed proves nothing
    proof = json.loads(out.read_text())
    proof["results"][0]["knn"] -= 0.1
    proof["summary"] = proofs.summary("wide", proof["results"], proof["source"]["tree"])
    out.write_text(json.dumps(proof))
    assert ran("--verify", str(out), "--without-training", monkeypatch=monkeypatch) == 0
    assert ran("--verify", str(out), monkeypatch=monkeypatch) == 1
    assert "seed 0 differs by more than 0.02" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("raise SystemExit(3)", "colour.py ended with exit code 3, seed 0"),
        ("raise SystemExit(0)", "colour.py ended before it returned an encoder, seed 0"),
        ("return lambda seen: seen.reshape(len(seen), -1)[:, :513]", "at most 512 numbers"),
        (None, "there is no entry"),
    ],
    ids=["fails", "ends", "too wide", "missing"],
)
def test_an_entry_that_fails_ends_the_race_with_a_sentence(
    images: Path,
    entry: Path,
    content: str | None,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    entry.unlink()
    if content is not None:
        entry.write_text(f"def train(images, *, seed, device):\n    {content}\n")
    assert ran("--division", "wide", "--entry", str(entry), monkeypatch=monkeypatch) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "[]", "{}", None], ids=["cut", "list", "empty", "none"])
def test_what_is_no_proof_is_refused(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "proof.json"
    if content is not None:
        file.write_text(content)
    assert ran("--verify", str(file), monkeypatch=monkeypatch) == 2


@pytest.mark.parametrize("name", list(RACES))
def test_our_entries_are_there_and_their_presets_are_valid(name: str) -> None:
    from tui_latent.config.presets import load_preset

    file = command.ENTRIES / DIVISIONS[name].entry
    assert callable(load_entry(file))
    preset = load_preset(str(file.with_suffix(".toml")))
    if name.endswith("map"):
        assert preset.method.latent_dim == 2
    assert not preset.method.supervised


@pytest.mark.slow
def test_our_entry_trains_without_labels() -> None:
    """Two steps of the small network on noise: finite features, as many as the race allows."""
    from benchmarks.speedrun.entries import from_preset
    from tui_latent.config.presets import load_preset

    file = command.ENTRIES / "small.toml"
    noise = np.random.default_rng(0).integers(0, 256, (64, 3, 32, 32), np.uint8)
    short = load_preset(str(file), {"train.batch_size": 32, "train.epochs": 1, "method.width": 2})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(from_preset, "load_preset", lambda path, changes: short)
        encode = from_preset.trained(noise, file, 0, "cpu", "backbone")
    latents = encode(noise[:10])
    assert latents.shape[0] == 10 and latents.shape[1] <= DIVISIONS["small"].widest
    assert np.isfinite(latents).all()


def test_the_table_has_a_row_for_each_division_and_the_commands_that_are_left(
    tmp_path: Path,
) -> None:
    results = [
        {"seed": seed, "knn": 0.45, "seconds": 60.0, "cpu_seconds": 30.0, "dimension": 9}
        for seed in range(LEAST_SEEDS)
    ]
    proof = {
        "device": "cpu",
        "date": "2026-01-01",
        "hardware": {"cpu": "a processor", "cores": 2, "gpu": "none"},
        "versions": {"torch": "2"},
        "source": {"entry": "entry/mine.py", "commit": "0123456789"},
        "results": results,
        "summary": proofs.summary("small", results, "clean"),
    }
    (tmp_path / "speedrun-small.json").write_text(json.dumps(proof))
    rows = tables.proofs(tmp_path).splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(RACES)
    assert "`entry/mine.py` at 0123456" in rows[0] and "a processor, 2 cores, torch 2" in rows[0]
    assert "0.4500 (0.4500), 5 seeds | 60 (30) | reached, 2026-01-01" in rows[0]
    assert "--division wide --device cuda`" in rows[1]
