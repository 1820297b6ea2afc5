"""The thresholds of all findings, each with its reason."""

from __future__ import annotations

import math
from typing import Final

CONFUSED: Final = 0.05
"""smallest share of a class taken for another that is worth a sentence: one image in twenty"""

NOTABLE: Final = 3
"""fewest images of one class taken for another that are mentioned at all"""

FAITHFUL: Final = 0.95
"""least trustworthiness and continuity of a map that is called faithful; a random one has 0.5"""
UNFAITHFUL: Final = 0.9
"""below this, the map shows neighbours that are not neighbours, or separates some that are"""

UNCERTAIN: Final = 0.03
"""half the width of an accuracy's interval above which the held-out images are called few"""
FEWEST_OF_CLASS: Final = 10
"""fewest held-out images of a class about which anything is said: one of ten is ten points"""

RISE: Final = 0.05
"""overfitting: the held-out loss is higher than its minimum by at least this share"""
NOISES: Final = 4.0
"""and by at least this many times the usual change between two evaluations"""
FEWEST_EVALUATIONS: Final = 6
"""fewest evaluations of a stage that show a trend of its held-out loss"""
PAST: Final = 3
"""evaluations that must have followed the minimum"""

STILL: Final = 0.02
"""still falling: the last tenth of a stage brought at least this share of its whole decrease"""
DEVIATIONS: Final = 3.0
"""and the decrease is at least this many standard errors"""
FEWEST_RECORDS: Final = 5
"""fewest records in a tenth of a stage whose mean is compared"""

NOTHING_SAID: Final = math.log(2)
"""nats of KL divergence: with less, a latent cannot even tell two halves of the images apart"""
SAME_PICTURE: Final = 0.01
"""mean standard deviation of decoded pixels in 0..1; with less, all images look the same: it is
less than three of 255 grey levels"""
