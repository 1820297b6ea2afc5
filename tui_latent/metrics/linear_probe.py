"""How much a linear classifier reads out of frozen latents: the linear probe."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

_STEPS: Final = 300
_TOLERANCE: Final = 1e-6
"""largest gradient, and smallest change of the loss, at which the fit has converged"""


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
    deviation, and a dimension that differs by rounding alone is left out. The objective is
    scikit-learn's with C = 1 / `penalty`: Σ cross entropy + penalty / 2 Σ weights². ValueError
    when a latent is not finite.
    """
    if not (torch.isfinite(bank).all() and torch.isfinite(queries).all()):
        raise ValueError("latents are not finite: training has diverged")
    rounding = torch.finfo(bank.dtype).eps
    bank, queries = bank.detach().double(), queries.detach().double()
    mean = bank.mean(0)
    deviation = (bank - bank[0]).std(0, correction=0)  # exactly 0 where all are equal
    # What differs by no more than the rounding of its own numbers would be blown up to the size
    # of the other dimensions. However small beside those, anything more is information.
    deviation[deviation <= rounding * mean.abs()] = torch.inf
    weights, biases = _fit((bank - mean) / deviation, bank_labels, classes, penalty)
    predictions = ((queries - mean) / deviation @ weights + biases).argmax(1)
    return float((predictions == query_labels).double().mean())


def _fit(x: Tensor, labels: Tensor, classes: int, penalty: float) -> tuple[Tensor, Tensor]:
    """Return weights (D, classes) and biases (classes,), by scipy's L-BFGS.

    torch's own takes seconds to import, and differentiates what is two lines by hand.
    """
    across = x.T.contiguous()  # classes by images: softmax is 4 times as fast that way
    images, dimensions = x.shape
    column = torch.arange(images, device=x.device)

    def parted(flat: NDArray[np.float64]) -> tuple[Tensor, Tensor]:
        parameters = torch.from_numpy(flat).to(x.device).reshape(classes, dimensions + 1)
        return parameters[:, :-1], parameters[:, -1:]

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, biases = parted(flat)
        log_shares = torch.addmm(biases, weights, across).log_softmax(0)
        loss = penalty / 2 * weights.square().sum() - log_shares[labels, column].sum()
        slope = log_shares.exp_()
        slope[labels, column] -= 1
        gradient = torch.cat([slope @ x + penalty * weights, slope.sum(1, keepdim=True)], 1)
        return float(loss / images), (gradient / images).flatten().cpu().numpy()

    start = np.zeros((dimensions + 1) * classes)
    options = {"maxiter": _STEPS, "maxcor": 20, "gtol": _TOLERANCE, "ftol": _TOLERANCE**2}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    weights, biases = parted(found.x)
    return weights.T, biases[:, 0]
