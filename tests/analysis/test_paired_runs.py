"""Runs compared image by image, on latents of our making."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.stats import binomtest
from sklearn.neighbors import KNeighborsClassifier

from tests.analysis.conftest import MakeSpace, write_latents
from tui_latent.analysis.paired_runs import paired_runs
from tui_latent.cli.comparison_table import comparison_text
from tui_latent.comparison import Comparison, compare
from tui_latent.reports.comparison_export import comparison_table
from tui_latent.runs.reader import RunReader


def compared(*paths: Path) -> Comparison:
    return compare([RunReader(path).refresh() for path in paths])


def right(path: Path) -> np.ndarray:
    """Return for which held-out images scikit-learn's kNN@20 is right."""
    parts = {name: t.numpy() for name, t in load_file(path / "latents/last.safetensors").items()}
    model = KNeighborsClassifier(20).fit(parts["bank_latents"], parts["bank_labels"])
    voted = model.predict(parts["query_latents"]) == parts["query_labels"]
    return np.asarray(voted)


def test_accuracies_of_the_same_images_are_paired(make_space: MakeSpace) -> None:
    def noisier(latents: torch.Tensor) -> torch.Tensor:
        noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(7))
        return latents + 2 * noise

    first, second = make_space(), make_space(change=noisier)
    shown = compared(first, second)
    (found,) = paired_runs(shown)
    assert found.accuracy is not None
    only_first, only_second = (
        int((right(a) & ~right(b)).sum()) for a, b in ((first, second), (second, first))
    )
    assert (found.accuracy.only_first, found.accuracy.only_second) == (only_first, only_second)
    expected = binomtest(only_first, only_first + only_second).pvalue
    assert found.accuracy.p == pytest.approx(expected)
    assert found.accuracy.difference == pytest.approx(right(second).mean() - right(first).mean())
    assert found.cka is not None and 0 < found.cka < 1
    assert found.overlap is not None and found.chance is not None
    assert found.chance < found.overlap < 1
    text = comparison_text(shown, [found])
    assert "McNemar p" in text and "on the same 90 images" in text
    written = comparison_table(shown, paired=[found])["paired"]
    assert written[0]["accuracy"]["p"] == pytest.approx(expected)


def test_a_run_turned_and_scaled_is_the_same_space(make_space: MakeSpace) -> None:
    def turned(latents: torch.Tensor) -> torch.Tensor:
        turn = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(1))).Q
        moved: torch.Tensor = 3 * latents @ turn + 7
        return moved

    (found,) = paired_runs(compared(make_space(), make_space(change=turned)))
    assert found.cka == pytest.approx(1, abs=1e-5) and found.overlap == pytest.approx(1, abs=0.01)
    assert found.accuracy is not None and found.accuracy.p == 1


def test_runs_of_other_images_are_not_paired_with_the_reason(
    make_space: MakeSpace,
) -> None:
    shown = compared(make_space(), make_space(query_labels=torch.arange(80) % 4))
    (found,) = paired_runs(shown)
    assert found.accuracy is None and found.cka is None
    assert "80 images, but the first map has 90" in found.no_accuracy
    text = comparison_text(shown, [found])
    assert text.count("cannot be compared with") == 1


def test_runs_without_labels_are_compared_as_spaces(make_space: MakeSpace) -> None:
    path = make_space()
    parts = load_file(path / "latents/last.safetensors")
    unknown = {name: torch.full_like(t, -1) if "labels" in name else t for name, t in parts.items()}
    write_latents(path, 40, **unknown)
    (found,) = paired_runs(compared(path, make_space()))
    assert found.accuracy is None and found.no_accuracy and found.overlap == 1
