"""`explain`: what can be said about a run, in sentences for a screen reader."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from tui_latent.cli.options import FAILED, fail, find_folder, json_option, runs_option

_WORDS: Final = {"bad": "Bad", "warning": "Warning", "good": "Good", "note": "Note"}
_VERDICT: Final = "verdict.open"
"""id of the key that lists the findings, of which one is chosen"""


@click.command()
@click.argument("run")
@runs_option
@json_option
def explain(run: str, runs: str | None, as_json: bool) -> None:
    """Explain in sentences how RUN went, with the evidence, and what its map looks like."""
    from tui_latent.runs.schema import RunError

    path = find_folder(run, runs)
    try:
        found = explained(path)
    except RunError as error:
        fail(error, FAILED)
    click.echo(json.dumps(found) if as_json else explained_text(found))


def explained(path: Path) -> dict[str, Any]:
    """Return the verdict on the run at `path` and its map in words; RunError if unreadable."""
    from tui_latent.preferences.config_file import config_path, read_preferences
    from tui_latent.runs.evaluations import newest_evaluation
    from tui_latent.runs.origin import nouns_of
    from tui_latent.runs.reader import RunReader
    from tui_latent.tui.remapping import KeymapError, check_keymap, key_name
    from tui_latent.verdict import judge
    from tui_latent.verdict.map_words import map_sentences

    snapshot = RunReader(path).refresh()
    verdict = judge(snapshot, newest_evaluation(path))
    keys = read_preferences(config_path())[0].keys
    try:
        check_keymap(keys)
    except KeymapError:  # the dashboard does not use them either
        keys = {}
    findings = verdict.as_json()
    for finding in findings:
        door = finding["door"]
        door["chosen"] = door["key"] == _VERDICT
        door["key"] = key_name(door["key"], keys)
    several = snapshot.origin != "opened" or len(snapshot.map_steps) > 1
    return {
        "run": snapshot.name,
        "origin": snapshot.origin,
        "state": snapshot.status.state,
        "step": snapshot.status.step,
        "total_steps": snapshot.status.total_steps,
        "severity": verdict.severity,
        "verdict": verdict.line(),
        "findings": findings,
        **({"ranks": [asdict(rank) for rank in snapshot.ranks]} if snapshot.ranks else {}),
        "map": []
        if snapshot.map is None
        else map_sentences(snapshot.map, nouns_of(snapshot.origin), several),
    }


def explained_text(found: dict[str, Any]) -> str:
    """Return an explanation as text: one sentence per line, no marks that cannot be read out."""
    head = f"{found['run']}: {found['state']}, step {found['step']:,}"
    if found["origin"] == "opened":
        head = f"{found['run']}: opened from files"
    lines = [f"{head} of {found['total_steps']:,}." if found["total_steps"] else f"{head}."]
    lines += ["", found["verdict"] or "Nothing stands out."]
    for finding in found["findings"]:
        door, word = finding["door"], _WORDS[finding["severity"]]
        lines += [
            "",
            f"{word}: {finding['sentence'].removeprefix(f'{word}: ')}",
            f"  Evidence: {finding['evidence']}",
            *([f"  Threshold: {finding['threshold']}"] if finding["threshold"] else []),
            f"  To see it: {_way(door)}.",
        ]
    if ranks := found.get("ranks"):
        lines += ["", f"{len(ranks)} processes trained it together, at the end like this:"]
        lines += [f"  {_rank(number, rank)}" for number, rank in enumerate(ranks)]
    return "\n".join([*lines, "", *(found["map"] or ["There is no map yet."])])


def _way(door: dict[str, Any]) -> str:
    """Say how to come to the evidence: by a key, or by choosing the finding in the verdict."""
    if door["chosen"]:
        return f"press {door['key']} on the dashboard and choose it there, for {door['words']}"
    return f"press {door['key']} on the dashboard for {door['words']}"


def _rank(number: int, rank: dict[str, Any]) -> str:
    text = f"Process {number} ({rank['device']}, on {rank['host']})"
    if rank["images_per_second"] is not None:
        text += f" trained on {rank['images_per_second']:,.0f} images/s"
    if rank["waiting"] is not None:
        text += f" and waited for the others {100 * rank['waiting']:.0f} % of the time"
    return f"{text}."
