"""Exact nearest neighbours against scikit-learn's brute force.

python -m benchmarks.neighbours [--rounds 5] [--queries 10000] [--bank 60000]   about a minute

The 20 nearest of every query among a bank of float32 latents in ten clusters, index included, and
in one cloud without clusters, where nothing can be left out. All cores for both, a GPU for ours
where there is one, and the answers compared: a query counts as equal when its 20 neighbours are
the same rows. In two dimensions ours asks a k-d tree on a CPU, which is exact too.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import chain

import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from benchmarks.record import Row, for_device, no_gpu, save
from benchmarks.rounds import alternate, device_option, devices, place, use_all_cores
from tui_latent.metrics.nearest_neighbours import nearest

K = 20
GOALS = {"cpu": 5.0, "cuda": 100.0}


APART = 3.0
"""distance of the clusters' centres from the middle, in standard deviations of a cluster"""


def latents(count: int, dimensions: int, seed: int, apart: float = APART) -> Tensor:
    """Return float32 (count, dimensions) around ten centres that are the same for every seed."""
    centres = torch.randn(10, dimensions, generator=torch.Generator().manual_seed(0)) * apart
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(10, (count,), generator=generator)
    return centres[labels] + torch.randn(count, dimensions, generator=generator)


def ours(bank: Tensor, queries: Tensor) -> Tensor:
    """Return the rows of the K nearest, (M, K)."""
    return nearest(bank, queries, K)[1].cpu()


def theirs(bank: Tensor, queries: Tensor) -> Tensor:
    """Return the same by scikit-learn."""
    search = NearestNeighbors(n_neighbors=K, algorithm="brute", n_jobs=-1).fit(bank.numpy())
    return torch.from_numpy(search.kneighbors(queries.numpy(), return_distance=False))


def measure(
    dimensions: int, apart: float, queries: int, bank: int, rounds: int, device: torch.device
) -> Row:
    """Compare in one number of dimensions, our side on a device that has the latents."""
    known, asked = latents(bank, dimensions, 1, apart), latents(queries, dimensions, 2, apart)
    ours_known, ours_asked = known.to(device), asked.to(device)

    def side(
        search: Callable[[Tensor, Tensor], Tensor], bank: Tensor, asked: Tensor
    ) -> Callable[[], float]:
        def queries_per_second() -> float:
            start = time.perf_counter()
            search(bank, asked)
            return queries / (time.perf_counter() - start)

        return queries_per_second

    some = asked[:1000]
    pairs = ours(ours_known, some.to(device)).sort(1).values, theirs(known, some).sort(1).values
    equal = float((pairs[0] == pairs[1]).all(1).double().mean())
    compared = alternate(side(ours, ours_known, ours_asked), side(theirs, known, asked), rounds)
    goal = GOALS[device.type]
    words = f"{dimensions}-D" if apart else f"{dimensions}-D without clusters"
    return Row(
        f"exact kNN, {queries:,} queries, {bank:,} latents, {words}, {place(device)}: "
        "against scikit-learn",
        f"≥ {goal:.0f} x" if apart else "–",
        compared.words("queries"),
        compared.ratio >= goal if apart else None,
        compared.numbers() | {"equal_answers": equal},
    )


def main() -> None:
    """Measure in the plane and in 512 dimensions, these also without clusters."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.neighbours")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--bank", type=int, default=60_000)
    device_option(parser)
    asked = parser.parse_args()
    use_all_cores()
    rows = (
        measure(dimensions, apart, asked.queries, asked.bank, asked.rounds, device)
        for device in devices(asked.device)
        for dimensions, apart in ((2, APART), (512, APART), (512, 0.0))
    )
    missing = [] if asked.device else no_gpu("≥ 100 x")
    name = for_device("neighbours", asked.device)
    save(name, "python -m benchmarks.neighbours", chain(rows, missing))


if __name__ == "__main__":
    main()
