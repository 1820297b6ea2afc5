"""Work done ahead by threads that nobody has to wait for, such as those that read a slow disk."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from queue import SimpleQueue
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_LOOK_EVERY = 0.1
"""seconds between two looks"""


def in_order(
    work: Callable[[_Item], _Result],
    items: Iterable[_Item],
    threads: int,
    ahead: int,
    look: Callable[[], None],
) -> Iterator[_Result]:
    """Yield the result of `work` for each item, in order, at most `ahead` items before its turn.

    `look` is called before each result, and ten times a second while one is waited for; what it
    raises ends the work. A read that never returns leaves its thread behind, which holds up
    neither the caller nor the end of the process: a pool of `concurrent.futures` would.
    """
    jobs: SimpleQueue[tuple[_Item, Future[_Result]] | None] = SimpleQueue()
    given_up = threading.Event()

    def serve() -> None:
        while (job := jobs.get()) is not None and not given_up.is_set():
            item, future = job
            try:
                future.set_result(work(item))
            except BaseException as error:  # handed over to who waits for the result
                future.set_exception(error)

    for number in range(threads):
        threading.Thread(target=serve, name=f"ahead-{number}", daemon=True).start()
    pending: deque[Future[_Result]] = deque()
    try:
        for item in items:
            pending.append(Future())
            jobs.put((item, pending[-1]))
            if len(pending) > ahead:
                yield _awaited(pending.popleft(), look)
        while pending:
            yield _awaited(pending.popleft(), look)
    finally:
        given_up.set()
        for _ in range(threads):
            jobs.put(None)


def _awaited(future: Future[_Result], look: Callable[[], None]) -> _Result:
    look()
    while not wait([future], _LOOK_EVERY).done:
        look()
    return future.result()
