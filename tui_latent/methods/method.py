"""What every method offers to training, evaluation and analysis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from tui_latent.config.methods import METHOD_SETTINGS, MethodSettings
from tui_latent.config.settings import StageSettings
from tui_latent.methods.across_ranks import gathered, own
from tui_latent.methods.networks import Encoder
from tui_latent.plugins.reference import find
from tui_latent.plugins.registry import PluginError

if TYPE_CHECKING:
    from tui_latent.datasets.pairing import Batch


class Method(nn.Module):
    """A model of a latent space: its networks, its loss terms and the pairing it learns from.

    `losses` may draw noise from torch's global generator; `embed` and `decode` never do.
    """

    pairing: str = ""
    """kind of pairing it learns from; "none" for a method that is fitted in one go.

    A class that leaves it empty sets it in its instances.
    """

    def __init__(self, settings: MethodSettings, input_shape: Sequence[int]) -> None:
        """Build for images of shape (C, H, W), or for features of shape (D,)."""
        super().__init__()
        self._numbers = prod(input_shape)
        self._weights = settings.term_weights(self._numbers)

    @property
    def terms(self) -> tuple[str, ...]:
        """Names that `losses` returns, in display order."""
        return tuple(self._weights)

    def weights(self) -> dict[str, float]:
        """Return the weight of each term in the loss; 0 for terms that are only charted."""
        return dict(self._weights)

    def weigh(self, settings: MethodSettings) -> None:
        """Use the term weights of other settings from now on; their terms must be the same."""
        weights = settings.term_weights(self._numbers)
        assert weights.keys() == self._weights.keys()
        self._weights = weights

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return each term before it is weighted: float32 scalars on the device."""
        raise NotImplementedError(f"{type(self).__name__} has no losses(self, batch)")

    def gathered(self, x: Tensor, groups: int = 1) -> Tensor:
        """Return the rows (G*B, ...) of the whole batch, of which this process has (G*b, ...).

        A loss that compares the images of a batch needs it where several processes train: they
        divide each batch. Means over images need nothing. A single process gets `x` itself.
        """
        return gathered(x, groups) if self.training else x

    def own(self, count: int) -> slice:
        """Return which `count` rows of a gathered group are those of this process.

        A loss with a mean over images may take it over these alone, each compared with all: every
        process then computes a part of it. A single process has all rows.
        """
        return own(count) if self.training else slice(0, count)

    def embed(self, x: Tensor) -> Tensor:
        """Return float32 latents (N, latent_dim) of images or features (N, ...)."""
        raise NotImplementedError(f"{type(self).__name__} has no embed(self, x)")

    def projected(self, z: Tensor) -> Tensor | None:
        """Return what the loss sees of latents (N, D), float32 (N, E); None if it sees them as they
        are."""
        return None

    def layers(self, x: Tensor) -> dict[str, Tensor]:
        """Return float32 (N, D) at each place of the network from which classes may be read.

        By name, in the order of the network: `backbone` is before the latent layer,
        `representation` the latents, `projection` what the loss sees of them.
        """
        encoder = next((each for each in self.modules() if isinstance(each, Encoder)), None)
        found = {} if encoder is None else {"backbone": encoder.body(x).float()}
        found["representation"] = z = self.embed(x)
        projection = self.projected(z)
        return found | ({} if projection is None else {"projection": projection})

    def decode(self, z: Tensor) -> Tensor | None:
        """Decode latents to images (N, C, H, W) in 0..1 or features (N, D); None: no decoder."""
        return None

    def start_stage(self, stage: StageSettings) -> list[nn.Parameter]:
        """Prepare the network for a stage; return the parameters that learn in it."""
        return list(self.parameters())

    def fit(self, x: Tensor) -> None:
        """Fit all training images (N, ...) at once, for methods whose pairing is "none"."""
        raise NotImplementedError


class _Methods(Mapping[str, type[Method]]):
    """The class that trains each method, imported when it is first asked for."""

    def __getitem__(self, name: str) -> type[Method]:
        settings = METHOD_SETTINGS[name]
        found: Any = find(settings.trained_by, settings.__module__)
        if not isinstance(found, type) and callable(found):
            if settings not in _RETURNED:
                _RETURNED[settings] = found()
            found = _RETURNED[settings]
        if not (isinstance(found, type) and issubclass(found, Method)):
            raise PluginError(
                f"{settings.__name__}.trained_by, '{settings.trained_by}', is neither a subclass "
                "of tui_latent.methods.Method nor a function that returns one"
            )
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(METHOD_SETTINGS)

    def __len__(self) -> int:
        return len(METHOD_SETTINGS)


_RETURNED: dict[type[MethodSettings], Any] = {}
"""what a function named by `trained_by` returned for these settings, so that it is called once"""

METHODS: Mapping[str, type[Method]] = _Methods()
"""a preset's `method.name` -> the class that trains it"""
