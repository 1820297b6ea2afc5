"""The model of several devices adds up what was measured, and counts bytes as a ring moves them."""

from __future__ import annotations

import pytest

from benchmarks.h100 import H100Links, norm_exchanges, on_gpus
from benchmarks.scaling_model import Exchange, Links, Step, predicted, sent
from benchmarks.scaling_report import filled


def ring_bytes(kind: str, size: int, world: int) -> int:
    """Return the bytes that one device sends while a ring moves parts, a step at a time."""
    part, rounds = size // world, {"all_reduce": 2, "all_gather": 1}[kind]
    return sum(part for _ in range(rounds) for _ in range(world - 1))


@pytest.mark.parametrize("world", [2, 4, 8])
@pytest.mark.parametrize("kind", ["all_reduce", "all_gather"])
def test_bytes_are_those_that_a_ring_sends(kind: str, world: int) -> None:
    assert sent(Exchange(kind, 4096), world) == ring_bytes(kind, 4096, world)


def test_a_step_is_its_share_and_its_exchanges() -> None:
    links = Links(
        {"all_reduce": 0.001, "all_gather": 0.002}, {"all_reduce": 1e6, "all_gather": 2e6}
    )
    exchanges = [
        Exchange("all_reduce", 1000),
        Exchange("all_reduce", 0),
        Exchange("all_gather", 4000),
    ]
    seconds = predicted(0.5, exchanges, links, 4)
    assert seconds == pytest.approx(0.5 + 0.001 + 1500 / 1e6 + 0.001 + 0.002 + 3000 / 2e6)


def test_a_measured_step_gives_its_own_links() -> None:
    times = {"all_reduce": 0.001, "all_gather": 0.001, "broadcast": 0.001}
    found = {
        "group": [0.3, 0.2, 0.4],
        "share": [0.1, 0.3, 0.2],
        "exchanges": [["all_reduce", 4_000_000], ["all_gather", 2_000_000]],
        "norms": [],
        "small": times,
        "large": {kind: 0.021 for kind in times},
    }
    step = Step.read(found, 2)
    assert (step.group, step.share) == (0.3, 0.2)
    assert step.exchanged == pytest.approx(1 / 3)
    # 4 MB took 20 ms more than a few bytes, in both kinds.
    assert step.predicted == pytest.approx(0.2 + 0.021 + 0.011)
    assert step.error == pytest.approx(0.232 / 0.3 - 1)


def test_small_exchanges_take_nccls_latency_and_large_ones_the_bandwidth() -> None:
    links = H100Links()
    tiny, large = Exchange("all_reduce", 4), Exchange("all_reduce", 10e9)
    assert links.seconds(tiny, 8) == pytest.approx(15.2e-6, rel=1e-3)
    assert links.seconds(tiny, 64) == pytest.approx(45.2e-6, rel=1e-3)
    assert links.seconds(large, 8) == pytest.approx(1.75 * 10e9 / 370e9, rel=1e-2)
    assert links.seconds(Exchange("all_gather", 4), 8) == pytest.approx(13.6e-6, rel=1e-2)


def test_gpus_exchange_statistics_in_their_own_way() -> None:
    weights, latents = Exchange("all_reduce", 9000), Exchange("all_gather", 400)
    norm = [Exchange("all_to_all_single", 256)] * 2
    there = on_gpus([weights, latents, *norm], (16,), growth=8)
    assert there == [weights, Exchange("all_gather", 3200)]
    assert norm_exchanges((16,), 8) == [Exchange("all_gather", 1056), Exchange("all_reduce", 128)]


def test_a_table_is_replaced_between_its_marks() -> None:
    page = "a\n<!-- t -->\nold\n<!-- end of t -->\nb\n"
    assert filled(page, "t", ["new"]) == "a\n<!-- t -->\nnew\n<!-- end of t -->\nb\n"
    assert filled(filled(page, "t", ["x"]), "t", ["new"]) == filled(page, "t", ["new"])
