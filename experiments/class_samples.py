"""How an LDA classifies samples of the digit 2, as in the notebook of MNIST_CAELatentSpace."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from tui_latent.config.presets import load_run_preset
from tui_latent.datasets.sources import load_dataset
from tui_latent.methods import METHODS
from tui_latent.metrics.class_gaussians import class_samples, lda_classifier
from tui_latent.training.checkpoint import load_checkpoint

SAMPLES = 128
"""as in the notebook"""


@torch.inference_mode()
def of_class_two(run: Path) -> dict[str, list[int]]:
    """Count the samples per class, as drawn and after decoding and embedding them."""
    preset = load_run_preset(run)
    dataset = load_dataset(preset.data, preset.train.seed)
    method = METHODS[preset.method.name](preset.method, dataset.input_shape).eval()
    saved = load_checkpoint(run / "checkpoints", "cpu")
    assert saved is not None, f"{run} has no checkpoint"
    method.load_state_dict(saved["method"])

    latents = load_file(run / "latents" / "last.safetensors")
    bank, labels = latents["bank_latents"], latents["bank_labels"]
    generator = torch.Generator().manual_seed(preset.train.seed)
    drawn = class_samples(bank, labels, 2, SAMPLES, generator)
    pictures = method.decode(drawn)
    assert pictures is not None, f"{preset.method.name} has no decoder"
    again = method.embed(dataset.normalise(pictures))
    called = lda_classifier(bank, labels)
    return {
        "drawn": torch.bincount(called(drawn), minlength=10).tolist(),
        "decoded_and_embedded": torch.bincount(called(again), minlength=10).tolist(),
    }
