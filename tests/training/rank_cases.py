"""One update of each method, by one process or by several that divide the batch.

    torchrun … rank_cases.py OUT FOLDER    rank 0 writes what all ranks computed to OUT

FOLDER has images that all ranks load.

Noise is drawn for the whole batch, and each rank takes that of its own rows: the only random
numbers of a loss that would otherwise differ.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from tests.training.rank_evaluations import EVALUATIONS, decoded, evaluated, left
from tui_latent.config.methods import parse_method
from tui_latent.datasets.pairing import Batch
from tui_latent.methods import METHODS
from tui_latent.methods.method import Method
from tui_latent.training.loop import weighted_sum
from tui_latent.training.rank_losses import losses_across
from tui_latent.training.ranks import ALONE, Ranks, join, ranks_of_launcher

BATCH = 16
SHAPE = (3, 8, 8)
SMALL = {"network": "small-conv", "width": 8, "hidden_dim": 16, "latent_dim": 4}
CASES: dict[str, dict[str, Any]] = {
    "cauchy": {"name": "contrastive"},
    "cauchy decoupled": {"name": "contrastive", "decoupled": True, "head_dim": 12},
    "nt_xent": {"name": "contrastive", "loss": "nt_xent", "norm_weight": 0.1},
    "nt_xent decoupled": {"name": "contrastive", "loss": "nt_xent", "decoupled": True},
    "gaussian": {"name": "contrastive", "gaussian": True, "kl_weight": 0.1},
    "perturbed": {"name": "contrastive", "perturb": 0.5},
    "vicreg": {"name": "vicreg", "projector": (16, 16)},
    "vicreg full": {"name": "vicreg", "projector": (16, 32), "variance_sum": "full"},
    "resnet": {"name": "vicreg", "network": "resnet18", "projector": (16,)},
    "triplet": {"name": "triplet", "network": "mlp"},
    "semi-hard": {"name": "triplet", "negatives": "semi-hard"},
    "pairs": {"name": "siamese"},
    "class triplets": {"name": "siamese", "pairing": "triplets"},
    "gaussian pairs": {"name": "siamese", "variational": True, "kl_weight": 0.1},
    "gaussian triplets": {"name": "siamese", "pairing": "triplets", "variational": True},
    "autoencoder": {"name": "autoencoder", "activation": "tanh"},
    "variational": {"name": "autoencoder", "variational": True},
}


def update(case: str, ranks: Ranks) -> dict[str, Tensor]:
    """Return terms, gradients and buffers after one backward pass, from rank 0's point of view."""
    settings = parse_method(SMALL | CASES[case])
    torch.manual_seed(0)
    method = METHODS[settings.name](settings, SHAPE).train()
    whole = _batch(method)
    with _noise_of(whole.groups, ranks):
        losses = losses_across(method, ranks, torch.device("cpu"))
        terms = losses(_part(whole, ranks))
        weighted_sum(terms, method.weights()).backward()  # type: ignore[no-untyped-call]
    means = ranks.mean(torch.stack([term.detach() for term in terms.values()]))
    terms = dict(zip(terms, means, strict=True))
    gradients = {n: p.grad for n, p in method.named_parameters() if p.grad is not None}
    return {**terms, **gradients, **dict(method.named_buffers())}


def _batch(method: Method) -> Batch:
    groups = {"alone": 1, "triplets": 3}.get(method.pairing, 2)
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(groups * BATCH, *SHAPE, generator=generator)
    classes = torch.randint(4, (BATCH,), generator=generator)
    others = (classes + torch.randint(1, 4, (BATCH,), generator=generator)) % 4
    same = torch.rand(BATCH, generator=generator) < 0.5
    labels = torch.cat([classes, classes, others][:groups])
    return Batch(images * 2 - 1, groups, images, same if groups == 2 else None, labels)


def _part(whole: Batch, ranks: Ranks) -> Batch:
    def rows(x: Tensor) -> Tensor:
        return torch.cat([ranks.share(group) for group in x.chunk(whole.groups)])

    same = None if whole.same is None else ranks.share(whole.same)
    assert whole.labels is not None
    return Batch(rows(whole.x), whole.groups, rows(whole.target), same, rows(whole.labels))


@contextmanager
def _noise_of(groups: int, ranks: Ranks) -> Iterator[None]:
    drawn = torch.randn_like

    def noise(x: Tensor, **_: Any) -> Tensor:
        generator = torch.Generator().manual_seed(x.shape[1])
        whole = torch.randn(groups * BATCH, *x.shape[1:], generator=generator)
        return torch.cat([ranks.share(group) for group in whole.chunk(groups)])

    torch.randn_like = noise  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.randn_like = drawn


def main() -> None:
    """Compute every case with the other ranks."""
    torch.set_num_threads(1)
    ranks = ranks_of_launcher()
    join(ranks)
    found = {case: update(case, ranks) for case in CASES}
    found |= {f"evaluation {case}": evaluated(case, ranks) for case in EVALUATIONS}
    found |= {"left": left(ranks), "decoded": decoded(ranks, Path(sys.argv[2]))}
    if ranks.rank == 0:
        torch.save(found, sys.argv[1])
    dist.destroy_process_group()  # its threads may abort an interpreter that ends first


def alone(case: str) -> dict[str, Tensor]:
    """Return what a single process computes with the whole batch."""
    return update(case, ALONE)


if __name__ == "__main__":
    main()
