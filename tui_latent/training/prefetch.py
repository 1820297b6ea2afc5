"""A thread that reads the images of the next two steps while a step computes.

Only the thread of the training calls CUDA: a call from another would end a capture of its graph.
So the reader fills pinned memory, and `at` starts the copy to the device, on a stream of its own,
as soon as it finds a step filled. Device buffers are waited for by events, never by the host.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Final

import torch
from torch import Tensor

from tui_latent.datasets.image_set import gathered
from tui_latent.datasets.pairing import Drawn, Pairing
from tui_latent.training.epoch_sampler import EpochSampler

AHEAD: Final = 2
"""steps that are read before they are needed"""
_SLOTS: Final = AHEAD + 2
"""the step in hand, those ahead, and one whose images a GPU may still be using"""


@dataclass(eq=False)
class _Slot:
    """Room for the images of a step."""

    host: Tensor
    """(R, C, H, W) on the CPU; pinned if there is a GPU"""
    there: Tensor
    """the same on the device; `host` itself if that is the CPU"""
    copied: torch.cuda.Event | None
    """when `there` holds what `host` held"""
    used: torch.cuda.Event | None
    """when the step that used `there` no longer needs it"""


@dataclass(eq=False)
class _Ahead:
    """A step that was asked for before it was needed."""

    step: int
    slot: _Slot
    drawn: Future[Drawn]
    """what was drawn, on the CPU, once its images are in the slot"""
    copying: bool = False


_Job = tuple[int, Tensor, "Future[Drawn]"]


class PrefetchedImages:
    """Gives each step its images, which are not on the device. See `StepImages`."""

    def __init__(
        self, pairing: Pairing, sampler: EpochSampler, device: torch.device, steps: int
    ) -> None:
        """Start the thread; it ends with `close`, or when nobody holds this any more."""
        self._device, self._steps = device, steps
        self._gpu = device.type == "cuda"
        images = pairing.images
        groups = len(pairing.drawn(sampler.rows(0), sampler.partners(0)).rows)
        shape = (groups, *images.shape)
        self._free = deque(_slot(shape, images.images.dtype, device) for _ in range(_SLOTS))
        self._ahead: deque[_Ahead] = deque()
        self._in_hand: _Slot | None = None
        self._stream = torch.cuda.Stream(device) if self._gpu else None  # type: ignore[no-untyped-call]
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        arguments = (self._jobs, pairing, sampler)
        threading.Thread(target=_read, args=arguments, name="images", daemon=True).start()
        self.close = weakref.finalize(self, self._jobs.put, None)

    def at(self, step: int) -> Drawn:
        """Return the images of a step; OSError if they could not be read."""
        self._take_back()
        if self._ahead and self._ahead[0].step != step:
            self._forget()
        self._ask(step)
        first = self._ahead.popleft()
        self._in_hand = first.slot
        drawn = first.drawn.result()
        if not self._gpu:
            return replace(drawn, images=first.slot.host)
        for each in (first, *self._ahead):
            if each.drawn.done() and not each.copying and not each.drawn.exception():
                self._copy(each)
        assert first.slot.copied is not None
        torch.cuda.current_stream(self._device).wait_event(first.slot.copied)
        return replace(drawn.to(self._device), images=first.slot.there)

    def _take_back(self) -> None:
        """Note that all of the last step has been launched: its slot is free after it."""
        if self._in_hand is not None:
            if self._in_hand.used is not None:
                self._in_hand.used.record(torch.cuda.current_stream(self._device))
            self._free.append(self._in_hand)
            self._in_hand = None

    def _ask(self, step: int) -> None:
        """Let this step and the next ones be read."""
        for number in range(step + len(self._ahead), min(step + AHEAD + 1, self._steps)):
            slot = self._free.popleft()
            if slot.copied is not None:
                slot.copied.synchronize()  # else images of an earlier step would be overwritten
            asked = _Ahead(number, slot, Future())
            self._jobs.put((number, slot.host, asked.drawn))
            self._ahead.append(asked)

    def _forget(self) -> None:
        """Drop what was read for other steps than those that come."""
        for each in self._ahead:
            each.drawn.exception()  # until the thread has left the slot
            self._free.append(each.slot)
        self._ahead.clear()

    def _copy(self, ahead: _Ahead) -> None:
        slot, stream = ahead.slot, self._stream
        assert slot.copied is not None and slot.used is not None and stream is not None
        with torch.cuda.stream(stream):
            stream.wait_event(slot.used)
            slot.there.copy_(slot.host, non_blocking=True)
            slot.copied.record(stream)
        ahead.copying = True


def _slot(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> _Slot:
    host = torch.empty(shape, dtype=dtype)
    if device.type != "cuda":
        return _Slot(host, host, None, None)
    there = torch.empty(shape, dtype=dtype, device=device)
    return _Slot(host.pin_memory(), there, torch.cuda.Event(), torch.cuda.Event())  # type: ignore[no-untyped-call]


def _read(jobs: SimpleQueue[_Job | None], pairing: Pairing, sampler: EpochSampler) -> None:
    """Draw and read one step after the other, until there is None to read."""
    while (job := jobs.get()) is not None:
        step, into, answer = job
        try:
            drawn = pairing.drawn(sampler.rows(step), sampler.partners(step))
            gathered(pairing.images, drawn.rows, into)
        except BaseException as error:  # raised in the thread that waits for the step
            answer.set_exception(error)
        else:
            answer.set_result(drawn)
