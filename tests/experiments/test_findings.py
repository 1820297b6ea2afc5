"""Studies of findings: what is trained, what is kept, what the tables say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from experiments.findings import trials
from experiments.findings.__main__ import main
from experiments.findings.conv_autoencoder import lda_accuracy
from experiments.findings.finished import Counts, Finished, Space, some_rows
from experiments.findings.measures import knn, knn_of_run, knn_references, nearest_mean
from experiments.findings.section import section
from experiments.findings.studies import STUDIES
from experiments.findings.study import INPUTS, Choice, Column, Comparison, Study, Variant
from experiments.findings.trials import Trial
from tui_latent.config.presets import load_preset, parse_override
from tui_latent.datasets.sources import load_dataset

QUICK = ("method.width=2", "method.hidden_dim=8", "train.epochs=1", "data.per_class=10")
STUDY = Study(
    heading="Triplets",
    about="Two margins.",
    variants=(
        Variant("narrow", "digits-triplet-2d", ("method.margin=0.5",)),
        Variant("wide, 2", "digits-triplet-2d", ("method.margin=2",)),
    ),
    measure=knn_of_run,
    references=knn_references,
    columns=(Column("knn_1", "kNN@1"), Column("knn_20", "kNN@20", 2)),
    subset=("data.val_fraction=0.1", *QUICK),
    comparisons=(Comparison("wide against narrow", "0.9", "wide, 2", "narrow", "knn_20"),),
    choices=(Choice("margin", ("narrow", "wide, 2"), "knn_20"),),
)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "experiments" / "results" / "findings"
    monkeypatch.setattr(trials, "RESULTS", folder)
    return folder


def space(seed: int, dimensions: int = 4, images: int = 90) -> Space:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(images) % 5
    centres = torch.randn(5, dimensions, generator=generator)
    latents = centres[labels] + torch.randn(images, dimensions, generator=generator)
    half = images // 2
    return Space(latents[:half], labels[:half], latents[half:], labels[half:])


@pytest.mark.parametrize("seed", range(4))
def test_measures_are_those_of_scikit_learn(seed: int) -> None:
    of = space(seed)
    bank, labels = of.bank.double().numpy(), of.bank_labels.numpy()
    queries, truth = of.queries.double().numpy(), of.query_labels.numpy()
    found = knn(of)
    for k in (1, 5, 20):
        theirs = KNeighborsClassifier(k).fit(bank, labels).score(queries, truth)
        assert found[f"knn_{k}"] == pytest.approx(theirs)
    assert nearest_mean(of) == pytest.approx(
        NearestCentroid().fit(bank, labels).score(queries, truth)
    )


@pytest.mark.parametrize("seed", range(4))
def test_overlap_in_an_lda_is_what_its_own_decision_mistakes(seed: int) -> None:
    of = space(seed, dimensions=6)
    bank, labels = of.bank.double().numpy(), of.bank_labels.numpy()
    queries = of.queries.double().numpy()
    # In all its dimensions an LDA with equal classes decides by the nearest mean of its own space.
    whole = LinearDiscriminantAnalysis(priors=[0.2] * 5).fit(bank, labels)
    theirs = float(np.mean(whole.predict(queries) == of.query_labels.numpy()))
    assert lda_accuracy(of, 4) == pytest.approx(theirs)
    assert lda_accuracy(of, 2) <= 1


def test_a_study_goes_on_where_it_stopped(results: Path, tmp_path: Path) -> None:
    runs, counts = tmp_path / "runs", Counts(test=50)
    runs.mkdir()
    first, second = trials.missing(STUDY, False, 1, [])
    assert [first[1], second[1]] == [0, 0]
    made = trials.run(STUDY, *first_of(first), runs, counts)
    assert [trial.variant for trial in made] == ["narrow", "untrained network", "pixels"]
    assert made[0].validation and made[0].test != made[1].test
    trials.save("t", False, "python -m experiments.findings t", made)
    assert trials.read("t", False) == made
    left = list(trials.missing(STUDY, False, 2, trials.read("t", False)))
    assert [(variant.label, seed) for variant, seed in left] == [
        ("wide, 2", 0),
        ("narrow", 1),
        ("wide, 2", 1),
    ]
    again = trials.run(STUDY, *first_of(first), runs, counts)
    assert again[0].test == made[0].test, "the finished run is measured, not trained again"
    changed = replace(STUDY, subset=(*STUDY.subset, "train.lr=0.1"))
    assert len(list(trials.missing(changed, False, 1, made))) == 2
    with pytest.raises(SystemExit, match="other settings"):
        trials.run(changed, *first_of(first), runs, counts)


def test_networks_of_different_shapes_have_an_untrained_row_each(
    results: Path, tmp_path: Path
) -> None:
    one, two = STUDY.variants
    study = replace(
        STUDY,
        variants=(
            replace(one, untrained="2-D"),
            replace(two, changes=("method.latent_dim=3",), untrained="3-D"),
        ),
    )
    assert study.rows()[2:] == ["untrained network, 2-D", "untrained network, 3-D", "pixels"]
    made: list[Trial] = []
    for variant, seed in trials.missing(study, False, 1, []):
        made += trials.run(study, variant, False, seed, tmp_path, Counts(test=50))
    assert [t.variant for t in made if t.variant == "pixels"] == ["pixels"], "these are the same"
    assert {t.variant for t in made} == set(study.rows())
    assert not list(trials.missing(study, False, 1, made))
    without = [t for t in made if t.variant != "untrained network, 3-D"]
    assert [v.label for v, _ in trials.missing(study, False, 1, without)] == ["wide, 2"]


def test_pixels_that_were_measured_once_are_the_same_for_every_seed(results: Path) -> None:
    against = Comparison("a", "–", "narrow", INPUTS, "knn_20", None)
    study = replace(STUDY, comparisons=(against,), choices=())
    values = [("narrow", s, v) for s, v in enumerate((0.5, 0.6, 0.7))] + [("pixels", 0, 0.9)]
    kept = [Trial(label, s, "c", {}, {"knn_20": v}, date="2026-01-02") for label, s, v in values]
    trials.save("t", False, "c", kept)
    half = 4.3027 * 0.1 / np.sqrt(3)
    words = f"| -0.300 [{-0.3 - half:+.3f}, {-0.3 + half:+.3f}] |"
    assert words in section("t", study) and "| 3 | smaller |" in section("t", study)


def first_of(asked: tuple[Variant, int]) -> tuple[Variant, bool, int]:
    return asked[0], False, asked[1]


def test_validation_and_test_images_are_others(tmp_path: Path) -> None:
    path = trials.trained(STUDY, STUDY.variants[0], False, 0, tmp_path)
    run = Finished(path, Counts(test=40))
    train, val = run.dataset.train, run.dataset.val
    whole = load_dataset(load_preset("digits-triplet-2d").data, 0)
    held_out = {bytes(image.numpy()) for image in val.images}
    assert not held_out & {bytes(image.numpy()) for image in train.images}
    assert len(run.test_rows) == 40 and len(run.test().queries) == 40
    assert torch.equal(run.source.val.images, whole.val.images)
    seen = run.method.embed(run.dataset.inputs(run.source.val, run.test_rows))
    assert torch.allclose(run.test().queries, seen, atol=1e-5)


def test_the_same_test_images_are_drawn_for_every_run() -> None:
    images = load_dataset(load_preset("digits-triplet-2d").data, 0).val
    assert torch.equal(some_rows(images, 30), some_rows(images, 30))
    assert len(set(some_rows(images, 30).tolist())) == 30
    assert torch.equal(some_rows(images, 0), torch.arange(len(images)))


def test_the_section_shows_means_intervals_and_what_was_chosen(results: Path) -> None:
    values = {"narrow": (0.5, 0.6, 0.7), "wide, 2": (0.6, 0.7, 0.81)}
    kept = [
        Trial(
            label,
            seed,
            "tui-latent train",
            validation={"knn_20": value - 0.1},
            test={"knn_1": value, "knn_20": value},
            date="2026-01-02",
            device="cpu 1 threads",
        )
        for label, found in values.items()
        for seed, value in enumerate(found)
    ]
    trials.save("t", False, "python -m experiments.findings t --seeds 3", kept)
    words = section("t", STUDY)
    assert "| narrow | 0.600 ± 0.100 | 0.60 ± 0.10 | 3 | – |" in words
    low, high = 0.1033 - 0.0143, 0.1033 + 0.0143  # 4.3027 x 0.005774 / sqrt(3), Student's t
    assert f"| +0.103 [{low:+.3f}, {high:+.3f}] |" in words and "| 3 | shown |" in words
    assert "| margin | wide, 2 | `knn_20` | 0.603 | 0.703 ± 0.105 |" in words
    assert "At the published size: not run." in words
    assert "[t.json](../experiments/results/findings/t.json)" in words


def test_a_seed_that_only_one_variant_has_counts_in_no_difference(results: Path) -> None:
    kept = [
        Trial(label, seed, "c", value, value, date="2026-01-02")
        for label, seeds in (("narrow", (0, 1, 2)), ("wide, 2", (0, 2)))
        for seed in seeds
        for value in ({"knn_20": 0.5 + seed / 10},)
    ]
    trials.save("t", False, "c", kept)
    assert "| +0.000 [+0.000, +0.000] | 1.000 | 2 | not shown |" in section("t", STUDY)


def test_a_study_that_was_not_run_says_how_to(results: Path) -> None:
    words = section("t", STUDY)
    assert "On a subset: not run. `python -m experiments.findings t --seeds 5`" in words
    assert "--full" in words and "|" not in words


@pytest.mark.parametrize("full", [False, True], ids=["subset", "full"])
@pytest.mark.parametrize("name", list(STUDIES))
def test_every_variant_can_be_trained(name: str, full: bool) -> None:
    study = STUDIES[name]
    labels = study.rows()
    names = {trials.run_name(label, 0) for label in study.labels()}
    assert len(names) == len(study.variants), "each has a folder of its own"
    for variant in study.variants:
        preset = study.preset(variant, full)
        changes = dict(map(parse_override, study.settings(variant, full)))
        assert load_preset(preset, changes).method.name
    compared = [label for c in study.comparisons for label in (c.first, c.second)]
    assert set(compared) <= set(labels)
    assert {label for choice in study.choices for label in choice.among} <= set(labels)


@pytest.mark.parametrize("name", list(STUDIES))
def test_results_that_are_kept_have_what_their_tables_show(name: str) -> None:
    for full in (False, True):
        for trial in trials.read(name, full):
            assert trial.variant in STUDIES[name].rows()
            assert trial.test and trial.date and json.dumps(trial.test)


def test_what_is_left_is_said_without_training(results: Path) -> None:
    kept = [Trial("2-D", 0, "other", {}, {"knn_1": 1.0}, cpu_seconds=600, date="2026-01-02")]
    trials.save("triplets", False, "c", kept)
    done = CliRunner().invoke(main, ["triplets", "--left", "--seeds", "2"])
    command = "python -m experiments.findings triplets --seeds 2"
    assert done.output == f"{command}: 4 trials left, about 40 CPU minutes\n"
