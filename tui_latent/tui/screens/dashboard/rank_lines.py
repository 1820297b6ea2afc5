"""The processes that train a run together, in lines of the machine's panel."""

from __future__ import annotations

from collections.abc import Sequence

from tui_latent.nouns import counted
from tui_latent.runs.ranks_file import RankStatus
from tui_latent.tui.format import UNKNOWN


def rank_lines(ranks: Sequence[RankStatus], room: int, width: int) -> list[tuple[str, str]]:
    """Return name and text of a line for each rank, or of two for all if they need more `room`.

    A text has at most `width` cells if one of its forms does: shorter ones leave out the host,
    which is the same for all on one machine, and then the rate, which is the same for all.
    """
    if len(ranks) <= max(room, 2):
        return [
            (f"rank {number}", _fitting(_forms(rank, ranks), width))
            for number, rank in enumerate(ranks)
        ]
    hosts = len({rank.host for rank in ranks})
    parts = [f"{hosts} hosts"] if hosts > 1 else []
    forms = [[str(len(ranks)), *parts, _each(ranks), *_waits(ranks)]]
    forms.append([str(len(ranks)), *(_waits(ranks) or [_each(ranks)])])
    lines = [("ranks", _fitting([" · ".join(form) for form in forms], width))]
    last = min(range(len(ranks)), key=lambda number: ranks[number].waiting or 0.0)
    if ranks[last].waiting is not None:  # the one that the others wait for
        texts = [f"slowest · {text}" for text in _forms(ranks[last], ranks)]
        lines.append((f"rank {last}", _fitting([*texts, "slowest"], width)))
    return lines


def ranks_summary(ranks: Sequence[RankStatus]) -> list[str]:
    """Return what all ranks do in a few parts, the most important first."""
    return [counted(len(ranks), "rank"), *(_waits(ranks) or [_each(ranks)])]


def _fitting(forms: Sequence[str], width: int) -> str:
    return next((form for form in forms if len(form) <= width), forms[-1])


def _each(ranks: Sequence[RankStatus]) -> str:
    return f"{_rate(ranks[0])} img/s each"


def _waits(ranks: Sequence[RankStatus]) -> list[str]:
    waits = [rank.waiting for rank in ranks if rank.waiting is not None]
    return [f"wait {100 * min(waits):.0f} to {100 * max(waits):.0f} %"] if waits else []


def _forms(rank: RankStatus, ranks: Sequence[RankStatus]) -> list[str]:
    """Return what a rank does in forms of falling length."""
    device = rank.device.partition(" ")[0]
    waits = [] if rank.waiting is None else [f"waits {100 * rank.waiting:.0f} %"]
    whole = " · ".join([device, f"{_rate(rank)} img/s", *waits])
    forms = [whole, " ".join([device, f"{_rate(rank)}/s", *waits]), " ".join([device, *waits])]
    several = len({each.host for each in ranks}) > 1
    return [f"{rank.host} {whole}", *forms] if several else forms


def _rate(rank: RankStatus) -> str:
    return UNKNOWN if rank.images_per_second is None else f"{rank.images_per_second:,.0f}"
