"""Several processes compute what a single one does with the whole batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.training import rank_cases, rank_evaluations
from tests.training.rank_cases import CASES
from tests.training.rank_evaluations import EVALUATIONS
from tui_latent.methods.common_batch_norm import with_common_statistics
from tui_latent.sources.errors import DataError
from tui_latent.training.epoch_sampler import EpochSampler
from tui_latent.training.rank_commands import Command
from tui_latent.training.rank_groups import lost_others
from tui_latent.training.rank_losses import refuse_uneven
from tui_latent.training.ranks import ALONE, Ranks

ROOT = Path(__file__).parents[2]
IMAGES = 40
"""of each class in the folder that the processes load"""
Found = dict[str, dict[str, torch.Tensor]]


def launched(world: int, *words: str, **variables: str) -> None:
    """Run a module's command in so many processes, as torchrun starts them."""
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone",
         f"--nproc-per-node={world}", *words],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1", **variables}, check=True,
        capture_output=True,
    )  # fmt: skip


@pytest.fixture(scope="module", params=[2, 4], ids=["two", "four"])
def computed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What two or four processes computed."""
    folder = tmp_path_factory.mktemp("ranks")
    for number in range(IMAGES + 2):
        split = "train" if number < IMAGES else "val"
        for name in ("one", "two"):
            path = folder / "images" / split / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (20, 20), (number, 2 * number, len(name))).save(path)
    out, data = folder / "found.pt", {"TUI_LATENT_DATA": str(folder / "data")}
    words = ("-m", "tests.training.rank_cases", str(out), str(folder / "images"))
    launched(request.param, *words, **data)
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
            {name: computed[case][name]}, {name: value}, rtol=5e-4, atol=2e-6 * largest
        )


@pytest.mark.parametrize("case", EVALUATIONS)
def test_an_evaluation_finds_what_one_process_finds(case: str, computed: Found) -> None:
    expected = rank_evaluations.evaluated(case, ALONE)
    found = computed[f"evaluation {case}"]
    share, images = found.pop("images by rank"), expected.pop("images by rank")
    assert share.tolist() == [-(-int(images) // len(share))] * len(share), "equal shares"
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close({name: found[name]}, {name: value}, rtol=1e-4, atol=1e-5)


def test_an_evaluation_that_rank_0_leaves_is_left_by_all(computed: Found) -> None:
    heard = computed["left"]["heard"].tolist()
    assert heard == [Command.TERMS] * len(heard) and heard


def test_one_process_decodes_the_images_of_a_machine_and_the_others_read_them(
    computed: Found,
) -> None:
    decoded, sums = computed["decoded"]["decoded"].tolist(), computed["decoded"]["sums"].tolist()
    assert sorted(decoded) == [0] * (len(decoded) - 1) + [2 * (IMAGES + 2)]
    assert len(set(sums)) == 1 and sums[0] > 0


def test_a_batch_that_the_processes_cannot_divide_is_refused_with_one_that_they_can() -> None:
    with pytest.raises(DataError, match=r"3 processes .* 512 .*batch_size=510 or .*batch_size=513"):
        refuse_uneven(512, 3)
    refuse_uneven(510, 3)


def test_rows_that_ranks_share_make_up_the_batch() -> None:
    rows = torch.arange(12)
    shares = [Ranks(rank, 4).share(rows) for rank in range(4)]
    assert torch.equal(torch.cat(shares), rows)
    assert {len(share) for share in shares} == {3}


@pytest.mark.parametrize("world", [2, 4])
@pytest.mark.parametrize("images", [96, 101])
def test_any_number_of_ranks_trains_on_the_same_rows_at_each_step(world: int, images: int) -> None:
    alone = EpochSampler(images, 24, seed=3)
    several = [EpochSampler(images, 24, seed=3, ranks=Ranks(rank, world)) for rank in range(world)]
    for step in (*range(10), 7, 40):  # a resume may go back, or begin anywhere
        shares = [sampler.rows(step) for sampler in several]
        assert torch.equal(torch.cat(shares), alone.rows(step))


def test_other_ranks_draw_random_numbers_that_depend_on_seed_rank_and_step_alone() -> None:
    def drawn(rank: int, step: int) -> float:
        generator = torch.Generator()
        Ranks(rank, 4).seed(generator, 7, step)
        return float(torch.rand((), generator=generator))

    assert drawn(1, 5) == drawn(1, 5)
    assert len({drawn(rank, step) for rank in (1, 2, 3) for step in (0, 1, 2)}) == 9


def test_losing_another_process_is_told_from_other_errors() -> None:
    assert lost_others(RuntimeError("Read error [127.0.0.1]:1: Connection reset by peer"))
    assert not lost_others(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_common_statistics_keep_the_parameters_that_the_optimiser_has() -> None:
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), torch.nn.BatchNorm2d(2))
    before = [id(parameter) for parameter in net.parameters()]
    with_common_statistics(net, torch.device("cpu"))
    assert not isinstance(net[1], torch.nn.BatchNorm2d)
    assert [id(parameter) for parameter in net.parameters()] == before
