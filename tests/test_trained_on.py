"""A run knows its images: resumed, evaluated and looked at with no others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tui_latent.analysis import InspectionError, RunData, RunInspector
from tui_latent.analysis.evaluate import evaluate_run
from tui_latent.analysis.neighbourhoods import images_of
from tui_latent.cli.main import main
from tui_latent.config.presets import parse_preset
from tui_latent.launch.start import create_run, train_run
from tui_latent.reports.samples import collect_samples
from tui_latent.runs.reader import RunReader
from tui_latent.trained_on import IMAGES_FILE, accept_changed_images

SMALL = {"epochs": 2, "batch_size": 20, "precision": "float32", "device": "cpu"}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "mine.npz"
    write(path)
    return path


def write(path: Path, images: int = 60, seed: int = 0) -> None:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (images, 8, 8), np.uint8)
    np.savez(path, x_train=pixels, y_train=np.arange(images) % 3)


def make(runs: Path, archive: Path, method: str = "autoencoder") -> Path:
    data = {"source": "arrays", "path": str(archive)}
    settings: dict[str, object] = {"name": method, "latent_dim": 2}
    if method == "autoencoder":
        settings |= {"width": 4, "hidden_dim": 16}
    table = {"data": data, "method": settings, "train": SMALL}
    return create_run("mine", parse_preset(table, {}, where="test"), runs, "mine")


def longer(run: Path, epochs: int) -> None:
    path = run / "preset.toml"
    path.write_text(path.read_text().replace("\nepochs = 2", f"\nepochs = {epochs}"))


@pytest.fixture
def run(tmp_path: Path, archive: Path) -> Path:
    path = make(tmp_path / "runs", archive)
    assert train_run(path).state == "finished"
    return path


def test_a_resume_refuses_other_images_and_says_what_has_changed(run: Path, archive: Path) -> None:
    longer(run, 4)
    write(archive, images=75)
    before = (run / "metrics.jsonl").read_bytes()
    status = train_run(run)
    said = "training images: 15 images added"
    assert status.state == "failed" and said in (status.error or "")
    assert "the run had 60" in (status.error or "")
    assert said in (run / "train.log").read_text()
    assert (run / "metrics.jsonl").read_bytes() == before
    write(archive)
    assert train_run(run).state == "finished", "with the images back it goes on"


def test_the_command_that_the_refusal_names_goes_on(run: Path, archive: Path) -> None:
    longer(run, 4)
    write(archive, images=75)
    refused = train_run(run).error or ""
    words = refused[refused.index("tui-latent resume") :].split()[1:]
    done = CliRunner().invoke(main, [*words, "--runs", str(run.parent), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["state"] == "finished"
    assert "as accepted" in (run / "train.log").read_text()


def test_accepting_is_for_one_change(run: Path, archive: Path) -> None:
    accept_changed_images(run)
    assert train_run(run).state == "finished"
    write(archive, seed=1)
    assert train_run(run).state == "failed"


@pytest.mark.parametrize("seed", [1, 2])
def test_no_other_image_is_shown_for_a_point(run: Path, archive: Path, seed: int) -> None:
    write(archive, seed=seed)  # as many, with the same labels
    source = RunData(run)
    for look in (
        source.dataset,
        source.matching_latents,
        lambda: RunInspector(run, source).image(0),
        lambda: images_of(source, np.array([0])),
    ):
        with pytest.raises(InspectionError, match=r"training images: 60 changed .* had 60"):
            look()
    samples = collect_samples(run, 3, 0)
    assert isinstance(samples.neighbours, str) and "60 changed" in samples.neighbours
    found = evaluate_run(run, outliers="digits")
    assert "60 changed" in found["missing"]["outliers"] and found["knn_held_out"]


def test_points_of_before_an_accepted_change_have_no_images(run: Path, archive: Path) -> None:
    steps = RunReader(run).refresh().map_steps
    write(archive, seed=1)
    longer(run, 4)
    accept_changed_images(run)
    assert train_run(run).state == "finished"
    later = [step for step in RunReader(run).refresh().map_steps if step > steps[-1]]
    source = RunData(run)
    assert len(images_of(source, np.array([0]), later[-1])) == 1
    source.matching_latents()
    for step in steps:
        with pytest.raises(InspectionError, match="was trained on other images"):
            images_of(source, np.array([0]), step)


def test_an_open_explorer_takes_up_the_accepted_images(run: Path, archive: Path) -> None:
    source = RunData(run)
    old = source.dataset().val.images.clone()
    write(archive, seed=1)
    longer(run, 4)
    accept_changed_images(run)
    train_run(run)
    assert not source.dataset().val.images.equal(old)


def test_a_method_without_steps_knows_its_images(tmp_path: Path, archive: Path) -> None:
    path = make(tmp_path / "runs", archive, "eigenmaps")
    assert train_run(path).state == "finished"
    write(archive, seed=1)
    assert "60 changed" in (train_run(path).error or "")
    accept_changed_images(path)
    assert train_run(path).state == "finished"
    RunData(path).matching_latents()


def test_a_run_that_has_learnt_nothing_takes_the_images_there_are(
    tmp_path: Path, archive: Path
) -> None:
    path = make(tmp_path / "runs", archive)
    archive.rename(archive.with_name("aside.npz"))
    assert train_run(path).state == "failed"
    write(archive, seed=5)
    assert train_run(path).state == "finished"


def test_a_run_of_before_has_nothing_to_compare(run: Path, archive: Path) -> None:
    (run / IMAGES_FILE).unlink()
    write(archive, seed=1)
    RunData(run).matching_latents()
    longer(run, 4)
    assert train_run(run).state == "finished"
    assert "were not recorded" in (run / "train.log").read_text()


def test_a_damaged_note_vouches_for_nothing(run: Path) -> None:
    (run / IMAGES_FILE).write_bytes((run / IMAGES_FILE).read_bytes()[:-40])
    with pytest.raises(InspectionError, match=r"images\.npz: damaged .* delete it"):
        RunData(run).dataset()
    assert "images.npz: damaged" in (train_run(run).error or "")
    (run / IMAGES_FILE).unlink()
    assert train_run(run).state == "finished"


def test_neighbours_of_an_earlier_run_are_of_the_same_images(run: Path, archive: Path) -> None:
    method = {"name": "vicreg", "latent_dim": 2, "width": 4, "hidden_dim": 16, "projector": [8]}
    table = {
        "data": {"source": "arrays", "path": str(archive)},
        "method": method | {"views": "neighbours", "neighbours_run": "latest", "neighbours": 2},
        "train": SMALL,
    }
    preset = parse_preset(table, {}, where="test")
    path = create_run("mine", preset, run.parent, "second")
    assert train_run(path).state == "finished", "`latest` stays the run that it was"
    write(archive, seed=1)
    other = train_run(create_run("mine", preset, run.parent, "third"))
    assert "second was trained on other images" in (other.error or "")
