"""Where a run comes from: trained here, watched in a user's own loop, or opened from files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from tui_latent.nouns import IMAGES, VECTORS, Nouns

Origin = Literal["trained", "watched", "opened"]
Wish = Literal["pause", "stop", "checkpoint", "lr"]
"""a request that a user's own loop may obey"""

WATCHED: Final = "watched"
"""table of `preset.toml` in which a watched run says what it obeys; it has no `[data]` and no
`[method]`"""

MEASURING: Final = "measuring latents"
"""what a watched run is doing while latents that its loop handed over are measured"""


def origin_of(provenance: Mapping[str, Any]) -> Origin:
    """Return the origin in a run's `[provenance]`; runs without one were trained here."""
    named = provenance.get("origin")
    origins: tuple[Origin, ...] = get_args(Origin)
    return next((origin for origin in origins if origin == named), "trained")


def nouns_of(origin: Origin) -> Nouns:
    """Return what sentences call the images of a run of this origin."""
    return VECTORS if origin == "opened" else IMAGES


def obeyed(preset: Mapping[str, Any], provenance: Mapping[str, Any]) -> frozenset[Wish]:
    """Return what a live run can be asked to do, besides changes of settings."""
    origin = origin_of(provenance)
    if origin == "trained":
        return frozenset(get_args(Wish))
    table = preset.get(WATCHED)
    named = table.get("obeys", ()) if origin == "watched" and isinstance(table, Mapping) else ()
    return frozenset(wish for wish in get_args(Wish) if isinstance(named, list) and wish in named)
