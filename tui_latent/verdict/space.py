"""Findings about the latent space: collapse, the decoder, and how faithful the map is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tui_latent.collapse_limits import ONE_WAY, POINT, fewest_dimensions
from tui_latent.number_format import UNKNOWN, number
from tui_latent.verdict.doors import EVALUATION, IMAGES, MAP, map_at
from tui_latent.verdict.finding import Finding
from tui_latent.verdict.subject import Subject
from tui_latent.verdict.thresholds import FAITHFUL, NOTHING_SAID, SAME_PICTURE, UNFAITHFUL


def collapse(about: Subject) -> Finding | None:
    """Find latents that have collapsed onto a point or a direction, and since when."""
    since = _collapsed_since(about)
    if since is None:
        return _evaluated_collapse(about)
    first, step = since
    figures = [about.run.newest(f"latent/{name}") for name in _FIGURES]
    rank, uniformity, deviation = figures
    dimensions = about.dimensions
    of = f" of {dimensions}" if dimensions else ""
    one_point = deviation is not None and deviation < POINT
    how = "all latents are one point" if one_point else "most latents lie in one direction"
    when = f"from the first evaluation on, step {step:,}" if first else f"since step {step:,}"
    size = "" if rank is None else f": effective rank {number(rank)}{of}"
    limit = f"{fewest_dimensions(dimensions):.2f}" if dimensions else UNKNOWN
    return Finding(
        "collapse",
        "bad",
        f"Collapsed {when}{size}; {how}.",
        evidence=f"Effective rank {number(rank)}{of}, uniformity {number(uniformity)}, mean "
        f"standard deviation {number(deviation)}.",
        threshold=f"A mean standard deviation below {POINT:g}, or a rank below {limit} with a "
        f"uniformity above {ONE_WAY}. Two well-separated classes on a line have -0.69.",
        door=map_at(step),
    )


def _evaluated_collapse(about: Subject) -> Finding | None:
    """Report a collapse found by an evaluation, if the run itself recorded none."""
    signs = _part(about.evaluation, "collapse").get("signs")
    if not isinstance(signs, list) or not signs or "latent/collapsed" in about.run.curves:
        return None
    return Finding(
        "collapse",
        "bad",
        f"Collapsed at step {_step(about):,}: {signs[0]}.",
        evidence=f"Found by the evaluation of step {_step(about):,}.",
        threshold=f"A mean standard deviation below {POINT:g}, or a low rank with a uniformity "
        f"above {ONE_WAY}.",
        door=EVALUATION,
    )


_FIGURES = ("effective_rank", "uniformity", "std_mean")


def _collapsed_since(about: Subject) -> tuple[bool, int] | None:
    """Return whether the current collapse began at the first evaluation, and its first step."""
    curve = about.run.curves.get("latent/collapsed")
    if curve is None or not about.run.newest("latent/collapsed") or not len(curve.steps):
        return None
    sound = np.flatnonzero(curve.lows < 0.5)
    start = int(sound[-1]) + 1 if len(sound) else 0
    return start == 0, int(curve.steps[min(start, len(curve.steps) - 1)])


def decoder(about: Subject) -> Finding | None:
    """Report a decoder whose output does not depend on the latent."""
    divergence = None if about.foreign else about.run.newest("val/kl")
    decodes = about.run.newest("val/reconstruction") is not None
    if decodes and divergence is not None and divergence < NOTHING_SAID:
        return Finding(
            "decoder",
            "bad",
            "The decoder draws the same image for every sample: latents carry only "
            f"{number(divergence)} nats of information.",
            evidence=f"The held-out KL divergence is {number(divergence)}: the posterior of every "
            "image is nearly the standard normal.",
            threshold=f"{NOTHING_SAID:.2f} nats: enough to tell one half of the images from the "
            "other.",
            door=IMAGES,
        )
    found = _part(about.evaluation, "decoder")
    deviation = found.get("deviation")
    if not isinstance(deviation, (int, float)) or deviation >= SAME_PICTURE:
        return None
    return Finding(
        "decoder",
        "bad",
        "The decoder draws the same image for every sample.",
        evidence=f"The decoded latents of {found.get('images', 0):,} held-out images differ by a "
        f"standard deviation of {number(deviation)} per pixel, at step {_step(about):,}.",
        threshold=f"{SAME_PICTURE} on a scale of 0 to 1: less than three of 255 grey levels.",
        door=IMAGES,
    )


def faithfulness(about: Subject) -> Finding | None:
    """Report whether neighbours on the map are neighbours in the latent space."""
    if about.run.map is None:
        return None
    if about.run.map.projection == "native":
        dimensions = "one dimension" if about.dimensions == 1 else "two dimensions"
        return Finding(
            "map",
            "note",
            "The map is the latent space itself.",
            evidence=f"The latents have {dimensions}: nothing is lost by drawing them.",
            threshold="",
            door=MAP,
            headline=False,
        )
    found = _part(about.evaluation, "map")
    values = [found.get("trustworthiness"), found.get("continuity")]
    known = [float(v) for v in values if isinstance(v, (int, float)) and math.isfinite(v)]
    if len(known) < 2:
        return Finding(
            "map",
            "note",
            "How faithful the map is has not been measured yet.",
            evidence=f"The map is a 2-D projection of {about.dimensions or 'more'} dimensions. An "
            "evaluation compares neighbourhoods.",
            threshold="",
            door=EVALUATION,
            headline=False,
        )
    return _faithful(about, known[0], known[1], int(found.get("images", 0)))


def _faithful(about: Subject, trust: float, continuity: float, images: int) -> Finding:
    worst = min(trust, continuity)
    both = f"trustworthiness {number(trust)}, continuity {number(continuity)}"
    if worst >= FAITHFUL:
        sentence, good = f"The map is faithful ({number(worst)}).", "good"
    elif worst >= UNFAITHFUL:
        sentence, good = f"The map is fairly faithful ({number(worst)}).", "note"
    elif trust <= continuity:
        sentence = f"The map cannot be trusted ({number(trust)})."
        good = "warning"
    else:
        sentence = f"The map tears neighbourhoods apart ({number(continuity)})."
        good = "warning"
    return Finding(
        "map",
        good,  # type: ignore[arg-type]
        sentence,
        evidence=f"{both[0].upper()}{both[1:]}, of {images:,} {about.nouns.held_out}s at step "
        f"{_step(about):,}.",
        threshold=f"{FAITHFUL} or more is faithful; below {UNFAITHFUL} the map cannot be trusted. "
        "A random map has 0.5.",
        door=MAP,
    )


def _part(evaluation: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    part = (evaluation or {}).get(name)
    return part if isinstance(part, Mapping) else {}


def _step(about: Subject) -> int:
    step = (about.evaluation or {}).get("step")
    return step if isinstance(step, int) else about.run.status.step
