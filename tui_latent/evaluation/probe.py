"""How much a linear classifier reads out of frozen latents: the linear probe."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

_STEPS: Final = 300
_TOLERANCE: Final = 1e-6
"""largest gradient, and smallest change of the loss, at which the fit has converged"""
_STILL: Final = 1e-6
"""deviations below this share of the largest one are rounding: such a dimension says nothing"""


def linear_probe(
    bank: Tensor,
    bank_labels: Tensor,
    queries: Tensor,
    query_labels: Tensor,
    classes: int,
    penalty: float = 1.0,
) -> float:
    """Return the share of queries that a logistic regression on the bank's latents gets right.

    `bank` is float (N, D), `queries` float (M, D), labels int64 below `classes`, all on one
    device; NaN without queries. Multinomial, fitted to all of the bank at once by L-BFGS in
    float64, so that it draws nothing at random; latents are standardised by the bank's mean and
    deviation. The objective is scikit-learn's with C = 1 / `penalty`: Σ cross entropy + penalty
    / 2 Σ weights². ValueError when a latent is not finite.
    """
    if not (torch.isfinite(bank).all() and torch.isfinite(queries).all()):
        raise ValueError("latents are not finite: training has diverged")
    bank, queries = bank.detach().double(), queries.detach().double()
    mean, deviation = bank.mean(0), bank.std(0, correction=0)
    # A dimension of rounding errors would be blown up to the size of the others.
    deviation[deviation <= _STILL * deviation.max()] = torch.inf
    weights, biases = _fit((bank - mean) / deviation, bank_labels, classes, penalty)
    predictions = ((queries - mean) / deviation @ weights + biases).argmax(1)
    return float((predictions == query_labels).double().mean())


def _fit(x: Tensor, labels: Tensor, classes: int, penalty: float) -> tuple[Tensor, Tensor]:
    weights = x.new_zeros((x.shape[1], classes), requires_grad=True)
    biases = x.new_zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weights, biases],
        max_iter=_STEPS,
        tolerance_grad=_TOLERANCE,
        tolerance_change=_TOLERANCE**2,
        history_size=20,
        line_search_fn="strong_wolfe",
    )

    def objective() -> Tensor:
        optimizer.zero_grad()
        loss = cross_entropy(x @ weights + biases, labels)
        loss = loss + penalty / 2 / len(x) * weights.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    with torch.enable_grad():
        optimizer.step(objective)  # type: ignore[no-untyped-call]
    return weights.detach(), biases.detach()
