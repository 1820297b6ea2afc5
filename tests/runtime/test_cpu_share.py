"""The screen's share of the computing, against threads that compute for a known time."""

from __future__ import annotations

import threading
import time

import pytest

from tui_latent.runtime import cpu_share as screen_time
from tui_latent.runtime.cpu_share import ScreenShare, count_this_thread, screen_seconds


@pytest.fixture(autouse=True)
def nothing_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen_time, "_clocks", {})
    monkeypatch.setattr(screen_time, "SECONDS_BETWEEN", 0.0)


def compute(seconds: float, counted: bool) -> None:
    def work() -> None:
        if counted:
            count_this_thread()
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_process_without_a_screen_has_no_share() -> None:
    share = ScreenShare()
    compute(0.02, counted=False)
    assert screen_seconds() is None
    assert share.read() is None


@pytest.mark.slow
def test_the_share_is_that_of_the_threads_that_count() -> None:
    ended = threading.Event()

    def watch() -> None:
        count_this_thread()
        end = time.thread_time() + 0.1
        while time.thread_time() < end:
            pass
        computed.set()
        ended.wait()

    computed = threading.Event()
    share = ScreenShare()
    thread = threading.Thread(target=watch)
    thread.start()
    computed.wait()
    compute(0.3, counted=False)
    found = share.read()
    ended.set()
    thread.join()
    assert found == pytest.approx(0.25, abs=0.05)
    compute(0.05, counted=False)
    again = share.read()
    assert again is not None and again < 0.1


def test_a_thread_that_has_ended_is_not_a_problem() -> None:
    compute(0.02, counted=True)
    share = ScreenShare()
    compute(0.02, counted=False)
    assert share.read() == pytest.approx(0.0, abs=0.01)


def test_it_is_not_measured_over_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen_time, "SECONDS_BETWEEN", 60.0)
    count_this_thread()
    assert ScreenShare().read() is None
