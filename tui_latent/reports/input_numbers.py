"""The numbers of a method's panels, as the JSON beside the PNG holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui_latent.analysis.class_extremes import ClassExtremes, RankedImages
from tui_latent.analysis.decoding import Reconstructions
from tui_latent.analysis.outlier_ranking import Anomalies
from tui_latent.analysis.sampling import ClassSamples
from tui_latent.reports.inputs import Cloud, Flat, Thumbnails
from tui_latent.runs.schema import LatentMap


def finding_numbers(findings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers of the inputs by name, without points and pixels."""
    return {name: _numbers(found) for name, found in findings.items()}


def _numbers(found: Any) -> Any:
    match found:
        case Flat():
            return {"images": len(found.map.points), "faithful": found.faithful}
        case Cloud():
            return {"images": len(found.points), "faithful": found.faithful}
        case LatentMap():
            return {"images": len(found.points)}
        case Thumbnails():
            return {"images": len(found.images)}
        case Reconstructions():
            return {"mean_squared_errors": found.errors}
        case Anomalies():
            ranked = {"held_out_images": found.indices, "labels": found.labels}
            return {**ranked, "scores": found.scores, "median": found.median, "k": found.k}
        case ClassSamples():
            return {
                "class": found.class_names[found.label],
                "samples": len(found.called),
                "latents_agree": found.agreeing,
                "images_agree": None
                if found.recognised is None
                else int((found.recognised == found.label).sum()),
            }
        case ClassExtremes():
            return {
                "class": found.class_names[found.label],
                "images": found.size,
                "median_distance": found.median,
                "nearest": _ranked(found.nearest),
                "farthest": _ranked(found.farthest),
            }
        case list():
            return [_numbers(item) for item in found]
        case str() | dict():  # an evaluation is written as the mapping that it is
            return found
    raise TypeError(f"the report has no numbers for {type(found).__name__}")


def _ranked(ranked: RankedImages) -> dict[str, Any]:
    return {"training_images": ranked.indices, "distances": ranked.distances}
