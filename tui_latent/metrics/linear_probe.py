"""How much a linear classifier reads out of frozen latents: the linear probe."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tui_latent.metrics.sample_order import DRAW_SEED, drawn_order

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

PENALTIES: Final = (10_000.0, 1000.0, 100.0, 10.0, 1.0, 0.1)
"""penalties of which one is chosen, the strongest first"""
CHOSEN_ON: Final = 5000
"""training images above which the penalty is chosen on a random sample of them"""
_HELD_BACK: Final = 0.2
"""share of these images on which the penalties are compared"""
_PUBLISHED_RATE: Final = 3e-4
_PUBLISHED_EPOCHS: Final = 10
_PUBLISHED_BATCH: Final = 256
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
    wide, asked = _standardised(bank, queries)
    probe = _fitted(wide, bank_labels.cpu().numpy(), penalty, _TOLERANCE)
    return float((probe.predict(asked) == query_labels.cpu().numpy()).mean())


def chosen_penalty(
    bank: Tensor, bank_labels: Tensor, on_chunk: Callable[[], None] = lambda: None
) -> float:
    """Return the penalty of `linear_probe` with the best accuracy on a fifth of the bank held back.

    Held-out images take no part in it. `PENALTIES` are tried from the strongest on, until two in a
    row are no better than the best; of equally good ones the stronger is returned. Latents are
    float (N, D), labels int64. 1 where fewer than two classes are left to fit. ValueError when a
    latent is not finite.
    """
    if not torch.isfinite(bank).all():
        raise ValueError("latents are not finite: training has diverged")
    order = drawn_order(bank.detach().cpu(), bank_labels.cpu())[:CHOSEN_ON]
    held_back = round(_HELD_BACK * len(order))
    back, kept = order[:held_back], order[held_back:]
    labels = bank_labels.cpu()
    if not len(back) or len(torch.unique(labels[kept])) < 2:
        return 1.0
    wide, asked = _standardised(bank[kept], bank[back])
    best, most, since = 1.0, -1.0, 0
    for penalty in PENALTIES:
        on_chunk()
        # Coarser than the fit that counts: only which is best matters here.
        probe = _fitted(wide.astype(np.float32), labels[kept].numpy(), penalty, 1e-3)
        right = float((probe.predict(asked) == labels[back].numpy()).mean())
        if right > most:
            best, most, since = penalty, right, 0
        else:
            since += 1
        if since == 2:
            break
    return best


def published_probe(
    bank: Tensor, bank_labels: Tensor, queries: Tensor, query_labels: Tensor, classes: int
) -> float:
    """Return the held-out accuracy of a linear layer trained as the VICReg analysis trained its.

    On latents as they are, without standardising them: Adam at 3e-4, batches of 256, 10 epochs,
    no penalty. Far from converged, so it depends on the scale of the latents and on how many
    images there are: compare it with that work only. The seed is fixed. Arguments as in
    `linear_probe`; labels are below `classes`.
    """
    generator = torch.Generator().manual_seed(DRAW_SEED)
    x, y = bank.detach().float().cpu(), bank_labels.cpu()
    with torch.random.fork_rng([]), torch.inference_mode(False), torch.enable_grad():
        torch.manual_seed(DRAW_SEED)
        layer = nn.Linear(x.shape[1], classes)
        x, y = x.clone(), y.clone()
        optimizer = torch.optim.Adam(layer.parameters(), _PUBLISHED_RATE)
        for _ in range(_PUBLISHED_EPOCHS):
            for rows in torch.randperm(len(x), generator=generator).split(_PUBLISHED_BATCH):  # type: ignore[no-untyped-call]
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(layer(x[rows]), y[rows])
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
    with torch.no_grad():
        called = layer(queries.detach().float().cpu()).argmax(1)
    return float((called == query_labels.cpu()).double().mean())


def _standardised(bank: Tensor, queries: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both by the bank's mean and deviation; what varies by rounding alone becomes 0."""
    rounding = torch.finfo(bank.dtype).eps
    wide, asked = bank.detach().double().cpu(), queries.detach().double().cpu()
    mean = wide.mean(0)
    deviation = (wide - wide[0]).std(0, correction=0)  # exactly 0 where all are equal
    # What differs by no more than the rounding of its own numbers would be blown up to the size
    # of the other dimensions. However small beside those, anything more is information.
    deviation[deviation <= rounding * mean.abs()] = torch.inf
    return ((wide - mean) / deviation).numpy(), ((asked - mean) / deviation).numpy()


def _fitted(
    latents: NDArray[np.floating], labels: NDArray[np.int64], penalty: float, tolerance: float
) -> LogisticRegression:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    probe = LogisticRegression(C=1 / penalty, tol=tolerance, max_iter=_STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return probe.fit(latents, labels)
