"""The limits of collapsed latents; without torch, so that screens can show them."""

from __future__ import annotations

from typing import Final

POINT: Final = 1e-4
"""mean standard deviation below which all latents are one point; untrained networks had 0.003"""
ONE_WAY: Final = -0.65
"""uniformity above which most latents lie in one direction; two opposite classes have -0.69"""
PROJECTED: Final = 0.05
"""share of the latents' mean standard deviation that is left in the projection, below which the
loss sees one point. VICReg without its variance term had 0.02 on the digits after 150 steps and
0.002 on CIFAR-10, with it 0.4 and more; untrained networks had 0.2"""
_FEW: Final = 3.0


def fewest_dimensions(dimensions: int) -> float:
    """Return the effective rank below which latents of this many dimensions may have collapsed."""
    return min(_FEW, 1 + (dimensions - 1) / 50)
