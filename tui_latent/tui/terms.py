"""The terms of the screens, each in a plain sentence or two, for the help.

Metrics are explained in `runs/metric_specs.py`, all other terms here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from tui_latent.runs.metric_specs import MetricSpec, spec_of

WORDS: Final[Mapping[str, str]] = {
    "preset": "A file that defines a run: data, views, method, stages.",
    "run": "One training of a preset. It is a folder; the screens show what is in it.",
    "epoch, step": "An epoch is a pass over the training images, a step an update of the weights.",
    "checkpoint": "Weights and optimiser at a step. A run resumes from the newest one.",
    "evaluation": "One measurement of the latents, on images that the network does not learn from.",
    "latent": "The vector that the network computes for an image. On the map it is a point.",
    "map": "The latents in the plane; wider ones by their first two principal components.",
    "held out": "Images that the network never learns from. Quality is always measured on them.",
    "collapse": "All images get nearly the same latent, or latents on a line. Change the loss.",
    "confusion matrix": "How many images of a class kNN takes for another; the diagonal is right.",
    "cluster": "A group that k-means finds in the latents without labels. Good ones match classes.",
    "kNN error": "Images whose neighbours vote for another class. Worry where many lie together.",
    "anomaly score": "Mean distance to the 5 nearest training latents. High: like none of them.",
    "density": "How close together the points lie. Sparse points lie between or outside groups.",
    "Voronoi cell": "The part of the map that is nearer to one point than to any other.",
    "projection": "A way to draw wide latents in the plane. It does not preserve distances.",
    "ROC, AUC": "How well a score tells outliers from other images. 1 is perfect, 0.5 is guessing.",
    "interval": "In brackets: the range to expect with other held-out images, at 95 %.",
    "disparity": "How different two maps are after rotation, shift and scaling: 0 means equal.",
    "view": "A randomly altered copy of an image. Training brings views of an image together.",
    "extremes": "The images nearest to the mean of their class, and those farthest from it.",
    "interpolation": "The latents on the line between two images, decoded. Sharp steps mean gaps.",
    "sweep": "A preset trained with several settings, each with the same seeds: a folder of runs.",
    "sample": "An image decoded from a latent that was drawn from the Gaussian of a class.",
}
"""term -> what it means, and when to worry"""


def explained(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return (term, sentence) for each word of this table or name of a metric."""
    found = []
    for name in dict.fromkeys(names):
        if name in WORDS:
            found.append((name, WORDS[name]))
        elif meaning := spec_of(name).meaning:
            found.append((_name(spec_of(name)), meaning))
    return found


def _name(spec: MetricSpec) -> str:
    """Return the name of a metric; a loss term means the same in every split."""
    return spec.short if spec.group == "term" else spec.title
