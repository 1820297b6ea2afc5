"""A method in training, tried out in every way that training, evaluation and resuming use it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, Final

from tui_latent.config.settings import Preset
from tui_latent.launch.tried_checks import WrongError

if TYPE_CHECKING:
    from torch import Tensor

    from tui_latent.datasets.image_set import Dataset
    from tui_latent.methods.method import Method
    from tui_latent.training.loop import TrainingLoop

STEPS: Final = 10
BATCH: Final = 64
_RESUMED: Final = 3
"""steps that a resumed training must repeat bit for bit"""


class CheckedMethod:
    """A method in training, and the checks of it; each raises WrongError with what is wrong."""

    def __init__(self, preset: Preset) -> None:
        self._preset = preset
        self._loop: TrainingLoop
        self._method: Method
        self._reached: set[str] = set()

    def build(self) -> None:
        """Build the networks for the digits."""
        from tui_latent.datasets.sources import load_dataset

        self._data = load_dataset(self._preset.data, 0)
        settings = self._preset.method
        if settings.fitted:
            self._method = self._new_method(seed=0)
        else:
            self._loop = self._new_loop(self._data)
            self._method = self._loop.method
        if (self._method.pairing == "none") != settings.fitted:
            raise WrongError(
                f"pairing is '{self._method.pairing}', but fitted is {settings.fitted}: 'none' is "
                "for methods that are fitted in one go, and only for them"
            )

    def fit(self) -> None:
        """Fit the method to all training images."""
        import torch

        self._method.fit(self._data.inputs(self._data.train, torch.arange(len(self._data.train))))

    def terms(self) -> None:
        """Compare one batch's terms with those that the settings name."""
        import torch

        named = self._preset.method.term_weights(prod(self._data.input_shape))
        if not isinstance(named, Mapping):
            raise WrongError(
                f"term_weights returns a {type(named).__name__}, not a dict with the weight of "
                "each term"
            )
        batch = self._batch()
        terms = self._method.losses(batch)
        if not isinstance(terms, Mapping):
            raise WrongError(
                f"losses returns a {type(terms).__name__}, not a dict with each term by its name"
            )
        weights = self._method.weights()
        if list(terms) != list(weights):
            raise WrongError(
                f"losses returns {_names(terms)}, but term_weights names {_names(weights)}: they "
                "must be the same, in the same order"
            )
        if not terms:
            raise WrongError("losses returns no terms: there is nothing to train")
        if odd := [name for name in terms if name in ("loss", "lr", "images_per_second")]:
            raise WrongError(
                f"a term is called {_names(odd)}, which training records itself: rename it"
            )
        if unsaid := [name for name in terms if name not in self._preset.method.terms]:
            raise WrongError(f"{_are(unsaid)} not in terms: add a sentence on what it measures")
        for name, term in terms.items():
            if not isinstance(term, torch.Tensor) or term.shape != ():
                raise WrongError(f"{name} is not a scalar tensor: take its mean or its sum")
            if term.dtype is not torch.float32:
                raise WrongError(f"{name} is {term.dtype}, not float32: call .float()")
            if not bool(torch.isfinite(term)):
                raise WrongError(f"{name} is {term.item()} on the first batch")
        if not any(terms[name].requires_grad and weight for name, weight in weights.items()):
            raise WrongError("no term with a weight above 0 depends on the networks")

    def train(self) -> None:
        """Train ten steps, and note which parameters get a gradient."""
        import torch

        for step in range(1, STEPS + 1):
            terms = self._loop.step()
            for name, parameter in self._loop.method.named_parameters():
                if parameter.grad is not None and bool((parameter.grad != 0).any()):
                    self._reached.add(name)
            bad = [name for name, value in terms.items() if not bool(torch.isfinite(value))]
            if bad:
                raise WrongError(f"{_are(bad)} not finite at step {step}")

    def gradients(self) -> None:
        """Name the parameters that no step has reached."""
        learning = [n for n, p in self._method.named_parameters() if p.requires_grad]
        if not learning:
            raise WrongError("it has no parameter that can learn")
        if idle := [name for name in learning if name not in self._reached]:
            raise WrongError(f"no gradient reaches {_names(idle)}: use or remove them")

    def bfloat16(self) -> None:
        """Compute losses and latents as a GPU does by default."""
        import torch

        with torch.autocast("cpu", dtype=torch.bfloat16):
            terms = self._method.losses(self._batch())
            latents = self._method.embed(self._inputs()[:BATCH])
        if odd := [name for name, term in terms.items() if term.dtype is not torch.float32]:
            raise WrongError(
                f"{_are(odd)} not float32 under bfloat16: compute terms in a function with "
                "@in_full_precision, from tui_latent.methods.losses"
            )
        if bad := [name for name, term in terms.items() if not bool(torch.isfinite(term))]:
            raise WrongError(f"{_are(bad)} not finite under bfloat16")
        if latents.dtype is not torch.float32:
            raise WrongError(
                f"embed returns {latents.dtype} under bfloat16, which rounds a map to a grid: "
                "compute the last layer with @in_full_precision, as Encoder does"
            )

    def labels(self) -> None:
        """Train with the labels in another order, and compare the weights."""
        from dataclasses import replace

        import torch

        mixed = torch.randperm(len(self._data.train), generator=torch.Generator().manual_seed(1))
        train = self._data.train
        other = replace(train, labels=train.labels[mixed], targets=train.targets[mixed])
        loops = [self._new_loop(self._data), self._new_loop(replace(self._data, train=other))]
        for loop in loops:
            torch.manual_seed(7)
            for _ in range(_RESUMED):
                loop.step()
        if different := _different(*(loop.method.state_dict() for loop in loops)):
            raise WrongError(
                f"different labels give different weights ({_names(different)}): a method that "
                "sees labels must set supervised: ClassVar = True"
            )

    def embeds(self) -> None:
        """Embed images twice, and some of them alone."""
        import torch

        method, x = self._method.eval(), self._inputs()
        with torch.inference_mode():
            before = torch.get_rng_state()
            z = method.embed(x)
            drew = not torch.equal(before, torch.get_rng_state())
            again, few = method.embed(x), method.embed(x[:5])
        if z.shape != (len(x), self._preset.method.latent_dim):
            wanted = (len(x), self._preset.method.latent_dim)
            raise WrongError(
                f"embed returns shape {tuple(z.shape)}, not (N, latent_dim) = {wanted}"
            )
        if z.dtype is not torch.float32:
            raise WrongError(f"embed returns {z.dtype}, not float32")
        if not bool(torch.isfinite(z).all()):
            raise WrongError("embed returns latents that are not finite")
        if drew or not torch.equal(z, again):
            raise WrongError("embed draws random numbers, so no two evaluations would be the same")
        if not torch.allclose(few, z[:5], rtol=1e-3, atol=1e-4):
            raise WrongError("the latent of an image depends on the other images of its batch")

    def decodes(self) -> None:
        """Decode latents, if the settings say that there is a decoder."""
        import torch

        says, shape = self._preset.method.decodes, tuple(self._data.input_shape)
        with torch.inference_mode():
            method = self._method.eval()
            x_hat = method.decode(method.embed(self._inputs()[:7]))
        if (x_hat is not None) != says:
            does = "decodes" if x_hat is not None else "does not decode"
            raise WrongError(f"it {does}, but decodes is {says}: make them agree")
        if x_hat is None:
            return
        if tuple(x_hat.shape) != (7, *shape):
            raise WrongError(f"decode returns shape {tuple(x_hat.shape)}, not {(7, *shape)}")
        if float(x_hat.min()) < 0 or float(x_hat.max()) > 1:
            raise WrongError("decode returns values outside 0..1: end it with a sigmoid")

    def checkpoint(self) -> None:
        """Save the method as training does, load it into a new one and compare the latents."""
        import torch

        state = _saved(self._method.state_dict())
        other = self._new_method(seed=1)
        other.load_state_dict(state)
        with torch.inference_mode():
            same = torch.equal(
                self._method.eval().embed(self._inputs()), other.eval().embed(self._inputs())
            )
        if not same:
            raise WrongError(
                "its latents differ: keep what embed needs in parameters or in buffers "
                "(register_buffer), which state_dict saves"
            )

    def resumes(self) -> None:
        """Continue the training with and without a checkpoint, and compare the weights."""
        import torch

        self._loop.method.train()
        state = _saved(self._loop.state_dict())
        resumed = self._new_loop(self._data)
        resumed.load_state_dict(state)
        states: list[Any] = []
        for loop in (self._loop, resumed):
            torch.set_rng_state(torch.Generator().manual_seed(5).get_state())
            for _ in range(_RESUMED):
                loop.step()
            states.append(loop.method.state_dict())
        if different := _different(*states):
            raise WrongError(
                f"the weights differ after {_RESUMED} steps ({_names(different)}): draw random "
                "numbers with torch alone, and keep what training changes in parameters or buffers"
            )

    def _new_method(self, seed: int) -> Method:
        import torch

        from tui_latent.methods import METHODS

        if not self._preset.method.fitted:
            return self._new_loop(self._data, seed).method
        torch.manual_seed(seed)
        return METHODS[self._preset.method.name](self._preset.method, self._data.input_shape)

    def _new_loop(self, data: Dataset, seed: int = 0) -> TrainingLoop:
        import torch

        from tui_latent.training.loop import TrainingLoop

        neighbours = None
        if self._preset.method.earlier_run() is not None:
            # Any rows will do: whose neighbours they are makes no difference here.
            count = len(data.train)
            neighbours = torch.stack([torch.arange(count).roll(by) for by in (1, 2, 3)], dim=1)
        train = self._preset.train.model_copy(update={"seed": seed})
        preset = self._preset.model_copy(update={"train": train})
        return TrainingLoop(preset, data, torch.device("cpu"), neighbours)

    def _batch(self) -> Any:
        import torch

        rows = torch.arange(0, len(self._data.train), max(len(self._data.train) // BATCH, 1))
        self._method.train()
        return self._loop.pairing.batch(rows[:BATCH], torch.Generator().manual_seed(0))

    def _inputs(self) -> Tensor:
        import torch

        return self._data.inputs(self._data.val, torch.arange(len(self._data.val)))


def _saved(state: Any) -> Any:
    """Return a state as a checkpoint brings it back: tensors and plain values alone."""
    import torch

    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def _different(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> list[str]:
    """Name the weights that differ; two that are NaN do not."""
    return [name for name, value in one.items() if not _same(value, other[name])]


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(((one == other) | (one.isnan() & other.isnan())).all())


def _are(names: list[str]) -> str:
    return f"{_names(names)} {'is' if len(names) == 1 else 'are'}"


def _names(names: Any) -> str:
    shown = [f"'{name}'" for name in names]
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")
