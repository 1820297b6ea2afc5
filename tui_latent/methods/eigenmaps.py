"""Laplacian eigenmaps (Belkin and Niyogi 2003): one fit on a neighbour graph, no network."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tui_latent.config.methods.eigenmaps import EigenmapsSettings
from tui_latent.methods.method import Method
from tui_latent.nouns import counted

CELLS = 2**25
"""values in memory at once while images are compared: 128 MiB"""


class Eigenmaps(Method):
    """The smoothest functions on the graph of nearest training images, one per dimension.

    An edge weighs 1 if each image is among the other's nearest, and ½ if only one is.
    Latents are the eigenvectors of the random walk's Laplacian after the constant one, each
    scaled to standard deviation 1 and turned so that its largest value is positive.
    """

    pairing = "none"
    bank: Tensor
    latents: Tensor

    def __init__(self, settings: EigenmapsSettings, input_shape: Sequence[int]) -> None:
        super().__init__(settings, input_shape)
        self.settings = settings
        # float16 tells images apart as well, and CIFAR-10 takes 300 MB in it instead of 600.
        bank = torch.empty(0, prod(input_shape), dtype=torch.float16)
        self.register_buffer("bank", bank)
        self.register_buffer("latents", torch.empty(0, settings.latent_dim))
        self.register_load_state_dict_pre_hook(_make_room)  # type: ignore[no-untyped-call]

    def fit(self, x: Tensor) -> None:
        """Find the latents of the training images (N, ...); N is at least latent_dim + 2."""
        if len(x) < self.settings.latent_dim + 2:
            raise ValueError(
                f"eigenmaps in {counted(self.settings.latent_dim, 'dimension')} need at least "
                f"{self.settings.latent_dim + 2} training images, not {len(x)}: "
                "lower method.latent_dim"
            )
        self.bank = x.flatten(1).half()
        points = self.bank.float()
        k = min(self.settings.neighbours, len(x) - 1)
        own = torch.arange(len(x), device=x.device)
        edges = nearest_rows(points, points, k, apart=(own, own))
        vectors = _smoothest(_connected(edges, points), self.settings.latent_dim)
        self.latents = torch.from_numpy(vectors).to(points)

    def embed(self, x: Tensor) -> Tensor:
        """Return latents: those of the nearest training images, weighted by 1 / squared distance.

        A training image therefore keeps its own latent (Shepard 1968). With equal weights it would
        get its neighbours' mean, which is its own latent shrunk by the eigenvalue.
        """
        points, bank = x.flatten(1).half().float(), self.bank.float()
        k = min(self.settings.neighbours, len(bank))
        rows = nearest_rows(points, bank, k)
        latents = []
        step = max(1, CELLS // (k * points.shape[1]))
        for part, near in zip(torch.split(points, step), torch.split(rows, step), strict=True):
            squared = (part[:, None] - bank[near]).square().sum(2)
            weights = 1 / squared.clamp_min(1e-12)
            weights /= weights.sum(1, keepdim=True)
            latents.append((weights[:, :, None] * self.latents[near]).sum(1))
        return torch.cat(latents)


def nearest_rows(
    queries: Tensor, bank: Tensor, k: int, apart: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """Return the rows of the k nearest of `bank` (N, D), nearest first: int64 (M, k).

    `apart` holds labels of the queries (M,) and of the bank (N,): images with the same label are
    not neighbours.
    """
    squares = bank.square().sum(1)
    step = max(1, CELLS // len(bank))
    rows = []
    for start in range(0, len(queries), step):
        part = slice(start, start + step)
        scores = torch.addmm(squares, queries[part], bank.T, alpha=-2)
        if apart is not None:
            scores.masked_fill_(apart[0][part, None] == apart[1], torch.inf)
        rows.append(scores.topk(k, largest=False).indices)
    return torch.cat(rows)


def _connected(edges: Tensor, points: Tensor) -> Any:
    """Return the symmetric graph (scipy CSR) of neighbours (N, k), in one piece.

    Pieces without an edge between them would each get a dimension of their own, so all but the
    largest are joined to the nearest other piece until one is left (Borůvka 1926).
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    count, k = edges.shape
    ends = (np.repeat(np.arange(count), k), edges.numpy(force=True).ravel())
    directed = csr_array((np.full(count * k, 0.5), ends), (count, count))
    graph = directed + directed.T
    pieces, piece_of = connected_components(graph, directed=False)
    while pieces > 1:
        one, other = _shortest_edges(piece_of, points)
        bridges = csr_array(
            (np.ones(2 * len(one)), (np.r_[one, other], np.r_[other, one])), graph.shape
        )
        bridges.data[:] = 1  # two pieces may have chosen the same
        graph = graph + bridges
        pieces, piece_of = connected_components(graph, directed=False)
    return graph


def _shortest_edges(
    piece_of: NDArray[np.int32], points: Tensor
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return both ends of each piece's shortest edge to another; the largest piece has none."""
    loose = np.flatnonzero(piece_of != np.bincount(piece_of).argmax())
    labels = torch.from_numpy(piece_of).to(points.device)
    nearest = nearest_rows(points[loose], points, 1, (labels[loose], labels))[:, 0]
    lengths = (points[loose] - points[nearest]).square().sum(1)
    by_length = lengths.argsort(stable=True).numpy(force=True)
    _, first = np.unique(piece_of[loose][by_length], return_index=True)
    chosen = by_length[first]
    return loose[chosen], nearest.numpy(force=True)[chosen]


def _smoothest(graph: Any, dimensions: int) -> NDArray[np.float64]:
    """Return the first eigenvectors of the random walk's Laplacian after the constant, (N, D)."""
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import eigsh

    root = np.sqrt(graph.sum(0))
    walk = diags_array(1 / root) @ graph @ diags_array(1 / root)
    # The Laplacian is 1 - walk: its smallest eigenvalues are the walk's largest. Finding those
    # needs products only; a factorisation would not stay sparse with thousands of images.
    start = np.random.default_rng(0).uniform(-1, 1, len(root))
    values, vectors = eigsh(walk, dimensions + 1, which="LA", v0=start)
    order = np.argsort(values)[::-1][1:]
    vectors = vectors[:, order] / root[:, None]
    vectors /= vectors.std(0)
    largest = np.abs(vectors).argmax(0)
    signed: NDArray[np.float64] = vectors * np.sign(vectors[largest, range(dimensions)])
    return signed


def _make_room(module: nn.Module, state: dict[str, Any], prefix: str, *_: object) -> None:
    """Resize the buffers to the size of those about to be loaded."""
    for name in ("bank", "latents"):
        if (saved := state.get(prefix + name)) is not None:
            setattr(module, name, getattr(module, name).new_empty(saved.shape))
