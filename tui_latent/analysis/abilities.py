"""What cannot be asked of a run, and why: a sentence, or an empty text if it can be asked.

A run that was not trained here has no network and perhaps no images; any run may lack labels.
"""

from __future__ import annotations

from tui_latent.analysis.decoding import no_decoder
from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.run_data import RunData

NO_LABELS = "there are no labels; tui-latent label RUN --csv FILE adds them"


def no_images(source: RunData) -> str:
    """Return why a run has no images to show."""
    return source.why_no_images()


def no_labels(source: RunData) -> str:
    """Return why nothing can be said about classes; needs the latents."""
    try:
        return "" if source.has_labels() else NO_LABELS
    except InspectionError as error:
        return str(error)


def can_decode(source: RunData) -> bool:
    """Return whether the run's latents can be decoded to images."""
    return not no_decoder(source.preset)
