# ruff: noqa: T201 (printing is what is tested)

from __future__ import annotations

import io
import logging
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.runs.output_capture import captured_output
from tui_latent.runtime.sanitize import plain_line


@pytest.fixture
def lines() -> list[str]:
    return []


def test_lines_arrive_whole_and_as_text(lines: list[str]) -> None:
    with captured_output(lines.append):
        print("a", "b", sep="-")
        sys.stderr.write("half ")
        sys.stderr.write("a line\nand ")
        print("\x1b[1;31m[red]\x1b[0m \x1b]0;title\x07ü\x00", flush=True)
        print("one\ntwo")
        print("open", end="")
        assert lines == ["a-b", "half a line", "[red] ü", "one", "two"]
    assert lines[5:] == ["and ", "open"]


@pytest.mark.parametrize(
    ("drawn", "seen"),
    [
        (["\r 10%", "\r 20%", "\r100%", "\n"], ["100%"]),
        (["10%\r", "20%\r", "100%\r", "\n"], ["100%"]),
        (["line\r\n"], ["line"]),
        (["10%\r", "\r", "20%", "\n", "\n"], ["20%", ""]),
        (["\r 10%"], [" 10%"]),
        (["10%\r"], ["10%"]),
    ],
)
def test_of_a_progress_bar_the_last_state_remains(
    lines: list[str], drawn: list[str], seen: list[str]
) -> None:
    with captured_output(lines.append):
        for part in drawn:
            sys.stderr.write(part)
    assert [line.strip() for line in lines] == [line.strip() for line in seen]


def test_a_long_progress_bar_takes_no_memory(lines: list[str]) -> None:
    with captured_output(lines.append):
        for percent in range(10_000):
            sys.stderr.write(f"\r{percent} " + "#" * 80)
        sys.stderr.write("\n")
    assert len(lines) == 1 and lines[0].startswith("9999 ")


def test_threads_do_not_mix_their_lines(lines: list[str]) -> None:
    def talk(word: str) -> None:
        for _ in range(200):
            print(word, word, word)

    with captured_output(lines.append):
        threads = [threading.Thread(target=talk, args=(word * 9,)) for word in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(lines) == sorted([" ".join([word * 9] * 3) for word in "abcd"] * 200)


def test_everything_is_as_before_in_the_end_also_after_an_error(lines: list[str]) -> None:
    before = sys.stdout, sys.stderr
    with pytest.raises(RuntimeError), captured_output(lines.append):
        raise RuntimeError
    assert (sys.stdout, sys.stderr) == before


def test_a_capture_within_another_gets_the_lines(lines: list[str]) -> None:
    inner: list[str] = []
    with captured_output(lines.append):
        print("outer")
        with captured_output(inner.append):
            print("inner")
        print("outer again")
    assert (lines, inner) == (["outer", "outer again"], ["inner"])


def test_captures_may_end_in_any_order(capsys: pytest.CaptureFixture[str]) -> None:
    first: list[str] = []
    second: list[str] = []
    one, two = ExitStack(), ExitStack()
    one.enter_context(captured_output(first.append))
    two.enter_context(captured_output(second.append))
    one.close()
    print("to the second")
    two.close()
    print("to the screen")
    assert (first, second) == ([], ["to the second"])
    assert capsys.readouterr().out == "to the screen\n"


def test_another_redirection_that_began_later_is_left_alone(lines: list[str]) -> None:
    """As Textual's own, which may outlive the training."""
    stack, other = ExitStack(), io.StringIO()
    stack.enter_context(captured_output(lines.append))
    with redirect_stdout(other):
        stack.close()
        print("theirs")
    assert other.getvalue() == "theirs\n"
    assert lines == []


def test_a_stream_kept_beyond_the_end_is_the_stream_before(
    lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with captured_output(lines.append):
        kept = sys.stderr
    kept.write("late\n")
    kept.flush()
    assert capsys.readouterr().err == "late\n"
    assert lines == []


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("tui_latent.tests.capture")
    logger.propagate = False
    yield logger
    logger.handlers.clear()


def test_log_handlers_from_before_are_captured_and_given_back(
    lines: list[str], logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    other = io.StringIO()
    logger.addHandler(logging.StreamHandler(sys.stderr))
    logger.addHandler(logging.StreamHandler(other))
    with captured_output(lines.append):
        logger.warning("inside")
        with captured_output(lines.append):
            logger.warning("deeper")
    logger.warning("after")
    assert lines == ["inside", "deeper"]
    assert other.getvalue() == "inside\ndeeper\nafter\n"
    assert capsys.readouterr().err == "after\n"


def test_a_log_handler_from_within_goes_on_after(
    lines: list[str], logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    with captured_output(lines.append):
        logger.addHandler(logging.StreamHandler())
        logger.warning("inside")
    logger.warning("after")
    assert lines == ["inside"]
    assert capsys.readouterr().err == "after\n"


def test_what_the_callback_prints_goes_nowhere(
    lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def write(line: str) -> None:
        print("echo", line)
        lines.append(line)

    with captured_output(write):
        print("one")
        print("two")
    assert lines == ["one", "two"]
    assert capsys.readouterr() == ("", "")


def test_nothing_reaches_the_descriptors_and_they_stay_usable(tmp_path: Path) -> None:
    """With Python's own warnings and logging, which pytest replaces in this process."""
    code = """
        import logging, os, sys, threading, warnings
        from pathlib import Path
        from tui_latent.runs.output_capture import captured_output
        logging.basicConfig()
        lines = []
        with captured_output(lines.append):
            print("printed")
            warnings.warn("warned")
            logging.warning("logged")
            logging.getLogger("library").error("failed")
            thread = threading.Thread(target=lambda: 1 / 0)
            thread.start()
            thread.join()
            os.write(1, b"screen out\\n")
            os.write(2, b"screen err\\n")
        Path(sys.argv[1]).write_text("\\n".join(lines))
    """
    seen = tmp_path / "lines"
    command = [sys.executable, "-c", textwrap.dedent(code), str(seen)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("screen out\n", "screen err\n")
    text = seen.read_text()
    for part in ("printed", "UserWarning: warned", "WARNING:root:logged", "ERROR:library:failed"):
        assert part in text
    assert "ZeroDivisionError" in text


@given(st.text(max_size=40))
def test_a_plain_line_is_one_line_of_printable_text(text: str) -> None:
    plain = plain_line(text)
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in plain)
    assert plain_line(plain) == plain


def test_words_are_kept() -> None:
    assert plain_line("loss\t1.5 [bold]é 猫") == "loss    1.5 [bold]é 猫"
