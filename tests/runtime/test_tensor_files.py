"""Tensors are mapped as safetensors itself reads them, and damaged files are refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tui_latent.runtime.tensor_files import mapped_tensors


def test_tensors_are_those_that_were_saved(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    saved = {
        "a": torch.randn(7, 3),
        "b": torch.arange(5),
        "none": torch.zeros(0, 4),
        "half": torch.randn(3, 2).half(),
        "brain": torch.randn(4, 2).bfloat16(),
    }
    save_file(saved, path, metadata={"step": "12"})
    arrays, header = mapped_tensors(path)
    assert header["__metadata__"] == {"step": "12"}
    for name in ("a", "b", "none", "half"):
        assert torch.from_numpy(arrays[name]).equal(saved[name])
    bits = arrays["brain"].astype(np.uint32) << 16
    assert torch.from_numpy(bits.view(np.float32)).equal(saved["brain"].float())


def test_writing_to_a_mapped_tensor_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    save_file({"a": torch.ones(3)}, path)
    before = path.read_bytes()
    mapped_tensors(path)[0]["a"][:] = 5
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [5, 4], "data_offsets": [0, 64]},
        {"dtype": "F32", "shape": [-4, -4], "data_offsets": [0, 64]},
        {"dtype": "F32", "shape": [4], "data_offsets": [-16, 0]},
        {"dtype": "F32", "shape": "many", "data_offsets": [0, 64]},
    ],
)
def test_a_tensor_whose_place_does_not_match_is_refused(
    tmp_path: Path, entry: dict[str, object]
) -> None:
    path = tmp_path / "some.safetensors"
    whole = {"dtype": "U8", "shape": [64], "data_offsets": [0, 64]}
    header = json.dumps({"wrong": entry, "whole": whole}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 64)
    with pytest.raises(ValueError, match="the tensor wrong cannot be read"):
        mapped_tensors(path)
