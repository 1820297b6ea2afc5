"""Loss terms as plain functions of float tensors, under the names of their papers.

Every function returns means over the batch, so that terms do not grow with it, and computes in
float32 (or in float64, given float64) even inside autocast.

InfoNCE compares each of N = 2B rows with all others. With `own`, a slice of the B pairs, it is the
mean over the rows of these pairs only, each still compared with all N: the mean of what the parts
of a batch give is the loss of the batch, and a part needs (n, N) numbers instead of (N, N).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

P = ParamSpec("P")
R = TypeVar("R")
ALL = slice(None)
"""pairs of a batch"""


def in_full_precision(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function of tensors compute outside autocast, on inputs of at least float32."""

    def widen(value: object) -> object:
        half = isinstance(value, Tensor) and value.dtype in (torch.bfloat16, torch.float16)
        return value.float() if half else value  # type: ignore[attr-defined]

    @wraps(function)
    def computed(*args: P.args, **kwargs: P.kwargs) -> R:
        device = next(v.device for v in (*args, *kwargs.values()) if isinstance(v, Tensor))
        with torch.autocast(device.type, enabled=False):
            wide: Any = [widen(value) for value in args]
            named: Any = {name: widen(value) for name, value in kwargs.items()}
            return function(*wide, **named)

    return computed


@in_full_precision
def nt_xent(
    z_a: Tensor, z_b: Tensor, temperature: float, decoupled: bool = False, own: slice = ALL
) -> Tensor:
    """Return SimCLR's loss of B pairs of views, (B, D) each; the similarity to a zero vector is 0.

    With z the 2B rows of both views, s_ij = cos(z_i, z_j) / temperature and p(i) the other view
    of i: mean over the 2B rows of [log Σ_{j≠i} exp s_ij - s_i,p(i)].
    Chen et al. 2020 (arXiv:2002.05709). `decoupled` leaves p(i) out of the sum (Yeh et al. 2021,
    arXiv:2110.06848); a single pair then has no sum, and only attraction is left.
    For two views published versions differ only in the default temperature (0.07 to 0.5); only
    pytorch-metric-learning sums over one positive at a time.
    """
    # Below a length of 1e-6 directions fade out, so that the gradient at 0 stays bounded.
    z = F.normalize(torch.cat([z_a, z_b]), dim=1, eps=1e-6) / temperature**0.5
    return _of_products(z, decoupled, own)


@in_full_precision
def dot_info_nce(
    z_a: Tensor, z_b: Tensor, temperature: float, decoupled: bool = False, own: slice = ALL
) -> Tensor:
    """Return InfoNCE of dot products, of B pairs of views, (B, D) each.

    As `nt_xent` with s_ij = z_i·z_j / temperature: latents keep their lengths, so that their norm
    counts. Van den Oord, Li and Vinyals 2018 (arXiv:1807.03748, eq. 4) with the identity as W.
    """
    z = torch.cat([z_a, z_b]) / temperature**0.5
    return _of_products(z, decoupled, own)


def _of_products(z: Tensor, decoupled: bool, own: slice) -> Tensor:
    """Return InfoNCE of the products of 2B vectors; rows i and B + i are views of one image."""
    a, b = _views(z)[:, own]
    attraction: Tensor = (a * b).sum(1).mean()
    if decoupled and len(z) == 2:
        return -attraction
    log_sums: Tensor = _LogSums.apply(z, decoupled, False, own)
    return log_sums.mean() - attraction


@in_full_precision
def gaussian_info_nce(
    z_a: Tensor, z_b: Tensor, temperature: float, decoupled: bool = False, own: slice = ALL
) -> Tensor:
    """Return InfoNCE of squared distances, of B pairs of views, (B, D) each.

    As `nt_xent` with s_ij = -|z_i - z_j|² / temperature: a Gaussian kernel in the latent space, as
    in SNE (Hinton and Roweis 2002), where the Cauchy kernel is that of t-SNE.
    """
    z = torch.cat([z_a, z_b]) / temperature**0.5
    a, b = _views(z)[:, own]
    attraction: Tensor = -(a - b).square().sum(1).mean()
    if decoupled and len(z) == 2:
        return -attraction
    log_sums: Tensor = _LogSums.apply(z, decoupled, True, own)
    return log_sums.mean() - attraction


class _LogSums(torch.autograd.Function):
    """log Σ_{j≠i} exp s_ij, (n,) from (N, D); `decoupled` leaves the other view of i out too.

    i runs over both views of the pairs `own`. s_ij is z_i·z_j, or with `distances` -|z_i - z_j|².
    Written out because autograd keeps several (n, N) tensors for it, and multiplies twice where
    the symmetric product needs one.
    """

    @staticmethod
    def forward(ctx: Any, z: Tensor, decoupled: bool, distances: bool, own: slice) -> Tensor:
        rows = _views(z)[:, own].flatten(0, 1)
        exponents = _squared_distances(rows, z, 0).neg_() if distances else rows @ z.T
        selves, others = _diagonals(exponents, own)
        for place in selves:
            place.fill_(-torch.inf)
        ctx.distances, ctx.own = distances, own
        if decoupled:
            for place in others:
                place.fill_(-torch.inf)
        elif distances:
            # Exact, so that a sum is not below its part.
            a, b = _views(z)[:, own]
            positive = -(a - b).square().sum(1)
            for place in others:
                place.copy_(positive)
        largest = exponents.amax(1)
        parts = exponents.sub_(largest[:, None]).exp_()
        sums = parts.sum(1)
        ctx.save_for_backward(z, parts, sums)
        return largest + sums.log()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        z, parts, sums = ctx.saved_tensors
        weight = parts * (gradient / sums)[:, None]
        if len(weight) == len(z):
            weight = weight + weight.T
        if not ctx.distances:
            return _pulled(weight, z, ctx.own)[1], None, None, None
        z = z - z.mean(0)  # only differences count
        total, pulled = _pulled(weight, z, ctx.own)
        return -2 * (total * z - pulled), None, None, None


@in_full_precision
def cauchy_info_nce(z_a: Tensor, z_b: Tensor, decoupled: bool = False, own: slice = ALL) -> Tensor:
    """Return t-SimCNE's loss of B pairs of views, (B, D) each.

    With z the 2B rows of both views, q_ij = 1 / (1 + |z_i - z_j|²) and p(i) the other view of i:
    mean over the 2B rows of [log Σ_{j≠i} q_ij - log q_i,p(i)].
    Böhm, Berens and Kobak 2023 (arXiv:2210.09879) and their iclr2023 code; their later package
    puts a temperature T into 1 + 2T|z_i - z_j|², which at its default of 1/2 is the same.
    `decoupled` leaves p(i) out of the sum; a single pair then has no sum, and only attraction
    is left.
    """
    attraction = torch.log1p((z_a[own] - z_b[own]).square().sum(1)).mean()
    if decoupled and len(z_a) == 1:
        return attraction
    sums: Tensor = _CauchySums.apply(torch.cat([z_a, z_b]), decoupled, own)
    return sums.clamp_min(torch.finfo(sums.dtype).tiny).log().mean() + attraction


class _CauchySums(torch.autograd.Function):
    """Row sums of 1 / (1 + |z_i - z_j|²) over j ≠ i, (n,) from (N, D).

    i runs over both views of the pairs `own`. Written out because autograd keeps several (n, N)
    tensors for it: forward and backward of 2,048 rows took 27-33 ms in two dimensions, 66-124 ms
    through autograd, on one CPU core.
    """

    @staticmethod
    def forward(ctx: Any, z: Tensor, decoupled: bool, own: slice) -> Tensor:
        rows = _views(z)[:, own]
        a, b = rows
        kernel = _squared_distances(rows.flatten(0, 1), z, 1).reciprocal_()
        selves, others = _diagonals(kernel, own)
        for place in selves:
            place.zero_()
        # Positives are the closest of all points: exact, so that a sum is not below its part.
        distance = (a - b).square().sum(1)
        positive = torch.zeros_like(distance) if decoupled else (1 + distance).reciprocal()
        for place in others:
            place.copy_(positive)
        ctx.save_for_backward(z, kernel)
        ctx.own = own
        return kernel.sum(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        # d q_ij / d z_i = -2 q_ij² (z_i - z_j), and likewise d q_ij / d z_j.
        z, kernel = ctx.saved_tensors
        z = z - z.mean(0)  # only differences count, and small numbers lose fewer digits in them
        if len(kernel) == len(z):
            weight = (gradient[:, None] + gradient[None]).mul_(kernel)
        else:
            weight = kernel * gradient[:, None]
        total, pulled = _pulled(weight.mul_(kernel), z, ctx.own)
        return -2 * (total * z - pulled), None, None


def _views(z: Tensor) -> Tensor:
    """Return both views of the pairs, (2, B, D) from (2B, D)."""
    return z.view(2, -1, z.shape[1])


def _diagonals(matrix: Tensor, own: slice) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return where the rows of the pairs `own` meet themselves, and where their other views.

    `matrix` is (n, N): both views of these pairs against both views of all. Each part is (n/2,).
    """
    a, b = _views(matrix)
    pairs = matrix.shape[1] // 2
    first = own.indices(pairs)[0]
    return (
        (a.diagonal(first), b.diagonal(pairs + first)),
        (a.diagonal(pairs + first), b.diagonal(first)),
    )


def _pulled(weight: Tensor, z: Tensor, own: slice) -> tuple[Tensor, Tensor]:
    """Return Σ_j (w_ij + w_ji), (N, 1), and Σ_j (w_ij + w_ji) z_j, (N, D).

    `weight` is (n, N): w_ij for both views i of the pairs `own`, 0 for all other i. Of all pairs,
    it is w_ij + w_ji.
    """
    if len(weight) == len(z):
        return weight.sum(1, keepdim=True), weight @ z
    rows = _views(z)[:, own].flatten(0, 1)
    total, pulled = weight.sum(0)[:, None], weight.T @ rows
    _views(total)[:, own] += _views(weight.sum(1, keepdim=True))
    _views(pulled)[:, own] += _views(weight @ z)
    return total, pulled


def _squared_distances(rows: Tensor, z: Tensor, plus: int) -> Tensor:
    """Return plus + |row_i - z_j|², (n, N) from (n, D) and (N, D)."""
    if z.shape[1] <= 3:
        # Exact even for close points far from the origin, and as fast as the product below.
        squared = z.new_full((len(rows), len(z)), plus)
        for from_row, to_column in zip(rows.unbind(1), z.unbind(1), strict=True):
            difference = from_row[:, None] - to_column[None]
            squared.addcmul_(difference, difference)
        return squared
    centre = z.mean(0)
    whole = len(rows) == len(z)
    z = z - centre
    rows = z if whole else rows - centre
    squares = z.square().sum(1)
    row_squares = squares if whole else rows.square().sum(1)
    squared = torch.addmm(squares + plus, rows, z.T, alpha=-2)
    return squared.add_(row_squares[:, None]).clamp_min_(plus)


@in_full_precision
def vicreg_terms(
    z_a: Tensor,
    z_b: Tensor,
    gamma: float = 1.0,
    eps: float = 1e-4,
    variance_sum: Literal["half", "full"] = "half",
) -> dict[str, Tensor]:
    """Return `invariance`, `variance` and `covariance` of B ≥ 2 pairs of views, (B, D) each.

    invariance = mean over B and D of (a - b)²
    variance = v(a) + v(b), v(z) = mean over D of relu(gamma - √(var_d + eps))
    covariance = c(a) + c(b), c(z) = Σ_{d≠e} C_de² / D
    with var and C unbiased (divided by B - 1). Bardes, Ponce and LeCun 2022 (arXiv:2105.04906).
    `half` halves the variance, as the authors' code, lightly and pytorch-metric-learning do;
    `full` is the paper's equation and solo-learn's. The paper's invariance is a sum over D,
    every code's a mean.
    """
    if len(z_a) < 2:
        raise ValueError("VICReg needs at least two pairs in a batch: it measures their variance")
    views = [(z - z.mean(0)) / (len(z) - 1) ** 0.5 for z in (z_a, z_b)]
    deviations = [(z.square().sum(0) + eps).sqrt() for z in views]
    variance = sum((F.relu(gamma - d).mean() for d in deviations), start=z_a.new_zeros(()))
    covariance = sum((_off_diagonal_squares(z) for z in views), start=z_a.new_zeros(()))
    return {
        "invariance": F.mse_loss(z_a, z_b),
        "variance": variance / 2 if variance_sum == "half" else variance,
        "covariance": covariance / z_a.shape[1],
    }


def _off_diagonal_squares(z: Tensor) -> Tensor:
    """Return Σ_{d≠e} (zᵀz)_de² of (B, D), from the smaller of zᵀz and zzᵀ.

    Both have the same sum of squares. In D ≥ 2B numbers of one size, at least half of it lies off
    the diagonal (B numbers cannot all be uncorrelated), so that the difference keeps its digits.
    """
    batch, width = z.shape
    if width < 2 * batch:
        return (z.T @ z).fill_diagonal_(0).square().sum()
    return (z @ z.T).square().sum() - z.square().sum(0).square().sum()


@in_full_precision
def pairwise_contrastive(z_a: Tensor, z_b: Tensor, same: Tensor, margin: float) -> Tensor:
    """Return the contrastive loss of B pairs of points, (B, D) each; `same` is bool (B,).

    mean over B of d² where `same`, else relu(margin - d)², d the Euclidean distance.
    Hadsell, Chopra and LeCun 2006 have half of it. Ravi Kumar's system has this form, with 1e-9
    under the root; pytorch-metric-learning's is not squared and takes points of length 1.
    """
    distance = torch.linalg.vector_norm(z_a - z_b, dim=1)
    return _pairwise(distance, distance.square(), same, margin)


@in_full_precision
def gaussian_pairwise(
    mu_a: Tensor, logvar_a: Tensor, mu_b: Tensor, logvar_b: Tensor, same: Tensor, margin: float
) -> Tensor:
    """Return the contrastive loss of B pairs of diagonal Gaussians, (B, D) each; `same` (B,).

    `pairwise_contrastive` with d² = `jeffreys`, so it does not depend on the order in a pair and
    is the same number for Gaussians of variance 1. Ravi Kumar's system has d² = 2 KL + D + 1e-5
    (its divergence lacks the half and the -D): not symmetric, and D for equal Gaussians.
    """
    squared = jeffreys(mu_a, logvar_a, mu_b, logvar_b)
    # The root's slope at 0 is infinite; clamped, it is 0 there.
    distance = squared.clamp_min(torch.finfo(squared.dtype).tiny).sqrt()
    return _pairwise(distance, squared, same, margin)


def _pairwise(distance: Tensor, squared: Tensor, same: Tensor, margin: float) -> Tensor:
    return torch.where(same, squared, F.relu(margin - distance).square()).mean()


@in_full_precision
def triplet_margin(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float, squared: bool = True
) -> Tensor:
    """Return the triplet loss of B triplets of points, (B, D) each.

    mean over B of relu(d(a, p) - d(a, n) + margin), d the squared Euclidean distance (FaceNet,
    arXiv:1503.03832, and both systems reproduced here), or the plain one (`squared=False`:
    PyTorch, pytorch-metric-learning). The last of these also averages over the non-zero triplets
    only.
    """
    near = torch.linalg.vector_norm(anchor - positive, dim=1)
    far = torch.linalg.vector_norm(anchor - negative, dim=1)
    if squared:
        near, far = near.square(), far.square()
    return F.relu(near - far + margin).mean()


def gaussian_triplet(
    anchor: tuple[Tensor, Tensor],
    positive: tuple[Tensor, Tensor],
    negative: tuple[Tensor, Tensor],
    margin: float,
) -> Tensor:
    """Return the triplet loss of B triplets of diagonal Gaussians (mu, logvar), (B, D) each.

    mean over B of relu(J(a, p) - J(a, n) + margin), J = `jeffreys`, equal to `triplet_margin` for
    Gaussians of variance 1. Ravi Kumar's system has 2 KL + D, from the anchor to the other, for J.
    """
    near, far = jeffreys(*anchor, *positive), jeffreys(*anchor, *negative)
    return F.relu(near - far + margin).mean()


@in_full_precision
def jeffreys(mu_1: Tensor, logvar_1: Tensor, mu_2: Tensor, logvar_2: Tensor) -> Tensor:
    """Return KL(N1 || N2) + KL(N2 || N1) in nats of diagonal Gaussians, (B,) from (B, D) each.

    ½ Σ_d [(mu_1 - mu_2)² (1/var_1 + 1/var_2) + var_1/var_2 + var_2/var_1 - 2] (Jeffreys 1946):
    symmetric, 0 for equal Gaussians, the squared Euclidean distance where variances are 1.
    """
    precisions = torch.exp(-logvar_1) + torch.exp(-logvar_2)
    ratios = 4 * torch.sinh((logvar_1 - logvar_2) / 2).square()
    return ((mu_1 - mu_2).square() * precisions + ratios).sum(1) / 2


@in_full_precision
def kl_to_standard_normal(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return the mean over B of KL(N(mu, var) || N(0, 1)) in nats, summed over D; (B, D) each.

    ½ Σ_d [mu² + var - logvar - 1]. Kingma and Welling 2014 (arXiv:1312.6114).
    """
    return (mu.square() + torch.expm1(logvar) - logvar).sum(1).mean() / 2


@in_full_precision
def norm(z: Tensor) -> Tensor:
    """Return the mean over B of the squared length of (B, D) latents."""
    return z.square().sum(1).mean()


@in_full_precision
def reconstruction(x_hat: Tensor, target: Tensor) -> Tensor:
    """Return the mean squared error over all values of `x_hat` and `target`, of the same shape."""
    return F.mse_loss(x_hat, target)
