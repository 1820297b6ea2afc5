"""The processes that train a run together, in lines of the machine's panel."""

from __future__ import annotations

from collections.abc import Sequence

from tui_latent.runs.ranks_file import RankStatus
from tui_latent.tui.format import UNKNOWN


def rank_lines(ranks: Sequence[RankStatus], room: int) -> list[tuple[str, str]]:
    """Return name and text of a line for each rank, or of two for all if they need more `room`."""
    if len(ranks) <= max(room, 2):
        return [(f"rank {number}", _text(rank, ranks)) for number, rank in enumerate(ranks)]
    last = min(range(len(ranks)), key=lambda number: ranks[number].waiting or 0.0)
    lines = [("ranks", f"{len(ranks)} · {_together(ranks)}")]
    if ranks[last].waiting is not None:  # the one that the others wait for
        lines.append(("slowest", f"rank {last} · {_text(ranks[last], ranks)}"))
    return lines


def ranks_summary(ranks: Sequence[RankStatus]) -> list[str]:
    """Return what all ranks do in a few parts, the most important first."""
    return [f"{len(ranks)} rank{'s' * (len(ranks) != 1)}", *(_waits(ranks) or [_each(ranks)])]


def _together(ranks: Sequence[RankStatus]) -> str:
    hosts = len({rank.host for rank in ranks})
    parts = [f"{hosts} hosts"] if hosts > 1 else []
    return " · ".join([*parts, _each(ranks), *_waits(ranks)])


def _each(ranks: Sequence[RankStatus]) -> str:
    return f"{_rate(ranks[0])} img/s each"


def _waits(ranks: Sequence[RankStatus]) -> list[str]:
    waits = [rank.waiting for rank in ranks if rank.waiting is not None]
    return [f"wait {100 * min(waits):.0f} to {100 * max(waits):.0f} %"] if waits else []


def _text(rank: RankStatus, ranks: Sequence[RankStatus]) -> str:
    device = rank.device.partition(" ")[0]
    if len({each.host for each in ranks}) > 1:
        device = f"{rank.host} {device}"
    waits = "" if rank.waiting is None else f" · waits {100 * rank.waiting:.0f} %"
    return f"{device} · {_rate(rank)} img/s{waits}"


def _rate(rank: RankStatus) -> str:
    return UNKNOWN if rank.images_per_second is None else f"{rank.images_per_second:,.0f}"
