"""What the dashboard's panels say of a snapshot."""

from __future__ import annotations

import pytest

from tests.tui.made_runs import clusters
from tui_latent.runs.schema import LatentMap
from tui_latent.tui.screens.dashboard.views import map_titles


@pytest.mark.parametrize("projection", ["pca", "native"])
def test_the_title_says_how_the_points_came_about(projection: str) -> None:
    known = clusters(50, 2)
    latent_map = LatentMap(1234, known.points, known.indices, known.labels, ("a", "b"), projection)
    titles = map_titles(latent_map, hidden=3)
    assert ("pca" in titles[0]) == (projection == "pca")
    assert "6 % hidden" in titles[0]
    assert all("step 1,234" in title for title in titles)
    assert [len(title) for title in titles] == sorted((len(t) for t in titles), reverse=True)
