"""How much a linear classifier reads out of frozen latents: the linear probe."""

from __future__ import annotations

import warnings
from typing import Final

import torch
from torch import Tensor

_STEPS: Final = 300
_TOLERANCE: Final = 1e-6
"""largest gradient at which the fit has converged"""


def linear_probe(
    bank: Tensor,
    bank_labels: Tensor,
    queries: Tensor,
    query_labels: Tensor,
    penalty: float = 1.0,
) -> float:
    """Return the held-out accuracy of a logistic regression of the bank's latents.

    `bank` is float (N, D), `queries` float (M, D), labels int64; NaN without queries. It is
    scikit-learn's multinomial regression with C = 1 / `penalty`, which draws nothing at random, on
    latents standardised by the bank's mean and deviation. A dimension that varies by rounding
    alone is left out. ValueError when a latent is not finite, or the bank has a single class.
    """
    if not (torch.isfinite(bank).all() and torch.isfinite(queries).all()):
        raise ValueError("latents are not finite: training has diverged")
    if not len(queries):
        return float("nan")
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    rounding = torch.finfo(bank.dtype).eps
    wide, asked = bank.detach().double().cpu(), queries.detach().double().cpu()
    mean = wide.mean(0)
    deviation = (wide - wide[0]).std(0, correction=0)  # exactly 0 where all are equal
    # What differs by no more than the rounding of its own numbers would be blown up to the size
    # of the other dimensions. However small beside those, anything more is information.
    deviation[deviation <= rounding * mean.abs()] = torch.inf
    probe = LogisticRegression(C=1 / penalty, tol=_TOLERANCE, max_iter=_STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        probe.fit(((wide - mean) / deviation).numpy(), bank_labels.cpu().numpy())
    called = probe.predict(((asked - mean) / deviation).numpy())
    return float((called == query_labels.cpu().numpy()).mean())
