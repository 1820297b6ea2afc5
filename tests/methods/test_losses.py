"""Loss terms against plain loops in float64, closed forms and numerical gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd import gradcheck

from tui_latent.methods.losses import (
    cauchy_info_nce,
    dot_info_nce,
    gaussian_info_nce,
    gaussian_pairwise,
    gaussian_triplet,
    jeffreys,
    kl_to_standard_normal,
    norm,
    nt_xent,
    pairwise_contrastive,
    reconstruction,
    triplet_margin,
    vicreg_terms,
)

Rows = NDArray[np.float64]


def rows(count: int, width: int, seed: int, scale: float = 1.0) -> Tensor:
    """Return normal random rows in float64."""
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(count, width, generator=generator, dtype=torch.float64)


def squared_distance(u: Rows, v: Rows) -> float:
    return sum((float(p) - float(q)) ** 2 for p, q in zip(u, v, strict=True))


def cosine(u: Rows, v: Rows) -> float:
    dot = sum(float(p) * float(q) for p, q in zip(u, v, strict=True))
    return dot / math.sqrt(squared_distance(u, 0 * u) * squared_distance(v, 0 * v))


def info_nce_loop(
    z_a: Tensor,
    z_b: Tensor,
    similarity: Callable[[Rows, Rows], float],
    decoupled: bool,
    own: slice = slice(None),
) -> float:
    """InfoNCE word for word: for each row, log of the sum over the others, less the positive."""
    z, pairs = torch.cat([z_a, z_b]).double().numpy(), len(z_a)
    total = 0.0
    own_rows = [row for view in (0, pairs) for row in range(view, view + pairs)[own]]
    for i in own_rows:
        positive = (i + pairs) % (2 * pairs)
        others = [j for j in range(2 * pairs) if j != i and not (decoupled and j == positive)]
        terms = [similarity(z[i], z[j]) for j in others]
        largest = max(terms)
        total += largest + math.log(sum(math.exp(term - largest) for term in terms))
        total -= similarity(z[i], z[positive])
    return total / len(own_rows)


def cauchy_similarity(u: Rows, v: Rows) -> float:
    return -math.log1p(squared_distance(u, v))


def kl_loop(mu_1: Rows, logvar_1: Rows, mu_2: Rows, logvar_2: Rows) -> float:
    total = 0.0
    for m_1, l_1, m_2, l_2 in zip(mu_1, logvar_1, mu_2, logvar_2, strict=True):
        total += l_2 - l_1 + (math.exp(l_1) + (m_1 - m_2) ** 2) / math.exp(l_2) - 1
    return float(total / 2)


@pytest.mark.slow
@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("width", [1, 2, 3, 5, 64])
def test_info_nce_equals_the_loop(width: int, decoupled: bool) -> None:
    z_a, z_b = rows(7, width, 1), rows(7, width, 2)
    expected = info_nce_loop(z_a, z_b, cauchy_similarity, decoupled)
    assert cauchy_info_nce(z_a, z_b, decoupled).item() == pytest.approx(expected, rel=1e-12)
    for temperature in (0.07, 0.5, 3.0):
        expected = info_nce_loop(z_a, z_b, lambda u, v: cosine(u, v) / temperature, decoupled)  # noqa: B023
        value = nt_xent(z_a, z_b, temperature, decoupled)
        assert value.item() == pytest.approx(expected, rel=1e-12)
        expected = info_nce_loop(z_a, z_b, lambda u, v: float(u @ v) / temperature, decoupled)  # noqa: B023
        value = dot_info_nce(z_a, z_b, temperature, decoupled)
        assert value.item() == pytest.approx(expected, rel=1e-12, abs=1e-12)
        expected = info_nce_loop(
            z_a,
            z_b,
            lambda u, v: -squared_distance(u, v) / temperature,  # noqa: B023
            decoupled,
        )
        value = gaussian_info_nce(z_a, z_b, temperature, decoupled)
        assert value.item() == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("width", [2, 5])
def test_info_nce_of_a_part_of_the_pairs_compares_their_rows_with_all(
    width: int, decoupled: bool
) -> None:
    z_a, z_b = rows(6, width, 3), rows(6, width, 4)
    losses: list[tuple[Callable[..., Tensor], Callable[[Rows, Rows], float]]] = [
        (partial(cauchy_info_nce, decoupled=decoupled), cauchy_similarity),
        (partial(nt_xent, temperature=0.5, decoupled=decoupled), lambda u, v: 2 * cosine(u, v)),
        (
            partial(dot_info_nce, temperature=0.5, decoupled=decoupled),
            lambda u, v: 2 * float(u @ v),
        ),
        (
            partial(gaussian_info_nce, temperature=0.5, decoupled=decoupled),
            lambda u, v: -2 * squared_distance(u, v),
        ),
    ]
    for (loss, similarity), own in product(losses, (slice(0, 2), slice(2, 3), slice(4, 6))):
        expected = info_nce_loop(z_a, z_b, similarity, decoupled, own)
        assert loss(z_a, z_b, own=own).item() == pytest.approx(expected, rel=1e-12)
        views = [z_a.clone().requires_grad_(), z_b.clone().requires_grad_()]
        assert gradcheck(lambda a, b: loss(a, b, own=own), views)  # noqa: B023


@pytest.mark.parametrize("loss", [cauchy_info_nce, partial(gaussian_info_nce, temperature=1.0)])
def test_a_part_of_the_pairs_needs_only_their_rows(loss: Callable[..., Tensor]) -> None:
    views = [rows(64, 2, seed).requires_grad_() for seed in (5, 6)]
    sizes: list[int] = []

    def kept(x: Tensor) -> Tensor:
        sizes.append(x.numel())
        return x

    with torch.autograd.graph.saved_tensors_hooks(kept, lambda x: x):
        loss(*views, own=slice(16, 24))
    assert max(sizes) == 2 * 8 * 128


def test_unnormalised_similarities_keep_the_lengths_of_latents() -> None:
    z, apart = rows(6, 3, 5), torch.eye(6)
    assert dot_info_nce(3 * apart, 3 * apart, 1.0) < dot_info_nce(apart, apart, 1.0)
    assert dot_info_nce(2 * z, 2 * z, 4.0).item() == pytest.approx(dot_info_nce(z, z, 1.0).item())
    moved = z + 1000
    assert gaussian_info_nce(moved, moved, 1.0).item() == pytest.approx(
        gaussian_info_nce(z, z, 1.0).item(), rel=1e-9
    )


def test_nt_xent_closed_forms() -> None:
    identical = torch.tensor([[3.0, 0.0]]).expand(4, 2)
    assert nt_xent(identical, identical, 0.5).item() == pytest.approx(math.log(7))
    assert nt_xent(identical, identical, 0.5, decoupled=True).item() == pytest.approx(math.log(6))
    orthogonal, scaled = torch.eye(5), 1e6 * torch.eye(5)  # pairs alike, images orthogonal
    expected = math.log(math.exp(2) + 8) - 2
    assert nt_xent(orthogonal, scaled, 0.5).item() == pytest.approx(expected, rel=1e-6)


def test_cauchy_closed_forms() -> None:
    identical = torch.full((4, 2), 1e5)
    assert cauchy_info_nce(identical, identical).item() == pytest.approx(math.log(7))
    assert cauchy_info_nce(identical, identical, decoupled=True).item() == pytest.approx(
        math.log(6)
    )
    z_a = torch.tensor([[0.0], [3.0]])  # each row: its twin at 0, two others at distance 3
    assert cauchy_info_nce(z_a, z_a).item() == pytest.approx(math.log(1 + 2 / 10))


@pytest.mark.parametrize(
    "loss",
    [
        cauchy_info_nce,
        lambda a, b, d: nt_xent(a, b, 0.5, d),
        lambda a, b, d: dot_info_nce(a, b, 0.5, d),
        lambda a, b, d: gaussian_info_nce(a, b, 0.5, d),
    ],
    ids=["cauchy", "nt_xent", "dot", "gaussian"],
)
def test_one_decoupled_pair_only_attracts(loss: Callable[[Tensor, Tensor, bool], Tensor]) -> None:
    z_a = torch.tensor([[1.0, 0.0]], requires_grad=True)
    value = loss(z_a, torch.tensor([[0.5, 0.5]]), True)
    value.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(value)
    assert z_a.grad is not None and z_a.grad[0, 1] < 0  # moving towards the other view lowers it
    assert loss(z_a, torch.tensor([[0.5, 0.5]]), False).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("width", [2, 8])
@pytest.mark.parametrize("distance", [1e2, 1e4, 1e8])
def test_cauchy_stays_exact_for_far_points(distance: float, width: int) -> None:
    z_a = rows(6, width, 3, scale=distance).float()
    z_b = z_a + rows(6, width, 4).float()
    for decoupled in (False, True):
        expected = info_nce_loop(z_a, z_b, cauchy_similarity, decoupled)
        z = z_a.clone().requires_grad_()
        value = cauchy_info_nce(z, z_b, decoupled)
        assert value.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)
        value.backward()  # type: ignore[no-untyped-call]
        assert z.grad is not None and torch.isfinite(z.grad).all()


def test_close_points_far_from_the_origin_keep_their_distances() -> None:
    # t-SimCNE's maps reach ±500; 64ths are exact in float32 there.
    centre = torch.tensor([[500.0, -400.0], [-500.0, 400.0]]).repeat(3, 1)
    z_a, z_b = (centre + (rows(6, 2, seed) * 64).round().float() / 64 for seed in (17, 18))
    expected = info_nce_loop(z_a, z_b, cauchy_similarity, False)
    assert cauchy_info_nce(z_a, z_b).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("width", [2, 8])
def test_info_nce_of_degenerate_points_has_finite_gradients(width: int) -> None:
    for z in (torch.zeros(4, width), torch.full((4, width), 1e9), 1e9 * torch.eye(4, width)):
        for loss in (
            cauchy_info_nce,
            lambda a, b: nt_xent(a, b, 0.1),
            lambda a, b: dot_info_nce(a, b, 0.1),
            lambda a, b: gaussian_info_nce(a, b, 0.1),
        ):
            latents = z.clone().requires_grad_()
            value = loss(latents, z)
            value.backward()  # type: ignore[no-untyped-call]
            assert torch.isfinite(value)
            assert latents.grad is not None and torch.isfinite(latents.grad).all()


def test_info_nce_of_a_nan_is_nan() -> None:
    z = torch.ones(4, 2)
    z[0, 0] = torch.nan
    assert cauchy_info_nce(z, torch.ones(4, 2)).isnan()
    assert nt_xent(z, torch.ones(4, 2), 0.5).isnan()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(2, 6), st.integers(1, 5), st.floats(1e-3, 1e3), st.booleans(), st.integers(0, 999)
)
def test_info_nce_ignores_where_and_in_which_order_points_lie(
    pairs: int, width: int, scale: float, decoupled: bool, seed: int
) -> None:
    z_a, z_b = rows(pairs, width, seed, scale), rows(pairs, width, seed + 1, scale)
    order, moved = torch.randperm(pairs), rows(1, width, seed + 2, scale)
    value = cauchy_info_nce(z_a, z_b, decoupled)
    torch.testing.assert_close(cauchy_info_nce(z_b[order], z_a[order], decoupled), value)
    torch.testing.assert_close(cauchy_info_nce(z_a + moved, z_b + moved, decoupled), value)
    cosine_value = nt_xent(z_a, z_b, 0.3, decoupled)
    torch.testing.assert_close(nt_xent(5 * z_b[order], z_a[order], 0.3, decoupled), cosine_value)


@pytest.mark.parametrize(("pairs", "width"), [(9, 4), (4, 9)])
@pytest.mark.parametrize("variance_sum", ["half", "full"])
def test_vicreg_equals_the_loop(variance_sum: str, pairs: int, width: int) -> None:
    z_a, z_b = rows(pairs, width, 5, 0.8), rows(pairs, width, 6, 1.1)
    terms = vicreg_terms(z_a, z_b, gamma=1.2, eps=1e-3, variance_sum=variance_sum)  # type: ignore[arg-type]
    variance = covariance = 0.0
    for z in (z_a.numpy(), z_b.numpy()):
        z = z - z.mean(0)
        for d, e in product(range(width), range(width)):
            c = sum(z[i, d] * z[i, e] for i in range(pairs)) / (pairs - 1)
            if d == e:
                variance += max(0.0, 1.2 - math.sqrt(c + 1e-3)) / width
            else:
                covariance += c**2 / width
    squares = [(z_a[i, d] - z_b[i, d]) ** 2 for i, d in product(range(pairs), range(width))]
    assert terms["invariance"].item() == pytest.approx(float(sum(squares)) / (pairs * width))
    assert terms["covariance"].item() == pytest.approx(covariance)
    expected = variance / 2 if variance_sum == "half" else variance
    assert terms["variance"].item() == pytest.approx(expected)


@pytest.mark.parametrize("width", [127, 128, 512])
def test_vicreg_keeps_its_digits_where_there_are_more_numbers_than_images(width: int) -> None:
    views = [torch.linalg.qr(rows(width, 64, seed))[0].T * 8 for seed in (7, 8)]
    exact = vicreg_terms(*views)["covariance"].item()
    found = vicreg_terms(*(view.float() for view in views))["covariance"].item()
    assert found == pytest.approx(exact, rel=1e-5)


def test_vicreg_closed_forms() -> None:
    collapsed = torch.ones(8, 3)
    terms = vicreg_terms(collapsed, collapsed)
    assert terms["invariance"] == 0 and terms["covariance"] == 0
    assert terms["variance"].item() == pytest.approx(1 - math.sqrt(1e-4))
    # Orthogonal ±2 columns: no covariance, standard deviation above gamma.
    spread = 2 * torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    assert all(value == 0 for value in vicreg_terms(spread, spread).values())


def test_vicreg_refuses_a_single_pair() -> None:
    with pytest.raises(ValueError, match="two pairs"):
        vicreg_terms(torch.ones(1, 3), torch.ones(1, 3))


def test_pairwise_equals_the_loop() -> None:
    z_a, z_b = rows(12, 3, 7, 0.5), rows(12, 3, 8, 0.5)
    same = torch.arange(12) % 3 == 0
    total = 0.0
    for a, b, alike in zip(z_a.numpy(), z_b.numpy(), same, strict=True):
        d = math.sqrt(squared_distance(a, b))
        total += d**2 if alike else max(0.0, 1.0 - d) ** 2
    value = pairwise_contrastive(z_a, z_b, same, 1.0)
    assert value.item() == pytest.approx(total / 12)


def test_pairwise_closed_forms() -> None:
    z, no, yes = torch.ones(3, 2), torch.zeros(3, dtype=torch.bool), torch.ones(3, dtype=torch.bool)
    assert pairwise_contrastive(z, z, yes, 2.0) == 0
    assert pairwise_contrastive(z, z, no, 2.0) == 4
    assert pairwise_contrastive(z, z + 3, no, 2.0) == 0


@pytest.mark.parametrize("squared", [True, False])
def test_triplet_equals_the_loop(squared: bool) -> None:
    anchor, positive, negative = rows(10, 3, 9), rows(10, 3, 10), rows(10, 3, 11)
    total = 0.0
    for a, p, n in zip(anchor.numpy(), positive.numpy(), negative.numpy(), strict=True):
        near, far = squared_distance(a, p), squared_distance(a, n)
        if not squared:
            near, far = math.sqrt(near), math.sqrt(far)
        total += max(0.0, near - far + 0.7)
    value = triplet_margin(anchor, positive, negative, 0.7, squared)
    assert value.item() == pytest.approx(total / 10)


@pytest.mark.parametrize("squared", [True, False])
def test_triplet_is_zero_beyond_the_margin_and_the_margin_at_one_point(squared: bool) -> None:
    z = torch.zeros(4, 2)
    assert triplet_margin(z, z, z + 5, 1.0, squared) == 0
    assert triplet_margin(z, z, z, 1.5, squared) == 1.5


def test_gaussian_divergences_equal_the_loop() -> None:
    mu_1, logvar_1, mu_2, logvar_2 = (rows(6, 3, seed) for seed in range(20, 24))
    parameters = (mu_1, logvar_1, mu_2, logvar_2)
    for i in range(6):
        one, two = (mu_1[i].numpy(), logvar_1[i].numpy()), (mu_2[i].numpy(), logvar_2[i].numpy())
        both = kl_loop(*one, *two) + kl_loop(*two, *one)
        assert jeffreys(*parameters)[i].item() == pytest.approx(both)
    zeros = np.zeros(3)
    to_normal = [kl_loop(mu_1[i].numpy(), logvar_1[i].numpy(), zeros, zeros) for i in range(6)]
    assert kl_to_standard_normal(mu_1, logvar_1).item() == pytest.approx(sum(to_normal) / 6)


def test_the_jeffreys_divergence_agrees_with_torch_distributions() -> None:
    mu_1, logvar_1, mu_2, logvar_2 = (rows(6, 3, seed) for seed in range(30, 34))
    one = torch.distributions.Normal(mu_1, (logvar_1 / 2).exp())
    two = torch.distributions.Normal(mu_2, (logvar_2 / 2).exp())
    kl = torch.distributions.kl_divergence
    expected = (kl(one, two) + kl(two, one)).sum(1)
    torch.testing.assert_close(jeffreys(mu_1, logvar_1, mu_2, logvar_2), expected)


def test_equal_gaussians_do_not_diverge() -> None:
    mu, logvar = rows(5, 4, 12, 100).float(), rows(5, 4, 13, 3).float()
    assert jeffreys(mu, logvar, mu, logvar).tolist() == [0.0] * 5
    assert kl_to_standard_normal(torch.zeros(3, 2), torch.zeros(3, 2)) == 0


def test_gaussians_of_variance_one_compare_as_points() -> None:
    a, b, c = (rows(8, 2, seed, 0.6) for seed in (14, 15, 16))
    flat, same = torch.zeros_like(a), torch.arange(8) % 2 == 0
    torch.testing.assert_close(
        gaussian_pairwise(a, flat, b, flat, same, 1.0), pairwise_contrastive(a, b, same, 1.0)
    )
    torch.testing.assert_close(
        gaussian_triplet((a, flat), (b, flat), (c, flat), 1.0), triplet_margin(a, b, c, 1.0)
    )


def test_gaussian_metric_losses_equal_the_loop() -> None:
    mu_a, logvar_a, mu_b, logvar_b, mu_c, logvar_c = (rows(8, 2, s, 0.4) for s in range(40, 46))
    same = torch.arange(8) % 2 == 0
    pairs = triplets = 0.0
    for i in range(8):
        a = (mu_a[i].numpy(), logvar_a[i].numpy())
        b = (mu_b[i].numpy(), logvar_b[i].numpy())
        c = (mu_c[i].numpy(), logvar_c[i].numpy())
        near, far = kl_loop(*a, *b) + kl_loop(*b, *a), kl_loop(*a, *c) + kl_loop(*c, *a)
        pairs += near if same[i] else max(0.0, 1.3 - math.sqrt(near)) ** 2
        triplets += max(0.0, near - far + 1.3)
    value = gaussian_pairwise(mu_a, logvar_a, mu_b, logvar_b, same, 1.3)
    assert value.item() == pytest.approx(pairs / 8)
    value = gaussian_triplet((mu_a, logvar_a), (mu_b, logvar_b), (mu_c, logvar_c), 1.3)
    assert value.item() == pytest.approx(triplets / 8)


def test_identical_points_have_finite_gradients() -> None:
    same = torch.zeros(3, dtype=torch.bool)
    for loss in (
        lambda z, v: pairwise_contrastive(z, z.detach(), same, 1.0),
        lambda z, v: triplet_margin(z, z.detach(), z.detach(), 1.0, squared=False),
        lambda z, v: gaussian_pairwise(z, v, z.detach(), v.detach(), same, 1.0),
    ):
        z, logvar = torch.ones(3, 2, requires_grad=True), torch.zeros(3, 2, requires_grad=True)
        loss(z, logvar).backward()  # type: ignore[no-untyped-call]
        assert z.grad is not None and torch.isfinite(z.grad).all()
        assert logvar.grad is None or torch.isfinite(logvar.grad).all()


def test_norm_and_reconstruction_closed_forms() -> None:
    assert norm(torch.tensor([[3.0, 4.0], [0.0, 1.0]])) == 13
    assert reconstruction(torch.full((2, 1, 2, 2), 0.5), torch.zeros(2, 1, 2, 2)) == 0.25


@pytest.mark.slow
@pytest.mark.parametrize("width", [2, 5])
@pytest.mark.parametrize("decoupled", [False, True])
def test_info_nce_gradients(width: int, decoupled: bool) -> None:
    views = [rows(4, width, seed).requires_grad_() for seed in (50, 51)]
    assert gradcheck(lambda a, b: cauchy_info_nce(a, b, decoupled), views)
    assert gradcheck(lambda a, b: nt_xent(a, b, 0.4, decoupled), views)
    assert gradcheck(lambda a, b: dot_info_nce(a, b, 0.4, decoupled), views)
    assert gradcheck(lambda a, b: gaussian_info_nce(a, b, 0.4, decoupled), views)


def test_metric_gradients() -> None:
    a, b, c, d = (rows(4, 3, seed, 0.4).requires_grad_() for seed in range(60, 64))
    same = torch.tensor([True, False, True, False])
    assert gradcheck(lambda a, b: tuple(vicreg_terms(a, b).values()), (a, b))
    wide = [rows(3, 7, seed, 0.4).requires_grad_() for seed in (64, 65)]
    assert gradcheck(lambda a, b: tuple(vicreg_terms(a, b).values()), wide)
    assert gradcheck(lambda a, b: pairwise_contrastive(a, b, same, 1.0), (a, b))
    assert gradcheck(lambda a, b, c: triplet_margin(a, b, c, 1.0), (a, b, c))
    assert gradcheck(lambda a, b, c: triplet_margin(a, b, c, 1.0, squared=False), (a, b, c))
    assert gradcheck(lambda a, b, c, d: gaussian_pairwise(a, b, c, d, same, 1.0), (a, b, c, d))
    assert gradcheck(jeffreys, (a, b, c, d))
    assert gradcheck(kl_to_standard_normal, (a, b))


def test_bfloat16_inputs_inside_autocast_are_computed_in_float32() -> None:
    z_a, z_b = rows(64, 8, 70).bfloat16(), rows(64, 8, 71).bfloat16()
    same = torch.arange(64) % 2 == 0

    def every_term(a: Tensor, b: Tensor) -> dict[str, Tensor]:
        return {
            "cauchy": cauchy_info_nce(a, b),
            "nt_xent": nt_xent(a, b, 0.1),
            "dot": dot_info_nce(a, b, 0.5),
            "gaussian": gaussian_info_nce(a, b, 0.5),
            **vicreg_terms(a, b),
            "pairwise": pairwise_contrastive(a, b, same, 1.0),
            "triplet": triplet_margin(a, b, a.flip(0), 1.0),
            "gaussian_triplet": gaussian_triplet((a, b), (b, a), (a, a), 1.0),
            "kl": kl_to_standard_normal(a, b),
            "norm": norm(z=a),
        }

    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = every_term(z_a, z_b)
    for name, expected in every_term(z_a.double(), z_b.double()).items():
        assert mixed[name].dtype is torch.float32, name
        assert mixed[name].item() == pytest.approx(expected.item(), rel=1e-5), name
