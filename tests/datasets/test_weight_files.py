"""Files of weights as training scripts leave them, read for a network of torch's own."""

from __future__ import annotations

import argparse
import collections
import os
import pathlib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tui_latent.datasets.weight_choice import weights_of
from tui_latent.datasets.weight_files import loading_weights, read_weight_file
from tui_latent.sources.errors import DataError

State = Mapping[str, Tensor]


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    torch.manual_seed(0)
    built = nn.Sequential(
        collections.OrderedDict(
            stem=nn.Conv2d(3, 4, 3), norm=nn.BatchNorm2d(4), out=nn.Linear(4, 2)
        )
    )
    return built.state_dict()


def put(start: str, state: State) -> dict[str, Tensor]:
    return {start + name: value for name, value in state.items()}


def other(state: State) -> dict[str, Tensor]:
    return {name: value + 1 for name, value in state.items()}


def read(path: Path, state: State) -> dict[str, Tensor]:
    """Read a file as a network with the parameters of `state` does."""
    with loading_weights(path, "net"):
        return weights_of(read_weight_file(path), state.keys())


CHECKPOINTS: dict[str, Callable[[State], Any]] = {
    "state dict": lambda s: s,
    "epoch and model_state_dict": lambda s: {"epoch": 3, "model_state_dict": s},
    "net beside the optimizer": lambda s: {
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]},
        "net": s,
    },
    "three levels": lambda s: {"checkpoint": {"model": {"state_dict": s}}},
    "DataParallel": lambda s: {"state_dict": put("module.", s)},
    "compiled, then DataParallel": lambda s: put("module._orig_mod.", s),
    "DataParallel, then compiled": lambda s: put("_orig_mod.module.", s),
    "Lightning": lambda s: {
        "pytorch-lightning_version": "2.5.0",
        "hyper_parameters": {"folder": pathlib.PosixPath("/data")},
        "state_dict": put("model.backbone.", s) | {"model.head.weight": torch.zeros(7, 4)},
    },
    "MoCo": lambda s: {
        "state_dict": put("module.encoder_q.", s) | put("module.encoder_k.", other(s))
    },
    "DINO": lambda s: {
        "student": put("module.backbone.", other(s)),
        "teacher": put("backbone.", s),
    },
    "moving average": lambda s: {"model": other(s), "model_ema": s},
    "arguments": lambda s: {"args": argparse.Namespace(lr=0.1), "model": s},
    "NumPy's numbers": lambda s: {"best": np.float64(0.9), "at": np.int64(3), "state_dict": s},
}  # fmt: skip


@pytest.mark.parametrize("made", CHECKPOINTS.values(), ids=CHECKPOINTS)
@pytest.mark.parametrize("archive", [True, False], ids=["archive", "old format"])
def test_weights_are_found_in_checkpoints(
    made: Callable[[State], Any], archive: bool, state: State, tmp_path: Path
) -> None:
    path = tmp_path / "mine.pth"
    torch.save(made(state), path, _use_new_zipfile_serialization=archive)
    found = read(path, state)
    assert all(found[name].equal(value) for name, value in state.items())


@pytest.mark.parametrize("start", ["", "module.", "model.backbone."])
@pytest.mark.parametrize(
    ("larger", "layer"), [("layer1.2.conv1.weight", "layer1.2"), ("blocks.2.1.bias", "blocks.2")]
)
def test_weights_of_a_larger_network_are_not_cut_to_a_smaller_one(
    start: str, larger: str, layer: str, tmp_path: Path
) -> None:
    names = [f"{kind}.{k}.{name}" for k in range(2) for kind, name in
             (("layer1", "conv1.weight"), ("blocks", "0.bias"))]  # fmt: skip
    state = dict.fromkeys(names, torch.ones(2))
    path = tmp_path / "larger.pth"
    torch.save(put(start, state | {larger: torch.ones(2)}), path)
    with pytest.raises(DataError, match=f"it has {layer}, and this network ends before"):
        read(path, state)
    torch.save(put(start, state | {"head.2.weight": torch.ones(2)}), path)
    assert read(path, state).keys() >= state.keys()


@pytest.mark.parametrize("start", ["", "module.", "state_dict.", "net.encoder."])
@pytest.mark.parametrize("ending", ["safetensors", "bin", "pth", ""])
def test_safetensors_are_read_whatever_the_names(
    start: str, ending: str, state: State, tmp_path: Path
) -> None:
    path = tmp_path / f"weights.{ending}"
    save_file(put(start, state), path)
    assert all(read(path, state)[name].equal(value) for name, value in state.items())


def test_a_file_of_torch_may_be_called_safetensors(state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "weights.safetensors")
    assert read(tmp_path / "weights.safetensors", state).keys() == state.keys()


def test_names_that_only_a_library_knows_are_returned_as_they_are(tmp_path: Path) -> None:
    foreign = {"module.conv_stem": torch.zeros(2), "module.blocks": torch.ones(2)}
    torch.save({"epoch": 1, "state_dict": foreign}, tmp_path / "w.pt")
    assert set(read(tmp_path / "w.pt", {"stem.weight": torch.ones(1)})) == {"conv_stem", "blocks"}


class _Runs:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (open, (self.path, "w"))


def _cut(state: State, path: Path) -> None:
    torch.save(state, path)
    os.truncate(path, path.stat().st_size // 2)


def _cut_tensors(state: State, path: Path) -> None:
    save_file(dict(state), path.with_suffix(".safetensors"))
    path.write_bytes(path.with_suffix(".safetensors").read_bytes()[:-8])


def _program(state: State, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:  # as torch.jit.save lays it out
        for name in ("constants.pkl", "data.pkl", "code/__torch__.py"):
            archive.writestr(f"net/{name}", b"")


def _not_a_number(state: State, path: Path) -> None:
    torch.save({**state, "norm.weight": torch.tensor([1.0, float("nan")])}, path)


SPOILT: dict[str, tuple[Callable[[State, Path], object], str]] = {
    "cut": (_cut, "damaged or incomplete"),
    "cut safetensors": (_cut_tensors, "damaged or incomplete"),
    "TorchScript": (_program, "a TorchScript program"),
    "arrays": (lambda s, p: np.savez(p.open("wb"), a=np.zeros(2)), "torch did not write"),
    "empty": (lambda s, p: p.touch(), "it is empty"),
    "pointer": (lambda s, p: p.write_text("version https://git-lfs.github.com/"), "Git LFS"),
    "page": (lambda s, p: p.write_text("<!DOCTYPE html><html>"), "a web page"),
    "text": (lambda s, p: p.write_text("hello"), "neither safetensors nor a state dict"),
    "no weights": (lambda s, p: torch.save({"epoch": 1, "model": {}}, p), "no named tensors"),
    "list": (lambda s, p: torch.save([torch.zeros(2)], p), "no named tensors"),
    "module": (lambda s, p: torch.save(nn.Linear(2, 2), p), "Python objects such as torch.nn"),
    "not finite": (_not_a_number, "norm.weight has values that are not finite"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "said"), SPOILT.values(), ids=SPOILT)
def test_a_file_without_weights_is_called_what_it_is(
    spoil: Callable[[State, Path], object], said: str, state: State, tmp_path: Path
) -> None:
    path = tmp_path / "mine.pth"
    spoil(state, path)
    with pytest.raises(DataError, match=said) as caught:
        read(path, state)
    assert str(caught.value).startswith(f"{path}: not the weights of net (")
    assert "\n" not in str(caught.value)


def test_code_in_a_file_is_named_and_never_run(state: State, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    torch.save({"state_dict": state, "more": _Runs(str(ran))}, tmp_path / "mine.pth")
    with pytest.raises(DataError, match=r"such as io\.open, which are not loaded because they"):
        read(tmp_path / "mine.pth", state)
    assert not ran.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: {k: v for k, v in s.items() if k != "weight"}, "1 tensor is missing, such as"),
        (lambda s: {}, "2 tensors are missing, such as weight"),
        (lambda s: s | {"weight": torch.zeros(4, 3)}, r"weight has the shape \(4, 3\), not \(2, 3"),
    ],
    ids=["part", "nothing", "other shape"],
)  # fmt: skip
def test_torchs_own_errors_are_short(
    change: Callable[[State], Mapping[str, Any]], said: str, tmp_path: Path
) -> None:
    network = nn.Linear(3, 2)
    with pytest.raises(DataError, match=said), loading_weights(tmp_path / "w.pt", "net"):
        network.load_state_dict(change(network.state_dict()))
