from __future__ import annotations

import pytest

from tui_latent.runs.origin import Origin, nouns_of, origin_of


@pytest.mark.parametrize("origin", ["trained", "watched", "opened"])
def test_only_vectors_from_a_file_are_not_called_images(origin: Origin) -> None:
    assert origin_of({"origin": origin}) == origin
    called_images = [noun.endswith("image") for noun in nouns_of(origin)]
    assert called_images == [origin != "opened"] * len(called_images)
