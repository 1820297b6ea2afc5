"""The drawing thread: one thread, the newest job wins, errors are reported."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tests.waiting import patience
from tui_latent.tui.charts.draw_thread import WorkerThread


class Waits:
    """A job that says when it began and ends when it may."""

    def __init__(self) -> None:
        self.began, self.may_end = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.began.set()
        assert self.may_end.wait(patience())


def note(seen: list[object], value: object) -> Callable[[], None]:
    return lambda: seen.append(value)


def test_of_jobs_that_wait_under_one_key_only_the_newest_is_done() -> None:
    errors: list[Exception] = []
    drawer = WorkerThread(errors.append)
    seen: list[object] = []
    first, last = Waits(), threading.Event()
    drawer.submit("map", first)
    assert first.began.wait(patience())
    assert not drawer.idle()
    for value in range(100):
        drawer.submit("map", note(seen, value))
        drawer.submit("loss", note(seen, -value))
    drawer.submit("end", last.set)
    first.may_end.set()
    assert last.wait(patience())
    drawer.close()
    assert seen == [99, -99]
    assert not errors


def test_all_jobs_are_done_in_one_thread() -> None:
    drawer = WorkerThread(lambda error: None)
    threads: list[int] = []
    done = threading.Event()
    for key in range(5):
        drawer.submit(key, lambda: threads.append(threading.get_ident()))
    drawer.submit("end", done.set)
    assert done.wait(patience())
    drawer.close()
    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()


def test_a_job_that_fails_is_reported_and_the_next_is_done() -> None:
    errors: list[Exception] = []
    drawer = WorkerThread(errors.append)
    done = threading.Event()

    def fail() -> None:
        raise ValueError("no plot")

    drawer.submit("a", fail)
    drawer.submit("b", done.set)
    assert done.wait(patience())
    drawer.close()
    assert [str(error) for error in errors] == ["no plot"]


@pytest.mark.parametrize("used", [False, True])
def test_after_closing_nothing_is_drawn_and_no_thread_is_left(used: bool) -> None:
    before = threading.active_count()
    drawer = WorkerThread(lambda error: None)
    if used:
        done = threading.Event()
        drawer.submit("a", done.set)
        assert done.wait(patience())
    drawer.close()
    seen: list[object] = []
    drawer.submit("b", note(seen, 1))
    assert threading.active_count() == before
    assert seen == []
