"""Every limit that a verdict compares with, and why it lies where it does."""

from __future__ import annotations

import math
from typing import Final

CONFUSED: Final = 0.05
"""share of a class that must be taken for another one, at the least, to be worth a sentence: one
image in twenty is what a person notices on a sheet of them"""

NOTABLE: Final = 3
"""images of one class taken for another below which a count is not even worth naming"""

FAITHFUL: Final = 0.95
"""trustworthiness and continuity from which a map is called faithful; a random one has 0.5"""
UNFAITHFUL: Final = 0.9
"""either of them below this: a reader of the map sees neighbours that are none, or misses some"""

UNCERTAIN: Final = 0.03
"""half the width of an accuracy's interval beyond which two good presets cannot be told apart:
those of one dataset differ by one to three points"""
FEWEST_OF_CLASS: Final = 10
"""held-out images below which nothing is said of a class: one image is ten points of it"""

RISE: Final = 0.05
"""share by which the held-out loss must have risen above its lowest to call it overfitting"""
NOISES: Final = 4.0
"""and that many times the usual change between two evaluations"""
FEWEST_EVALUATIONS: Final = 6
"""evaluations of a stage below which its held-out loss has no trend"""
PAST: Final = 3
"""evaluations for which the held-out loss must have been above its lowest"""

STILL: Final = 0.02
"""share of a stage's whole fall that its last tenth must bring to call the loss still falling; a
rate that a schedule has brought to nothing brings less"""
DEVIATIONS: Final = 3.0
"""standard errors by which it must have fallen"""
FEWEST_RECORDS: Final = 5
"""records of a tenth below which it has no mean worth comparing"""

NOTHING_SAID: Final = math.log(2)
"""nats of KL below which a latent cannot even tell two halves of the images apart"""
SAME_PICTURE: Final = 0.01
"""mean standard deviation of decoded pixels, in 0..1, below which all are one picture: less than
three of 255 grey levels"""
