from __future__ import annotations

import pytest

from tui_latent.runs.origin import in_its_words

SAID = {
    "Of 600 held-out images; the interval is 0.9.": "Of 600 vectors; the interval is 0.9.",
    "all held-out latents are equal": "all vectors are equal",
    "the other view of an image": "the other view of a vector",
    "one held-out image is too few": "one vector is too few",
    "The map is the latent space itself.": "The map is the latent space itself.",
    "image is often taken for text (5 of 59).": "image is often taken for text (5 of 59).",
    "No image is far from all others.": "No vector is far from all others.",
}


@pytest.mark.parametrize("text", SAID)
def test_vectors_from_a_file_are_not_called_held_out_images(text: str) -> None:
    assert in_its_words("opened", text) == SAID[text]
    assert in_its_words("trained", text) == in_its_words("watched", text) == text
