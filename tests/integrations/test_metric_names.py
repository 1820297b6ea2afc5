"""Names of other packages' metrics."""

from __future__ import annotations

import pytest

from tui_latent.integrations.metric_names import metric_name


@pytest.mark.parametrize(
    ("theirs", "split", "ours"),
    [
        ("loss", "train", "train/loss"),
        ("train_loss", "train", "train/loss"),
        ("train/loss", "train", "train/loss"),
        ("val_loss", "val", "val/loss"),
        ("valid/knn_20", "val", "val/knn_20"),
        ("eval_accuracy", "train", "val/accuracy"),
        ("accuracy", "val", "val/accuracy"),
        ("lr-Adam/pg1", "train", "lr-Adam/pg1"),
        ("val_loss/dataloader_idx_0", "val", "val/loss/dataloader_idx_0"),
        ("trainable", "train", "train/trainable"),
        ("train_", "train", "train/train_"),
    ],
)
def test_a_metric_gets_the_name_that_screens_know(theirs: str, split: str, ours: str) -> None:
    assert metric_name(theirs, split) == ours
