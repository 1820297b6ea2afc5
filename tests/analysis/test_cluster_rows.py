"""What each cluster of an evaluation holds, against plain loops."""

from __future__ import annotations

import numpy as np

from tui_latent.analysis.cluster_rows import cluster_rows

NAMES = ("ant", "bee", "cat", "dog", "eel")


def test_rows_name_sizes_classes_and_the_most_typical_image() -> None:
    rng = np.random.default_rng(3)
    latents = rng.normal(size=(60, 5)).astype(np.float32)
    assigned = rng.integers(0, 4, 60) * 7  # numbers need not follow each other
    labels = rng.integers(-1, 5, 60)
    rows = cluster_rows(latents, assigned, labels, NAMES)
    assert [row["images"] for row in rows] == sorted(
        ((assigned == each).sum() for each in np.unique(assigned)), reverse=True
    )
    for row in rows:
        members = [i for i in range(60) if assigned[i] == assigned[row["image"]]]
        assert row["images"] == len(members)
        middle = sum(latents[i].astype(float) for i in members) / len(members)
        distances = {i: float(((latents[i] - middle) ** 2).sum()) for i in members}
        assert row["image"] == min(distances, key=distances.__getitem__)
        counts = {name: 0 for name in NAMES}
        for i in members:
            if labels[i] >= 0:
                counts[NAMES[labels[i]]] += 1
        most = sorted(counts.values(), reverse=True)[:3]
        assert [count for _, count in row["classes"]] == [count for count in most if count]
        assert all(counts[name] == count for name, count in row["classes"])


def test_without_labels_a_row_names_no_class() -> None:
    latents = np.array([[0.0], [1.0], [9.0]])
    unlabelled = np.full(3, -1)
    assert cluster_rows(latents, np.array([0, 0, 1]), unlabelled, ()) == [
        {"image": 0, "images": 2, "classes": []},
        {"image": 2, "images": 1, "classes": []},
    ]
