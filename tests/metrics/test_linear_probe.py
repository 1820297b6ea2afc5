"""The linear probe against scikit-learn's logistic regression on the same standardised latents."""

from __future__ import annotations

import math

import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tui_latent.metrics.linear_probe import (
    PENALTIES,
    chosen_penalty,
    linear_probe,
    published_probe,
)

Split = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


@pytest.fixture(scope="module")
def digits() -> Split:
    """Return pixels and labels of scikit-learn's digits: 1,000 to fit, the rest to ask."""
    x, y = load_digits(return_X_y=True)
    pixels, labels = torch.from_numpy(x).float(), torch.from_numpy(y).long()
    return pixels[:1000], labels[:1000], pixels[1000:], labels[1000:]


@pytest.mark.parametrize(("columns", "penalty"), [(64, 1.0), (64, 50.0), (20, 1.0)])
def test_it_is_the_logistic_regression_of_scikit_learn(
    digits: Split, columns: int, penalty: float
) -> None:
    bank, bank_labels, queries, query_labels = digits
    bank, queries = bank[:, :columns], queries[:, :columns]
    scaler = StandardScaler().fit(bank.double().numpy())
    reference = LogisticRegression(C=1 / penalty, max_iter=5000, tol=1e-8)
    reference.fit(scaler.transform(bank.double().numpy()), bank_labels.numpy())
    expected = reference.score(scaler.transform(queries.double().numpy()), query_labels.numpy())
    found = linear_probe(bank, bank_labels, queries, query_labels, penalty)
    assert found == pytest.approx(expected, abs=1.5 / len(queries))
    assert found == linear_probe(bank, bank_labels, queries, query_labels, penalty)


def test_classes_on_two_sides_of_a_plane_are_read_at_any_scale_and_shift() -> None:
    x = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
    labels = (x[:, 0] > x[:, 1]).long()
    scaled = x * torch.tensor([1e-3, 1e-3, 5.0]) + 100
    assert linear_probe(scaled[:300], labels[:300], scaled[300:], labels[300:]) > 0.95


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("largest", [1.0, 10_225.0, 1e9])
def test_a_small_dimension_is_read_however_large_another_is(
    largest: float, dtype: torch.dtype
) -> None:
    random = torch.Generator().manual_seed(0)
    x, labels = torch.randn(600, 2, generator=random), torch.arange(600) % 2
    small = 0.0026 * (0.2 * x[:, 1] + 2.0 * labels - 1)
    latents = torch.stack([largest * x[:, 0], small], dim=1).to(dtype)
    assert linear_probe(latents[:400], labels[:400], latents[400:], labels[400:]) > 0.98


def test_a_dimension_of_rounding_errors_is_left_out() -> None:
    """Constant but for its last digit, which happens to be the class."""
    labels = torch.arange(400) % 2
    constant = torch.full((400,), 0.3)
    last_digit = torch.where(labels == 1, torch.nextafter(constant, constant + 1), constant)
    noise = torch.randn(400, generator=torch.Generator().manual_seed(3))
    latents = torch.stack([noise, last_digit], dim=1)
    accuracy = linear_probe(latents[:200], labels[:200], latents[200:], labels[200:])
    assert accuracy == pytest.approx(0.5, abs=0.1)


def test_latents_on_one_point_tell_no_more_than_the_commonest_class() -> None:
    labels = torch.tensor([0] * 60 + [1] * 40)
    bank = torch.full((100, 4), 0.3)
    assert linear_probe(bank, labels, bank, labels) == pytest.approx(0.6)


def test_labels_that_do_not_depend_on_the_latents_are_guessed() -> None:
    random = torch.Generator().manual_seed(1)
    x, labels = torch.randn(4000, 2, generator=random), torch.randint(4, (4000,), generator=random)
    accuracy = linear_probe(x[:2000], labels[:2000], x[2000:], labels[2000:])
    assert accuracy == pytest.approx(0.25, abs=0.04)


def test_it_can_be_asked_while_gradients_are_off(digits: Split) -> None:
    bank, bank_labels, queries, query_labels = digits
    with torch.no_grad():
        assert linear_probe(bank, bank_labels, queries, query_labels) > 0.85


def test_latents_that_are_not_finite_are_refused_and_no_queries_are_nan(digits: Split) -> None:
    bank, bank_labels, queries, query_labels = digits
    broken = bank.clone()
    broken[3, 2] = float("nan")
    with pytest.raises(ValueError, match="not finite"):
        linear_probe(broken, bank_labels, queries, query_labels)
    assert math.isnan(linear_probe(bank, bank_labels, queries[:0], query_labels[:0]))


def test_a_penalty_is_strong_where_many_dimensions_are_noise() -> None:
    random = torch.Generator().manual_seed(4)
    labels = torch.arange(1000) % 5
    places = torch.eye(5)[labels] * 1.2
    noisy = torch.cat(
        [places + torch.randn(1000, 5, generator=random), torch.randn(1000, 300, generator=random)],
        1,
    )
    strong = chosen_penalty(noisy[:400], labels[:400])
    assert strong > 1 and strong in PENALTIES
    twins = places.repeat_interleave(3, 1) + 0.01 * torch.randn(1000, 15, generator=random)
    assert chosen_penalty(twins, labels) == PENALTIES[0], "of equally good ones the strongest"


def test_the_penalty_is_that_of_the_best_fit_of_images_held_back(digits: Split) -> None:
    """Whatever it is, no other is much better on images that had no part in it."""
    bank, labels, queries, truth = digits
    found = linear_probe(bank, labels, queries, truth, chosen_penalty(bank, labels))
    best = max(linear_probe(bank, labels, queries, truth, penalty) for penalty in PENALTIES)
    assert found > best - 0.015


def test_a_penalty_for_too_few_images_is_the_usual_one() -> None:
    assert chosen_penalty(torch.zeros(2, 3), torch.tensor([0, 1])) == 1
    with pytest.raises(ValueError, match="not finite"):
        chosen_penalty(torch.full((40, 2), torch.nan), torch.arange(40) % 2)


def test_the_published_probe_depends_on_the_scale_and_the_converged_one_does_not(
    digits: Split,
) -> None:
    bank, labels, queries, truth = digits
    many, of_many = bank.repeat(20, 1), labels.repeat(20)
    large = published_probe(many, of_many, queries, truth, 10)
    small = published_probe(many / 1000, of_many, queries / 1000, truth, 10)
    assert large > 0.7 and small < 0.5
    for factor in (1, 0.001):
        assert linear_probe(factor * bank, labels, factor * queries, truth) > 0.85
    again = published_probe(many, of_many, queries, truth, 10)
    assert large == again, "drawn by a fixed seed"


def test_the_published_probe_is_a_linear_layer_and_adam_word_for_word(digits: Split) -> None:
    bank, labels, queries, truth = digits
    generator = torch.Generator().manual_seed(20_240_229)
    torch.manual_seed(20_240_229)
    layer = torch.nn.Linear(64, 10)
    adam = torch.optim.Adam(layer.parameters(), lr=3e-4)
    for _ in range(10):
        order = torch.randperm(1000, generator=generator)
        for start in range(0, 1000, 256):
            rows = order[start : start + 256]
            loss = torch.nn.CrossEntropyLoss()(layer(bank[rows]), labels[rows])
            adam.zero_grad()
            loss.backward()
            adam.step()
    expected = float((layer(queries).argmax(1) == truth).double().mean())
    with torch.inference_mode():
        assert published_probe(bank, labels, queries, truth, 10) == pytest.approx(expected)
