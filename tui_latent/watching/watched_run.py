"""The object through which a loop records a run; its methods return at once."""

from __future__ import annotations

import operator
import time
import traceback
from collections.abc import Callable, Sequence
from os import getpid
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Final, Literal

from tui_latent.runs.schema import State
from tui_latent.runtime.sanitize import plain_name
from tui_latent.watching.asked import Asked
from tui_latent.watching.device_values import DeviceValues
from tui_latent.watching.pictures import Pictures
from tui_latent.watching.recording import Recording
from tui_latent.watching.silent_run import SilentRun
from tui_latent.watching.tensors import is_tensor, labels_of, latents_of, number_of, tensor_type
from tui_latent.watching.waiting_latents import WaitingLatents
from tui_latent.watching.waiting_records import WaitingRecord

End = Literal["finished", "stopped", "failed"]

_LARGEST_STEP: Final = 2**53
_LOOK_EVERY: Final = 0.05
"""seconds between two checks of the requests while the loop is paused"""
_MOST_NAMES: Final = 1000
_LAST_WAIT: Final = 60.0
"""seconds that a finished loop waits for its last latents to be measured and written"""
_SHORT_WAIT: Final = 10.0
"""seconds, for a loop that was stopped or failed"""


class WatchedRun:
    """Records a loop; made by `tui_latent.watch`.

    Belongs to the thread of the loop. In a process that was forked off it does nothing. Wrong use
    (a value that is not a number, latents of differing length) raises at once; whatever goes
    wrong afterwards is in the run's log and never ends the loop.
    """

    def __init__(
        self,
        recording: Recording,
        measure: Callable[[WaitingLatents], None],
        pictures: Pictures,
        classes: Sequence[str],
        last_step: int,
    ) -> None:
        """`last_step` is the last one of an earlier process, -1 for a new run."""
        self.path: Path = recording.path
        """the run's folder"""
        self._recording, self._pictures = recording, pictures
        self._put = recording.records.put
        self._measure = measure
        self._classes = classes
        self._pid = getpid()
        self._names: dict[str, str] = {}
        self._device = DeviceValues(self._put)
        self._step = last_step
        self._epoch = 0.0
        self._began = monotonic()
        self._closed = False

    def __enter__(self) -> WatchedRun:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        elif issubclass(kind, (SystemExit, KeyboardInterrupt, GeneratorExit)):
            self.close("stopped")
        else:
            self._recording.lines.append("".join(traceback.format_exception(kind, error, trace)))
            first = str(error).partition("\n")[0] or "no message"
            self.close("failed", f"{kind.__name__}: {first}\nthe traceback is in train.log")

    def __reduce__(self) -> tuple[Callable[[], SilentRun], tuple[()]]:
        # a data set that holds the run takes it along to the workers that load it
        return SilentRun, ()

    def log(self, step: int, /, *, epoch: float | None = None, **values: Any) -> None:
        """Record numbers of a step: floats, or tensors of one number on any device.

        A name without a slash becomes `train/name`. `epoch` counts passes over the images, with
        fractions. Steps below the last one replace what was recorded from there on. The device
        is not waited for. TypeError for values other than numbers, ValueError for an invalid step.
        """
        if getpid() != self._pid or self._closed:
            return
        if type(step) is not int or not 0 <= self._step <= step <= _LARGEST_STEP:
            step = self._go_to(step)
        self._step = step
        if epoch is not None:
            self._epoch = _passes(epoch)
        known, names, numbers, on_device = self._names, [], [], False
        tensor = tensor_type()
        for name, value in values.items():
            names.append(known.get(name) or self._metric(name))
            kind = type(value)
            if kind is tensor and value.is_cpu:  # the usual case is looked at first, and least
                try:
                    value = float(value.item())
                except (TypeError, RuntimeError):
                    value = number_of(name, value)
            elif kind is not float:
                if is_tensor(value) and value.numel() == 1 and not value.is_cpu:
                    on_device = True
                else:
                    value = number_of(name, value)
            numbers.append(value)
        seconds, timeline = monotonic() - self._began, len(self._recording.rewinds)
        record = WaitingRecord(step, seconds, self._epoch, names, numbers, timeline)
        if on_device or self._device:
            self._on_device(lambda: self._device.add(record))
        else:
            self._put(record)

    def latents(
        self,
        step: int,
        /,
        queries: Any,
        labels: Any = None,
        bank: Any = None,
        bank_labels: Any = None,
    ) -> None:
        """Record latents of a step: (N, D) arrays or tensors of held-out images, any D.

        `labels` are N positions in the class names, -1 for an image without a class. `bank` has
        the latents (M, D) of the training images, among which neighbours are looked for; without
        it they are the other held-out images. Row i is the same image each time. The call copies
        and returns; kNN, collapse metrics and the map are computed in a process of their own.
        ValueError for other shapes, or labels of another length.
        """
        if getpid() != self._pid or self._closed:
            return
        step = _checked(step)
        known = len(self._classes) if self._classes else None
        try:
            held_out = latents_of("queries", queries)
            found = None if labels is None else labels_of("labels", labels, len(held_out), known)
            kept = bank_found = None
            if bank is not None:
                kept = latents_of("bank", bank)
                if kept.shape[1] != held_out.shape[1]:
                    raise ValueError(
                        f"latents: queries have {held_out.shape[1]} dimensions and the bank has "
                        f"{kept.shape[1]}: both must come from the same network"
                    )
                if bank_labels is not None:
                    bank_found = labels_of("bank_labels", bank_labels, len(kept), known)
            elif bank_labels is not None:
                raise ValueError("latents: bank_labels were given without a bank")
        except (MemoryError, RuntimeError) as error:  # no memory for the copy, or a device's error
            self.note(f"step {step:,}: the latents could not be copied: {error}")
            return
        self._go_to(step)
        self._on_device(self._device.flush)  # earlier records come first; copying has waited
        self._pictures.know("val", len(held_out))
        if kept is not None:
            self._pictures.know("train", len(kept))
        timeline = len(self._recording.rewinds)
        about = (step, self.seconds, self._epoch, timeline)
        self._measure(WaitingLatents(*about, held_out, found, kept, bank_found))

    def note(self, text: str) -> None:
        """Add a line to the run's log."""
        if getpid() == self._pid and not self._closed:
            self._recording.lines.append(str(text))

    @property
    def seconds(self) -> float:
        """Seconds since the start, without pauses."""
        return monotonic() - self._began

    @property
    def asked(self) -> Asked:
        """The requests to the loop as they stand; cheap enough to read at every step."""
        if self._device and getpid() == self._pid:
            self._on_device(self._device.poll)
        return self._recording.asked

    def wait_while_paused(self) -> None:
        """Wait while a pause is requested; a request to stop ends the wait."""
        if getpid() != self._pid or self._closed or not self._recording.asked.pause:
            return
        self._on_device(self._device.flush)
        began = monotonic()
        self._recording.paused = True
        try:
            while self._recording.asked.pause and not self._recording.asked.stop:
                time.sleep(_LOOK_EVERY)
        finally:
            self._recording.paused = False
            self._began += monotonic() - began

    def checkpoint_saved(self, step: int, /) -> None:
        """Record that the loop saved a checkpoint of its own; this answers requests for one."""
        if getpid() == self._pid and not self._closed:
            self._recording.checkpoint_saved(_checked(step))

    def close(self, state: End = "finished", error: str | None = None) -> None:
        """Record how the loop ended; the end of a `with` calls it. Later calls do nothing.

        Waits a while for what is not written or measured yet. A loop that was asked to stop, and
        finishes, is `stopped`. `error` says why it failed.
        """
        if getpid() != self._pid or self._closed:
            return
        self._closed = True
        if state == "finished" and self._recording.asked.stop:
            state = "stopped"
        self._end(state, error)

    def abandon(self) -> None:
        """Write what is left if the process ends without closing the run."""
        if getpid() == self._pid and not self._closed:
            self._closed = True
            self._end("interrupted", None)

    def _end(self, state: State, error: str | None) -> None:
        seconds = self.seconds
        self._on_device(self._device.flush)
        until = monotonic() + (_LAST_WAIT if state == "finished" else _SHORT_WAIT)
        try:
            self._pictures.wait(until)
        finally:
            self._recording.finish(state, error, seconds, until)

    def forsake(self) -> None:
        """Release what a forked process inherited; the run belongs to its parent."""
        self._closed = True
        self._recording.forsake()
        self._pictures.forsake()

    def _on_device(self, act: Callable[[], None]) -> None:
        """Call a function that uses the device; its errors are logged and not raised."""
        try:
            act()
        except Exception:
            self._device = DeviceValues(self._put)
            self.note(traceback.format_exc())

    def _go_to(self, step: int) -> int:
        step = _checked(step)
        if step < self._step:
            self._recording.rewinds.append(step)
        self._step = step
        return step

    def _metric(self, name: str) -> str:
        """Return the metric for a name used by the loop; ValueError if there are too many names."""
        if len(self._names) >= _MOST_NAMES:
            raise ValueError(
                f"log: more than {_MOST_NAMES:,} different names: a name stands for a curve, so "
                "put what changes into the values"
            )
        metric = plain_name(name if "/" in name else f"train/{name}")
        return self._names.setdefault(name, metric)


def _passes(epoch: Any) -> float:
    """Return an epoch as a float; TypeError or ValueError if it is invalid."""
    passes = number_of("epoch", epoch)
    if not 0 <= passes <= _LARGEST_STEP:
        raise ValueError(f"log: epoch must be a number from 0, not {passes:g}")
    return passes


def _checked(step: Any) -> int:
    """Return a step as an int; ValueError if it is not a whole number from 0."""
    try:
        whole = operator.index(step)
    except TypeError:
        raise ValueError(f"a step is a whole number from 0, not {step!r}") from None
    if not 0 <= whole <= _LARGEST_STEP:
        raise ValueError(f"a step is a whole number from 0, not {whole}")
    return whole
