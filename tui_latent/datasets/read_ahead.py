"""Work done ahead in threads that can be left behind, for example if a disk does not respond."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from queue import SimpleQueue
from typing import TypeVar

from tui_latent.runtime.left_behind import LEFT_BEHIND

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_POLL_EVERY = 0.1
"""seconds"""


def in_order(
    work: Callable[[_Item], _Result],
    items: Iterable[_Item],
    threads: int,
    ahead: int,
    poll: Callable[[], None],
) -> Iterator[_Result]:
    """Yield the result of `work` for each item, in order; work at most `ahead` items ahead.

    `poll` is called before each result, and ten times a second while waiting for one; an
    exception from it ends the work. If a read never returns, its thread is left behind and delays
    neither the caller nor the exit of the process, unlike the pools of `concurrent.futures`.
    """
    jobs: SimpleQueue[tuple[_Item, Future[_Result]] | None] = SimpleQueue()
    given_up = threading.Event()

    def serve() -> None:
        while (job := jobs.get()) is not None and not given_up.is_set():
            item, future = job
            try:
                future.set_result(work(item))
            except BaseException as error:  # raised where the result is awaited
                future.set_exception(error)

    for number in range(threads):
        threading.Thread(target=serve, name=f"{LEFT_BEHIND}-{number}", daemon=True).start()
    pending: deque[Future[_Result]] = deque()
    try:
        for item in items:
            pending.append(Future())
            jobs.put((item, pending[-1]))
            if len(pending) > ahead:
                yield _awaited(pending.popleft(), poll)
        while pending:
            yield _awaited(pending.popleft(), poll)
    finally:
        given_up.set()
        for _ in range(threads):
            jobs.put(None)


def _awaited(future: Future[_Result], poll: Callable[[], None]) -> _Result:
    poll()
    while not wait([future], _POLL_EVERY).done:
        poll()
    return future.result()
