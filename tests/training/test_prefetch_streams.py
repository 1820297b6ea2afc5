"""In which order images go to a GPU: streams and events that only note what is asked of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest
import torch

from tui_latent.config.settings import AugmentSettings, DataSettings
from tui_latent.datasets.pairing import Drawn, make_pairing
from tui_latent.datasets.sources import load_dataset
from tui_latent.training import prefetch
from tui_latent.training.epoch_sampler import EpochSampler
from tui_latent.training.prefetch import PrefetchedImages
from tui_latent.training.step_images import ResidentImages

GPU, CPU = torch.device("cuda", 0), torch.device("cpu")
STEPS = 9
Noted = list[tuple[str, str, str]]
"""who does what with which event"""


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Noted:
    """A GPU whose memory is that of the CPU."""
    found: Noted = []
    here, numbers = threading.current_thread(), count()

    def note(who: str, what: str, event: str) -> None:
        assert threading.current_thread() is here, "another thread would end a capture"
        found.append((who, what, event))

    class Stream:
        def __init__(self, name: object = "copies") -> None:
            self.name = "copies" if isinstance(name, torch.device) else str(name)

        def wait_event(self, event: Event) -> None:
            note(self.name, "waits for", event.name)

    class Event:
        def __init__(self) -> None:
            number = next(numbers)  # each slot makes two, one after the other
            self.name = f"{'used' if number % 2 else 'copied'} {number // 2}"

        def record(self, stream: Stream) -> None:
            note(stream.name, "records", self.name)

        def synchronize(self) -> None:
            note("host", "waits for", self.name)

    @contextmanager
    def entered(stream: Stream) -> Iterator[None]:
        yield

    def slot(shape: tuple[int, ...], dtype: torch.dtype, _: torch.device) -> prefetch._Slot:
        two = [torch.empty(shape, dtype=dtype) for _ in range(2)]
        events = [Event(), Event()]
        return prefetch._Slot(*two, *events)  # type: ignore[arg-type]

    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: Stream("training"))
    monkeypatch.setattr(torch.cuda, "stream", entered)
    monkeypatch.setattr(prefetch, "_slot", slot)
    monkeypatch.setattr(Drawn, "to", lambda self, device: self)
    return found


def test_every_step_gets_its_images_and_no_buffer_is_overwritten_while_it_is_used(
    noted: Noted,
) -> None:
    dataset = load_dataset(DataSettings(source="digits"), 0)
    pairing = make_pairing("triplets", dataset.train, dataset, AugmentSettings(), draws_on=CPU)
    sampler = EpochSampler(len(dataset.train), 64, 0)
    resident = ResidentImages(pairing, sampler, CPU)
    images = PrefetchedImages(pairing, EpochSampler(len(dataset.train), 64, 0), GPU, STEPS)
    for step in range(STEPS):
        drawn, expected = images.at(step), resident.at(step)
        assert torch.equal(drawn.rows, expected.rows)
        assert drawn.images is not None
        assert torch.equal(drawn.images, dataset.train.images[expected.rows])
        # The training waits for the copy of this step, and does so last.
        assert noted[-1][:2] == ("training", "waits for")
        in_hand = noted[-1][2].removeprefix("copied ")
        assert any(each == ("copies", "records", f"copied {in_hand}") for each in noted)
    images.close()
    for number in range(prefetch.AHEAD + 2):
        of_slot = [each for each in noted if each[2].endswith(str(number))]
        once = [
            ("host", "waits for", f"copied {number}"),  # before it is filled
            ("copies", "waits for", f"used {number}"),
            ("copies", "records", f"copied {number}"),
            ("training", "waits for", f"copied {number}"),
            ("training", "records", f"used {number}"),
        ]
        assert of_slot == (once * STEPS)[: len(of_slot)]
        assert len(of_slot) > len(once)
