"""The filter of the list of runs: `knn>.95 state:failed method:vicreg tag:x /regex/`.

Terms are separated by spaces, and a run must match all of them. A term is a comparison with a
number, a field with a text that it must contain, a regular expression, or a word of the run's
name, preset or tags. Case does not matter. Text with spaces is put in quotes.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Final

from tui_latent.runs.schema import RunSummary
from tui_latent.runtime.near_names import near_names

Test = Callable[[RunSummary], bool]


class FilterError(ValueError):
    """A filter that cannot be understood; the message says why."""


def _done(run: RunSummary) -> float | None:
    total = run.status.total_steps
    return 100 * run.status.step / total if total else None


NUMBERS: Final[dict[str, Callable[[RunSummary], float | None]]] = {
    "knn": lambda run: run.knn_20,
    "best": lambda run: run.best_knn_20,
    "loss": lambda run: run.loss,
    "seed": lambda run: run.seed,
    "dim": lambda run: run.latent_dim,
    "done": _done,
    "step": lambda run: run.status.step,
    "epoch": lambda run: run.status.epoch,
    "minutes": lambda run: run.status.seconds / 60,
}
"""fields that are compared with a number"""

TEXTS: Final[dict[str, Callable[[RunSummary], str]]] = {
    "state": lambda run: f"queued {run.queued}" if run.queued else run.status.state_word,
    "method": lambda run: run.method,
    "preset": lambda run: run.preset,
    "name": lambda run: f"{run.labels.name} {run.name}",
    "device": lambda run: run.status.device,
    "host": lambda run: run.status.host,
    "set": lambda run: " ".join(run.changes),
    "notes": lambda run: run.labels.notes,
}
"""fields that must contain a text; `tag:`, which is not among them, matches a whole tag"""

_TERM: Final = re.compile(
    r"""\s*(?:
        /(?P<regex>(?:[^/\\]|\\.)*)/
      | (?P<field>[A-Za-z_]+)\s*(?P<sign>>=|<=|!=|>|<|=|:)\s*(?:"(?P<quoted>[^"]*)"|(?P<value>\S*))
      | "(?P<words>[^"]*)"
      | (?P<word>\S+)
    )(?=\s|$)""",
    re.VERBOSE,
)
_SIGNS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ":": operator.eq,
    "!=": operator.ne,
}


def parse_filter(text: str) -> Test:
    """Return a function that tells whether a run matches; FilterError says what is wrong."""
    tests, at, end = [], 0, len(text.rstrip())
    while at < end:
        term = _TERM.match(text, at)
        if term is None:
            raise FilterError(_unfinished(text[at:].strip()))
        tests.append(_test(term))
        at = term.end()
    return lambda run: all(test(run) for test in tests)


def _unfinished(rest: str) -> str:
    if rest.startswith("/"):
        return f"{rest}: a regular expression ends with a second /."
    return f"{rest}: the second quotation mark is missing."


def _test(term: re.Match[str]) -> Test:
    if term["regex"] is not None:
        return _matches(term["regex"])
    if term["field"] is not None:
        quoted = term["quoted"]
        return _compares(term["field"].lower(), term["sign"], quoted or term["value"] or "")
    words = (term["words"] if term["words"] is not None else term["word"]).lower()
    if words.startswith("/"):
        raise FilterError(_unfinished(words))
    return lambda run: any(words in text.lower() for text in _searched(run))


def _searched(run: RunSummary) -> tuple[str, ...]:
    return run.labels.name, run.name, run.preset, *run.labels.tags


def _matches(regex: str) -> Test:
    try:
        pattern = re.compile(regex, re.IGNORECASE)
    except re.error as error:
        raise FilterError(f"/{regex}/ is not a regular expression: {error.msg}.") from error
    return lambda run: any(pattern.search(text) for text in _searched(run))


def _compares(field: str, sign: str, value: str) -> Test:
    if field not in NUMBERS and field not in TEXTS and field != "tag":
        known = [*NUMBERS, *TEXTS, "tag"]
        near = near_names(field, known)
        hint = f" Did you mean '{near[0]}'?" if near else f" Use {', '.join(known)}."
        raise FilterError(f"There is no field '{field}'.{hint}")
    if not value:
        what = "a number" if field in NUMBERS else "a word"
        raise FilterError(f"{field}{sign} needs {what} after it.")
    if field in NUMBERS:
        return _number_test(field, sign, value)
    if sign not in (":", "=", "!="):
        raise FilterError(f"'{field}' is text: write {field}:{value}.")
    wanted = value.lower()
    if field == "tag":
        return lambda run: (wanted in map(str.lower, run.labels.tags)) == (sign != "!=")
    text = TEXTS[field]
    return lambda run: (wanted in text(run).lower()) == (sign != "!=")


def _number_test(field: str, sign: str, value: str) -> Test:
    try:
        wanted = float(value.replace(",", "").removesuffix("%"))
    except ValueError as error:
        raise FilterError(f"{field}{sign}{value}: '{value}' is not a number.") from error
    read, compare = NUMBERS[field], _SIGNS[sign]

    def test(run: RunSummary) -> bool:
        number = read(run)
        return number is not None and compare(number, wanted)

    return test
