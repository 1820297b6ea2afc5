"""Batch norms of several processes against torch's on the whole batch, in float64 and as trained.

Threads stand in for processes here; `tests/training/test_ranks.py` trains in real ones.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tui_latent.methods import common_batch_norm
from tui_latent.methods.common_batch_norm import with_common_statistics
from tui_latent.sources.errors import DataError

WORLD, ROWS, CHANNELS = 2, 6, 3
CPU = torch.device("cpu")


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], Any]], list[Any]]:
    """Call a function in two threads, which exchange what `of_all` is given."""
    barrier, place, own = threading.Barrier(WORLD), threading.local(), {}

    def of_all(x: Tensor) -> Tensor:
        own[place.rank] = x
        barrier.wait(60)
        whole = torch.stack([own[rank] for rank in range(WORLD)])
        barrier.wait(60)
        return whole

    monkeypatch.setattr(common_batch_norm, "of_all", of_all)
    monkeypatch.setattr(common_batch_norm, "several", lambda: True)
    monkeypatch.setattr(common_batch_norm, "ranks", lambda: WORLD)

    def call(work: Callable[[int], Any]) -> list[Any]:
        def run(rank: int) -> Any:
            place.rank = rank
            return work(rank)

        with ThreadPoolExecutor(WORLD) as threads:
            return list(threads.map(run, range(WORLD)))

    return call


@pytest.mark.parametrize(
    "options", [{}, {"affine": False}, {"momentum": None}, {"track_running_stats": False}], ids=str
)
@pytest.mark.parametrize("shape", [(), (5, 4)], ids=["vectors", "images"])
@pytest.mark.parametrize("far", [0.0, 30.0], ids=["centred", "far from 0"])
def test_outputs_gradients_and_averages_are_those_of_the_whole_batch(
    options: dict[str, Any], shape: tuple[int, ...], far: float, together: Any
) -> None:
    torch.manual_seed(0)
    kind = nn.BatchNorm2d if shape else nn.BatchNorm1d
    norm = kind(CHANNELS, **options)
    if norm.affine:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    x = torch.randn(WORLD * ROWS, CHANNELS, *shape) + far
    weighted = torch.randn_like(x)
    exact = copy.deepcopy(norm).double()
    truth = x.double().requires_grad_()
    (exact(truth) * weighted.double()).sum().backward()
    layers = [nn.Sequential(copy.deepcopy(norm)) for _ in range(WORLD)]
    for layer in layers:
        with_common_statistics(layer, CPU)

    def work(rank: int) -> tuple[Tensor, Tensor, list[Tensor]]:
        rows = slice(rank * ROWS, (rank + 1) * ROWS)
        part = x[rows].clone()
        if shape:
            part = part.contiguous(memory_format=torch.channels_last)
        part.requires_grad_()
        out = layers[rank](part)
        weights = list(layers[rank].parameters())
        gradients = torch.autograd.grad((out * weighted[rows]).sum(), [part, *weights])
        return out.detach(), gradients[0], list(gradients[1:])

    found = together(work)
    atol, rtol = (2e-4, 1e-3) if far else (2e-5, 1e-4)
    for index, expected in ((0, exact(x.double())), (1, truth.grad)):
        together_again = torch.cat([part[index] for part in found]).double()
        torch.testing.assert_close(together_again, expected, atol=atol, rtol=rtol)
    for number, parameter in enumerate(exact.parameters()):
        summed = sum(part[2][number] for part in found)
        torch.testing.assert_close(summed.double(), parameter.grad, atol=atol, rtol=rtol)
    once = copy.deepcopy(norm).double()
    once(x.double())
    for layer in layers:
        for name, value in once.state_dict().items():
            torch.testing.assert_close(
                layer[0].state_dict()[name].double(), value.double(), atol=1e-5, rtol=1e-5
            )


@pytest.mark.parametrize("absent", ["bias", "weight"])
def test_a_norm_may_have_no_bias_or_no_weight_and_keeps_float64(absent: str, together: Any) -> None:
    torch.manual_seed(0)
    exact = nn.BatchNorm1d(CHANNELS).double()
    setattr(exact, absent, None)
    layers = [nn.Sequential(copy.deepcopy(exact)) for _ in range(WORLD)]
    x = torch.randn(WORLD * ROWS, CHANNELS).double()
    truth = x.clone().requires_grad_()
    torch.autograd.backward(exact(truth).pow(3).sum())

    def work(rank: int) -> tuple[Tensor, Tensor]:
        part = x[rank * ROWS : (rank + 1) * ROWS].clone().requires_grad_()
        with_common_statistics(layers[rank], CPU)
        torch.autograd.backward(layers[rank](part).pow(3).sum())
        (left,) = layers[rank].parameters()
        assert part.grad is not None and left.grad is not None
        return part.grad, left.grad

    found = together(work)
    (left,) = exact.parameters()
    assert truth.grad is not None and left.grad is not None
    gradients = torch.cat([of_x for of_x, _ in found])
    torch.testing.assert_close(gradients, truth.grad, atol=1e-12, rtol=1e-9)
    summed = torch.stack([of_left for _, of_left in found]).sum(0)
    torch.testing.assert_close(summed, left.grad, atol=1e-12, rtol=1e-9)


def test_a_gradient_of_a_gradient_is_refused_instead_of_being_wrong(together: Any) -> None:
    layers = [nn.Sequential(nn.BatchNorm1d(CHANNELS)) for _ in range(WORLD)]

    def work(rank: int) -> None:
        with_common_statistics(layers[rank], CPU)
        x = torch.randn(ROWS, CHANNELS, requires_grad=True)
        (slope,) = torch.autograd.grad(layers[rank](x).pow(3).sum(), x, create_graph=True)
        with pytest.raises(RuntimeError, match="differentiate twice"):
            torch.autograd.backward(slope.pow(2).sum())

    together(work)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU, nn.PReLU], ids=["relu", "silu", "prelu"])
def test_a_norm_of_timm_still_ends_with_its_activation(
    activation: type[nn.Module], together: Any
) -> None:
    layers = pytest.importorskip("timm.layers", reason="timm is not installed")
    torch.manual_seed(0)
    norm = layers.BatchNormAct2d(CHANNELS, act_layer=activation)
    x = torch.randn(WORLD * ROWS, CHANNELS, 5, 4)
    exact = copy.deepcopy(norm).double()
    expected = exact(x.double())
    torch.autograd.backward(expected.square().sum())
    networks = [nn.Sequential(copy.deepcopy(norm)) for _ in range(WORLD)]
    for network in networks:
        with_common_statistics(network, CPU)
    assert set(networks[0].state_dict()) == {f"0.{name}" for name in norm.state_dict()}

    def work(rank: int) -> Tensor:
        out: Tensor = networks[rank](x[rank * ROWS : (rank + 1) * ROWS])
        torch.autograd.backward(out.square().sum())
        return out.detach()

    found = torch.cat(together(work)).double()
    torch.testing.assert_close(found, expected.detach(), atol=2e-5, rtol=1e-4)
    for name, parameter in exact.named_parameters():
        parts = [network.get_parameter(f"0.{name}").grad for network in networks]
        summed = torch.stack([part for part in parts if part is not None]).sum(0)
        torch.testing.assert_close(summed.double(), parameter.grad, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("name", ["mobilenetv3_small_050", "regnetx_002", "resnet18"])
def test_a_network_of_timm_embeds_as_before(name: str, device: str) -> None:
    timm = pytest.importorskip("timm", reason="timm is not installed")
    torch.manual_seed(0)
    network = timm.create_model(name, num_classes=0).eval()
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        before = network(x)
        with_common_statistics(network, torch.device(device))
        torch.testing.assert_close(network(x), before, atol=0, rtol=0)


def test_a_norm_that_does_something_else_is_refused() -> None:
    class Doubled(nn.BatchNorm1d):
        def forward(self, x: Tensor) -> Tensor:
            return 2 * super().forward(x)

    with pytest.raises(DataError, match=r"share the statistics of a Doubled: .* --devices 1"):
        with_common_statistics(nn.Sequential(Doubled(CHANNELS)), CPU)
