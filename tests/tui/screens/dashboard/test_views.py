"""What the dashboard's panels say of a snapshot."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.made_runs import PRESET, clusters, new_run
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import LatentMap
from tui_latent.tui.screens.dashboard.views import loss_series, loss_terms, map_titles


@pytest.mark.parametrize("projection", ["pca", "native"])
def test_the_title_says_how_the_points_came_about(projection: str) -> None:
    known = clusters(50, 2)
    latent_map = LatentMap(1234, known.points, known.indices, known.labels, ("a", "b"), projection)
    titles = map_titles(latent_map, hidden=3)
    assert ("Latent map, PCA" in titles[0]) == (projection == "pca")
    assert "6 % hidden" in titles[0]
    assert all("step 1,234" in title for title in titles)
    assert [len(title) for title in titles] == sorted((len(t) for t in titles), reverse=True)


@pytest.mark.parametrize(
    ("method", "terms"),
    [("contrastive", ["info_nce"]), ("added elsewhere", ["info_nce", "grad_norm"])],
)
def test_the_loss_has_the_terms_that_its_method_declares(
    tmp_path: Path, method: str, terms: list[str]
) -> None:
    writer = new_run(tmp_path, preset={**PRESET, "method": {"name": method}})
    names = ("train/loss", "train/info_nce", "train/grad_norm", "val/grad_norm", "train/lr")
    writer.metrics(10, 0.1, 1.0, dict.fromkeys(names, 1.0))
    writer.close()
    snapshot = RunReader(writer.path).refresh()
    assert loss_terms(snapshot) == terms
    assert [series.name for series in loss_series(snapshot)] == [
        "total",
        *("InfoNCE" if term == "info_nce" else "grad norm" for term in terms),
    ]
