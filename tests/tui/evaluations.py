"""Evaluations as they lie in a run folder, with figures of our making."""

from __future__ import annotations

from typing import Any

import numpy as np


def share(value: float, of: int) -> dict[str, Any]:
    """Return a share with an interval around it."""
    bounds = {"low": value - 0.01, "high": min(value + 0.01, 1.0)}
    return {"value": value, "right": round(value * of), "of": of} | bounds


def knn(classes: int, each: int, wrong: int) -> dict[str, Any]:
    """Return a kNN part in which `wrong` images of each class are taken for the next one."""
    right = np.diag(np.full(classes, each - wrong))
    confusion = right + np.roll(np.diag(np.full(classes, wrong)), 1, axis=1)
    scores = {"precision": 1 - wrong / each, "recall": 1 - wrong / each, "f1": 1 - wrong / each}
    return {
        "images": classes * each,
        "accuracy": {str(k): share(1 - wrong / each, classes * each) for k in (1, 5, 20)},
        "confusion": confusion.tolist(),
        "classes": [scores | {"support": each}] * classes,
    }


def curve(auc: float) -> dict[str, Any]:
    """Return a ROC curve of two straight pieces with the given area."""
    return {"auc": auc, "false_positives": [0.0, 1 - auc, 1.0], "true_positives": [0.0, auc, 1.0]}


def evaluation(classes: int = 10, step: int = 720, **changes: Any) -> dict[str, Any]:
    """Return a whole evaluation."""
    return {
        "format": 1,
        "run": "made",
        "step": step,
        "made": "2026-11-23T18:44:05+0000",
        "seconds": 3.2,
        "latents": {
            "dimensions": 32,
            "training_images": 600 * classes,
            "held_out_images": 100 * classes,
            "written": 1,
        },
        "class_names": [str(index) for index in range(classes)],
        "notes": [],
        "knn_train": knn(classes, 600, 6),
        "knn_held_out": knn(classes, 100, 11),
        "probe": share(0.981, 100 * classes),
        "clustering": {
            "clusters": classes, "asked": classes, "images": 100 * classes, "accuracy": 0.805,
            "nmi": 0.822, "ari": 0.722, "silhouette": 0.39, "silhouette_of": 100 * classes,
        },
        "collapse": {
            "effective_rank": 16.4, "std_min": 0.458, "std_mean": 0.771, "std_max": 1.05,
            "uniformity": -2.11, "alignment": 0.077, "signs": [],
        },
        "map": {
            "projection": "pca", "trustworthiness": 0.867, "continuity": 0.972, "k": 5,
            "images": 100 * classes,
        },
        "anomaly": {"k": 5, "classes": [curve(0.9 + index / 150) for index in range(classes)]},
        "outliers": [],
        "missing": {},
    } | changes  # fmt: skip
