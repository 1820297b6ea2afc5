"""The trained network of a run as one torch module: images in, latents out."""

from __future__ import annotations

from torch import Tensor, nn

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.run_data import RunData
from tui_latent.datasets.paths import only_looking
from tui_latent.datasets.preprocessing import Preprocessing, preprocessing_state
from tui_latent.methods.method import Method
from tui_latent.sources.errors import DataError


class RunEncoder(nn.Module):
    """Embeds images as a run does, with their preprocessing; in evaluation mode when it is made."""

    def __init__(self, preprocessing: Preprocessing, method: Method, step: int) -> None:
        super().__init__()
        self.preprocessing = preprocessing
        self.method = method
        self.step = step
        """step of the checkpoint that has these weights"""

    def forward(self, images: Tensor) -> Tensor:
        """Return float32 latents (N, D) of images (N, C, H, W): uint8, or floats in 0..1.

        Images of another size or with other channels are converted first. ValueError for what is
        not a batch of images.
        """
        return self.method.embed(self.preprocessing(images)).float()


def read_encoder(data: RunData) -> RunEncoder:
    """Return the network of a run's newest checkpoint, on the CPU; InspectionError without one.

    The images are needed only for a checkpoint that does not hold their statistics.
    """
    model = data.model()
    state = model.preprocessing or preprocessing_state(data.inputs())
    try:
        with only_looking():
            preprocessing = Preprocessing(data.own_preset().data, state)
    except DataError as error:
        raise InspectionError(str(error)) from error
    return RunEncoder(preprocessing, model.method, model.step).eval()
