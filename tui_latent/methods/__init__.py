"""Methods of learning a latent space: a file each, listed by their name in a preset."""

from __future__ import annotations

from tui_latent.methods.autoencoder import Autoencoder
from tui_latent.methods.contrastive import Contrastive
from tui_latent.methods.eigenmaps import Eigenmaps
from tui_latent.methods.method import Method
from tui_latent.methods.siamese import Siamese
from tui_latent.methods.triplet import Triplet
from tui_latent.methods.vicreg import Vicreg

METHODS: dict[str, type[Method]] = {
    "contrastive": Contrastive,
    "vicreg": Vicreg,
    "triplet": Triplet,
    "siamese": Siamese,
    "autoencoder": Autoencoder,
    "eigenmaps": Eigenmaps,
}
"""a preset's `method.name` → what trains it"""
