"""Which of the tensors in a file are the weights of a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import torch
from torch import Tensor

_FIRST: Final = ("state_dict_ema", "model_ema", "ema", "state_dict", "model", "teacher")
"""where training scripts keep the weights among other things, the best first"""
_WRAPPERS: Final = ("module.", "_orig_mod.")
"""what DistributedDataParallel and torch.compile put before each name"""
_DEEPEST: Final = 4
"""how many dictionaries within dictionaries are looked into"""


def weights_of(content: Any, wanted: Collection[str]) -> dict[str, Tensor]:
    """Return the tensors for a network with parameters called `wanted`, by these names.

    `content` is what a file holds: tensors by name, or dictionaries that contain such ones.
    Names may begin with more than the network's, as in a checkpoint of a larger module
    (`module.encoder.conv1.weight`): the beginning is used with which most names are known, and it
    is removed. Where none is known, as in formats that a library converts, all tensors of one
    dictionary are returned. ValueError if there are no tensors, or some are not finite, or if
    numbered layers go on where those of the network end.
    """
    groups = sorted(_groups(content, (), _DEEPEST), key=lambda group: _rank(group[0]))
    if not groups:
        raise ValueError("it has no named tensors")
    best, most = _without_wrappers(groups[0][1]), 0
    for _, tensors in groups:
        start, known = _beginning(tensors, wanted)
        if known > most:
            best, most = _below(tensors, start), known
    if most and (beyond := _layer_beyond(best, wanted)):
        raise ValueError(f"it has {beyond}, and this network ends before: it is of a larger one")
    if bad := next((name for name, value in best.items() if not _finite(value)), ""):
        raise ValueError(f"{bad} has values that are not finite")
    return best


def _groups(
    content: Any, place: tuple[str, ...], deeper: int
) -> Iterator[tuple[tuple[str, ...], dict[str, Tensor]]]:
    """Yield each dictionary that has tensors, with the names that lead to it."""
    if not isinstance(content, Mapping):
        return
    tensors = {str(key): value for key, value in content.items() if torch.is_tensor(value)}
    if tensors:
        yield place, tensors
    if deeper:
        for key, value in content.items():
            yield from _groups(value, (*place, str(key)), deeper - 1)


def _rank(place: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(_FIRST.index(name) if name in _FIRST else len(_FIRST) for name in place)


def _beginning(tensors: Mapping[str, Tensor], wanted: Collection[str]) -> tuple[str, int]:
    """Return what stands before most of the known names, and how many these are."""
    known = Counter[str]()
    for name in tensors:
        start = 0
        while True:
            if name[start:] in wanted:
                known[name[:start]] += 1
            if not (start := name.find(".", start) + 1):
                break
    return known.most_common(1)[0] if known else ("", 0)


def _below(tensors: Mapping[str, Tensor], start: str) -> dict[str, Tensor]:
    return {n.removeprefix(start): value for n, value in tensors.items() if n.startswith(start)}


def _layer_beyond(tensors: Collection[str], wanted: Collection[str]) -> str:
    """Return the first numbered layer that follows those of the network; empty if none does."""
    there = set[str]()
    for name in wanted:
        parts = name.split(".")
        there.update(".".join(parts[: depth + 1]) for depth in range(len(parts)))
    for name in tensors:
        parts = name.split(".")
        for depth, part in enumerate(parts[:-1]):
            layer = ".".join(parts[: depth + 1])
            if layer not in there:
                before = ".".join((*parts[:depth], str(int(part) - 1))) if part.isdecimal() else ""
                if depth and before in there:
                    return layer
                break
    return ""


def _without_wrappers(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    for wrapper in _WRAPPERS * 2:
        if all(name.startswith(wrapper) for name in tensors):
            tensors = _below(tensors, wrapper)
    return tensors


def _finite(value: Tensor) -> bool:
    return not value.is_floating_point() or bool(value.isfinite().all())
