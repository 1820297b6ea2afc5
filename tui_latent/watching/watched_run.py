"""A run of someone's own loop, as the loop sees it: what it calls returns at once."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Mapping, Sequence
from os import getpid
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal

from tui_latent.runs.schema import RunError
from tui_latent.runtime.sanitize import plain_name
from tui_latent.watching.asked import Asked
from tui_latent.watching.device_values import DeviceValues
from tui_latent.watching.recording import Recording
from tui_latent.watching.silent_run import SilentRun
from tui_latent.watching.tensors import is_tensor, labels_of, latents_of, number_of
from tui_latent.watching.waiting_latents import WaitingLatents
from tui_latent.watching.waiting_records import WaitingRecord

End = Literal["finished", "stopped", "failed"]

_LARGEST_STEP: Final = 2**53
_LOOK_EVERY: Final = 0.05
"""seconds between two looks at the requests while the loop is paused"""
_MOST_NAMES: Final = 1000


class WatchedRun:
    """Records a loop; made by `tui_latent.watch`.

    Belongs to the thread of the loop. In a process that was forked off it does nothing. Wrong use
    (a value that is not a number, latents of differing length) raises at once; whatever goes
    wrong afterwards is in the run's log and never ends the loop.
    """

    def __init__(self, recording: Recording, classes: Sequence[str], first_step: int) -> None:
        """`first_step` is the last one of an earlier process, -1 for a new run."""
        self.path: Path = recording.path
        """the run's folder"""
        self._recording = recording
        self._classes = classes
        self._pid = getpid()
        self._names: dict[str, str] = {}
        self._device = DeviceValues(recording.records.put)
        self._step = first_step
        self._epoch = 0.0
        self._began = time.monotonic()
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
            self._recording.log_exception(kind, error, trace)
            first = str(error).partition("\n")[0] or "no message"
            self.close("failed", f"{kind.__name__}: {first}\nthe traceback is in train.log")

    def __reduce__(self) -> tuple[Callable[[], SilentRun], tuple[()]]:
        # a data set that holds the run takes it along to the workers that load it
        return SilentRun, ()

    def log(self, step: int, /, *, epoch: float | None = None, **values: Any) -> None:
        """Record numbers of a step: floats, or tensors of one number on any device.

        A name without a slash becomes `train/name`. `epoch` counts passes over the images, with
        fractions. Steps below the last one replace what was recorded from there on. The device
        is not waited for. TypeError for what is no number, ValueError for what is no step.
        """
        if getpid() != self._pid or self._closed:
            return
        step = self._go_to(step)
        if epoch is not None:
            self._epoch = number_of("epoch", epoch)
        names, numbers, on_device = [], [], False
        for name, value in values.items():
            names.append(self._names.get(name) or self._metric(name))
            if type(value) is not float:
                if is_tensor(value) and value.device.type != "cpu":
                    on_device = True
                    if value.numel() != 1:
                        number_of(name, value)  # says what is wrong
                else:
                    value = number_of(name, value)
            numbers.append(value)
        record = WaitingRecord(
            step, self.seconds, self._epoch, names, numbers, len(self._recording.rewinds)
        )
        if on_device or self._device:
            self._device.add(record)
        else:
            self._recording.records.put(record)

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
        known = len(self._classes) if self._classes else None
        queries = latents_of("queries", queries)
        found = None if labels is None else labels_of("labels", labels, len(queries), known)
        bank_found = None
        if bank is not None:
            bank = latents_of("bank", bank)
            if bank.shape[1] != queries.shape[1]:
                raise ValueError(
                    f"latents: queries have {queries.shape[1]} dimensions and the bank has "
                    f"{bank.shape[1]}: both must come from the same network"
                )
            if bank_labels is not None:
                bank_found = labels_of("bank_labels", bank_labels, len(bank), known)
        elif bank_labels is not None:
            raise ValueError("latents: bank_labels were given without a bank")
        self._go_to(step)
        self._device.poll()
        self._recording.measure(
            WaitingLatents(
                self._step, self.seconds, self._epoch, len(self._recording.rewinds),
                queries, found, bank, bank_found,
            )
        )  # fmt: skip

    def note(self, text: str) -> None:
        """Add a line to the run's log."""
        if getpid() == self._pid and not self._closed:
            self._recording.note(text)

    @property
    def seconds(self) -> float:
        """Time since the start, without pauses."""
        return time.monotonic() - self._began

    @property
    def asked(self) -> Asked:
        """What is asked of the loop now; costs nothing to look at."""
        self._device.poll()
        return self._recording.asked

    def wait_while_paused(self) -> None:
        """Return once no pause is asked for, or a stop is; at once where there is none."""
        if getpid() != self._pid or self._closed or not self._recording.asked.pause:
            return
        self._device.flush()
        began = time.monotonic()
        self._recording.paused = True
        try:
            while self._recording.asked.pause and not self._recording.asked.stop:
                time.sleep(_LOOK_EVERY)
        finally:
            self._recording.paused = False
            self._began += time.monotonic() - began

    def checkpoint_saved(self, step: int, /) -> None:
        """Tell that the loop has written a checkpoint of its own, as a dashboard may have asked."""
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
        self._device.flush()
        self._recording.finish(state, error, self.seconds)

    def _go_to(self, step: int) -> int:
        step = _checked(step)
        if step < self._step:
            self._recording.rewinds.append(step)
        self._step = step
        return step

    def _metric(self, name: str) -> str:
        """Return the metric that a name of the loop's stands for; RunError for too many."""
        if len(self._names) >= _MOST_NAMES:
            raise RunError(
                f"log: more than {_MOST_NAMES:,} different names: a name stands for a curve, so "
                "put what changes into the values"
            )
        metric = plain_name(name if "/" in name else f"train/{name}")
        return self._names.setdefault(name, metric)


def _checked(step: Any) -> int:
    """Return a step as a whole number; ValueError if it is none."""
    try:
        whole = operator.index(step)
    except TypeError:
        raise ValueError(f"a step is a whole number from 0, not {step!r}") from None
    if not 0 <= whole <= _LARGEST_STEP:
        raise ValueError(f"a step is a whole number from 0, not {whole}")
    return whole


def table_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a loop says of itself as values that TOML knows; others become their text."""
    return {plain_name(str(name)): _toml_value(value) for name, value in config.items()}


def _toml_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return table_of(value)
    if isinstance(value, (list, tuple)):
        return [_toml_value(item) for item in value if item is not None]
    if value is None or isinstance(value, (bool, str, float)):
        return value
    try:
        return operator.index(value)
    except TypeError:
        pass
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)
