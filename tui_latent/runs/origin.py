"""Where a run comes from: trained here, watched in someone's own loop, or opened from files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

Origin = Literal["trained", "watched", "opened"]
Wish = Literal["pause", "stop", "checkpoint", "lr"]
"""a request that someone's own loop may obey"""

WATCHED: Final = "watched"
"""table of `preset.toml` in which a watched run says what it obeys; it has no `[data]` and no
`[method]`"""

MEASURING: Final = "measuring latents"
"""what a watched run is doing while latents that its loop handed over are measured"""
_OF_VECTORS: Final = (
    (re.compile(r"\bheld-out (?:image|latent)(s?)\b"), r"vector\1"),
    # A class or a run may be called image: only words that such a name does not follow are met.
    (
        re.compile(r"\b(\d|[Nn]o|one|two|all|each|every|these|other|nearest|few) (?:image)(s?)\b"),
        r"\1 vector\2",
    ),
    (re.compile(r"\b([Aa])n image\b"), r"\1 vector"),
)


def origin_of(provenance: Mapping[str, Any]) -> Origin:
    """Return the origin in a run's `[provenance]`; runs without one were trained here."""
    named = provenance.get("origin")
    origins: tuple[Origin, ...] = get_args(Origin)
    return next((origin for origin in origins if origin == named), "trained")


def in_its_words(origin: Origin, text: str) -> str:
    """Return a text about held-out images as it is said of a run: vectors from a file need not be
    of images, and none of them is held out."""
    if origin != "opened":
        return text
    for wanted, said in _OF_VECTORS:
        text = wanted.sub(said, text)
    return text


def obeyed(preset: Mapping[str, Any], provenance: Mapping[str, Any]) -> frozenset[Wish]:
    """Return what a live run can be asked to do, besides changes of settings."""
    origin = origin_of(provenance)
    if origin == "trained":
        return frozenset(get_args(Wish))
    table = preset.get(WATCHED)
    named = table.get("obeys", ()) if origin == "watched" and isinstance(table, Mapping) else ()
    return frozenset(wish for wish in get_args(Wish) if isinstance(named, list) and wish in named)
