"""What neighbourhoods say of held-out images, against plain loops and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from tui_latent.analysis import InspectionError
from tui_latent.analysis.neighbourhoods import K, Space
from tui_latent.runs.schema import LatentMap

NAMES = ("a", "b", "c")


def latent_map(points: np.ndarray, labels: np.ndarray, step: int = 10) -> LatentMap:
    names = NAMES[: int(labels.max(initial=0)) + 1]
    return LatentMap(step, points.astype(np.float32), np.arange(len(points)), labels, names)


def made(dimensions: int = 5, count: int = 120, bank: int = 400) -> Space:
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 3, count)
    bank_labels = generator.integers(0, 3, bank)
    centres = generator.normal(size=(3, dimensions)) * 2
    points = (centres[labels] + generator.normal(size=(count, dimensions))).astype(np.float32)
    voters = (centres[bank_labels] + generator.normal(size=(bank, dimensions))).astype(np.float32)
    return Space(
        latent_map(points[:, :2], labels),
        torch.from_numpy(points),
        torch.from_numpy(voters),
        torch.from_numpy(bank_labels),
    )


def test_votes_are_scikit_learns() -> None:
    space = made()
    knn = KNeighborsClassifier(K).fit(space.bank.numpy(), space.bank_labels.numpy())
    assert space.votes.tolist() == knn.predict(space.points.numpy()).tolist()
    index = 17
    share = knn.predict_proba(space.points[index : index + 1].numpy()).max()
    facts = space.facts(index, 4)
    assert facts.votes == round(share * K) and facts.voters == K
    assert facts.vote == space.votes[index] and facts.label == space.map.labels[index]


def test_on_a_map_the_other_images_vote_and_the_image_itself_does_not() -> None:
    points = np.array([[0, 0], [0.1, 0], [0, 0.1], [5, 5], [5.1, 5], [5, 5.1]])
    labels = np.array([1, 0, 0, 1, 1, 1])
    space = Space(latent_map(points, labels), torch.from_numpy(points).float(), None, None)
    expected = []
    for own in range(6):
        others = [label for index, label in enumerate(labels.tolist()) if index != own]
        expected.append(min((0, 1), key=lambda label: -others.count(label)))
    assert space.votes.tolist() == expected, "with five others, all of them vote"
    assert space.is_map and space.voters == "held-out images on the map"


def test_nearest_and_most_distant_are_those_of_the_latents() -> None:
    space = made()
    wide = space.points.double().numpy()
    for index in (0, 50, 119):
        distances = [float(np.linalg.norm(row - wide[index])) for row in wide]
        order = sorted((i for i in range(120) if i != index), key=lambda i: distances[i])
        facts = space.facts(index, 6)
        assert facts.nearest.indices.tolist() == order[:6]
        assert facts.distant.indices.tolist() == order[::-1][:6]
        np.testing.assert_allclose(facts.nearest.distances, [distances[i] for i in order[:6]])


def test_neighbours_that_the_map_shows_elsewhere_are_marked() -> None:
    generator = np.random.default_rng(0)
    line = np.arange(100.0)
    latents = np.stack([line, generator.normal(size=100) * 0.01, np.zeros(100)], axis=1)
    points = latents[:, :2].copy()
    points[42] = (1000.0, 1000.0)  # near 41 and 43 in the latents, not on the map
    labels = np.zeros(100, np.int64)
    shown = latent_map(points, labels)
    space = Space(shown, torch.from_numpy(latents).float(), torch.from_numpy(latents).float(),
                  torch.from_numpy(labels))  # fmt: skip
    facts = space.facts(41, 2)
    far = dict(zip(facts.nearest.indices.tolist(), facts.nearest.far_on_map.tolist(), strict=True))
    assert far == {40: False, 42: True}


def test_thinner_is_the_share_of_images_in_thinner_places() -> None:
    space = made()
    voters = space.bank.double().numpy()
    means = []
    for row in space.points.double().numpy():
        distances = sorted(float(np.linalg.norm(voter - row)) for voter in voters)
        means.append(sum(distances[:K]) / K)
    np.testing.assert_allclose(space.anomaly_score, means, rtol=1e-4)
    index = int(np.argsort(means)[30])
    assert space.facts(index, 1).thinner == pytest.approx((120 - 31) / 120, abs=1e-9)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_very_few_images_have_what_there_is(count: int) -> None:
    points = np.arange(2.0 * count).reshape(count, 2)
    space = Space(latent_map(points, np.zeros(count, np.int64)), torch.from_numpy(points).float(),
                  None, None)  # fmt: skip
    facts = space.facts(0, 8)
    assert len(facts.nearest.indices) == count - 1
    assert facts.vote == 0 and facts.voters == count - 1
    assert len(space.clusters) == len(space.local_spacing) == len(space.anomaly_score) == count


def test_latents_that_are_all_equal_are_one_cluster() -> None:
    points = np.ones((30, 2))
    labels = np.arange(30) % 3
    space = Space(latent_map(points, labels), torch.from_numpy(points).float(), None, None)
    assert set(space.clusters.tolist()) == {0}
    assert (space.local_spacing == 0).all()
    facts = space.facts(4, 3)
    assert facts.nearest.distances.tolist() == [0, 0, 0] and facts.thinner == 0


def test_latents_that_are_not_finite_are_named() -> None:
    points = np.ones((30, 2))
    points[3] = np.nan
    space = Space(latent_map(points, np.zeros(30, np.int64)), torch.from_numpy(points).float(),
                  None, None)  # fmt: skip
    with pytest.raises(InspectionError, match=r"step 10.*not finite"):
        space.facts(0, 3)
