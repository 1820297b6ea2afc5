"""Several processes compute what a single one does with the whole batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training import rank_cases
from tests.training.rank_cases import CASES

ROOT = Path(__file__).parents[2]
Found = dict[str, dict[str, torch.Tensor]]


def launched(world: int, *words: str) -> None:
    """Run a module's command in so many processes, as torchrun starts them."""
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone",
         f"--nproc-per-node={world}", *words],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True, capture_output=True,
    )  # fmt: skip


@pytest.fixture(scope="module", params=[2, 4], ids=["two", "four"])
def computed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What two or four processes computed."""
    out = tmp_path_factory.mktemp("ranks") / "found.pt"
    launched(request.param, "-m", "tests.training.rank_cases", str(out))
    found: Found = torch.load(out, weights_only=True)
    return found


@pytest.mark.parametrize("case", CASES)
def test_terms_gradients_and_statistics_are_those_of_one_process(
    case: str, computed: Found
) -> None:
    expected = rank_cases.alone(case)
    assert computed[case].keys() == expected.keys()
    # A bias before a batch norm has a gradient of 0, of which only rounding errors are left.
    largest = max(float(value.abs().max()) for value in expected.values())
    for name, value in expected.items():
        torch.testing.assert_close(
            computed[case][name], value, rtol=1e-4, atol=1e-6 * largest,
            msg=lambda text, name=name: f"{name}: {text}",
        )  # fmt: skip
