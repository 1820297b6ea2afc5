"""Dialogs about a run: change its settings, undo a change, fork it, resume it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from textual.app import App

from tui_latent.nouns import counted
from tui_latent.tui import messages

if TYPE_CHECKING:
    from tui_latent.launch.device_choices import DeviceChoices
    from tui_latent.runs.events import RunEvent
    from tui_latent.tui.screens.dialogs.choice import Choice

T = TypeVar("T")
Begin = Callable[[Callable[[], Path]], Any]
"""trains the run whose folder a function returns, and opens its dashboard"""


class RunDialogs:
    """Opens the dialogs; runs are read and written in threads, except what a fork checks."""

    def __init__(self, app: App[Any], runs: Path, begin: Begin) -> None:
        self._app, self._runs, self._begin = app, runs, begin

    async def edit(self, path: Path) -> None:
        """Change the settings of a live run; open those of any other run for a new one."""
        from tui_latent.launch.tune import read_desk, tune
        from tui_latent.runs.schema import LIVE_STATES

        desk = await self._done(lambda: read_desk(path))
        if desk is None:
            return
        if desk.status.state not in LIVE_STATES:
            await self._start_anew(path)
        elif desk.preset.method.fitted:
            words = f"{desk.preset.method.name} has no steps between which settings could change."
            self._app.notify(words, severity="warning", markup=False)
        else:
            from tui_latent.tui.screens.dialogs.desk import DeskScreen

            self._app.push_screen(
                DeskScreen(path, desk, lambda: read_desk(path), lambda changes: tune(path, changes))
            )

    async def undo(self, path: Path) -> None:
        """Ask how far to undo the newest change of a setting, and request it."""
        from tui_latent.launch import tune

        def find() -> tuple[RunEvent | None]:
            if change := tune.last_change(path):
                tune.refuse_finished(path)
            return (change,)

        found = await self._done(find)
        if found is None:  # it has been told why
            return
        (change,) = found
        if change is None:
            self._app.notify("There is no change of a setting to undo.", timeout=4)
            return

        def request(back: int | None) -> RunEvent:
            tune.undo(path, change, back)
            return change

        if change.kind == tune.REQUESTED:  # nothing was trained with it: there is nothing to ask
            if await self._done(lambda: request(None)):
                self._app.notify(_taken_back(change), timeout=6, markup=False)
            return
        checkpoint = await asyncio.to_thread(tune.checkpoint_before, path, change.step)
        answer = await self._ask("Undo", _question(change), _ways_to_undo(change, checkpoint))
        if answer is not None:
            back = checkpoint if answer == "checkpoint" else None
            if await self._done(lambda: request(back)):
                self._app.notify(f"Undoing: {change.text}", timeout=6, markup=False)

    async def fork(self, path: Path, step: int | None) -> None:
        """Ask for a checkpoint and settings, and train a new run from there."""
        from tui_latent.launch.fork import fork_run, forked_preset
        from tui_latent.launch.tune import checkpoint_steps
        from tui_latent.runs.manifest import read_manifest
        from tui_latent.tui.screens.dialogs.fork import ForkScreen

        steps = await asyncio.to_thread(checkpoint_steps, path)
        if not steps:
            text = f"{path.name} has no checkpoint yet. Wait for its first evaluation, or save one."
            self._app.notify(text, severity="warning", markup=False)
            return
        manifest = await self._done(lambda: read_manifest(path))
        if manifest is None:
            return
        stages = len(manifest.preset.get("stages", ()))
        rate = f"stages.{stages - 1}.lr" if stages else "train.lr"
        check = lambda at, settings: forked_preset(path, at, settings)[1]  # noqa: E731
        asked = await self._app.push_screen_wait(ForkScreen(path.name, steps, step, rate, check))
        if asked is not None:
            self._begin(lambda: fork_run(path, self._runs, asked.step, asked.overrides))

    async def after_failure(self, path: Path, resume: Callable[[], Any]) -> None:
        """Ask what to do with a failed run; `resume` resumes it as it is."""
        from tui_latent.launch.retry import prepare_retry
        from tui_latent.runs.reader import RunReader

        snapshot = await self._done(lambda: RunReader(path).refresh())
        if snapshot is None:
            return
        status = snapshot.status
        where = f"step {status.checkpoint_step:,}" if status.checkpoint_step else "the beginning"
        question = f"{path.name} failed: {status.error or 'no reason was recorded'}"
        answer = await self._ask("Failed run", question, _ways_on(where))
        match answer:
            case "retry":
                self._begin(lambda: prepared(path, prepare_retry))
            case "resume":
                resume()
            case "edit":
                await self._start_anew(path)
            case "log":
                from tui_latent.tui.screens.dialogs.log import LogScreen

                self._app.push_screen(LogScreen(path.name, snapshot.log))

    async def resume(self, path: Path, resume: Callable[[], Any]) -> None:
        """Resume a run; if there is a choice, ask with how many processes."""
        from tui_latent.launch.device_choices import device_choices
        from tui_latent.launch.extend import change_length

        found = await self._done(lambda: (device_choices(path),))
        if found is None:  # it has been told why
            return
        (choices,) = found
        if choices is None:
            resume()
            return
        question = f"How many processes should {path.name} continue with?"
        if choices.problem:
            before = counted(choices.before, "process")
            question = f"It cannot continue with {before}: {choices.problem}. {question}"
        answer = await self._ask("Resume", question, _process_counts(choices))
        if answer is None:
            return
        changes = {"train.devices": int(answer)}
        if int(answer) != choices.before:
            told = await self._done(lambda: change_length(path, changes))
            if told is None:
                return
        resume()

    async def _start_anew(self, path: Path) -> None:
        """Open the form with the settings of a run, for a new one."""
        from tui_latent.config.presets import load_run_preset, preset_table
        from tui_latent.runs.manifest import PRESET_FILE, read_manifest

        def read() -> messages.SettingsRequested:
            name = read_manifest(path).preset_name or path.name
            table = preset_table(path / PRESET_FILE)
            return messages.SettingsRequested(name, table, load_run_preset(path), whose="run")

        if (request := await self._done(read)) is not None:
            self._app.post_message(request)

    async def _ask(self, title: str, question: str, choices: list[Choice]) -> str | None:
        from tui_latent.tui.screens.dialogs.choice import ChoiceScreen

        answer: str | None = await self._app.push_screen_wait(
            ChoiceScreen(title, question, choices)
        )
        return answer

    async def _done(self, work: Callable[[], T]) -> T | None:
        """Do something in a thread; if that fails, say why and return None."""
        from tui_latent.config.preset_files import PresetError
        from tui_latent.runs.schema import RunError

        try:
            return await asyncio.to_thread(work)
        except (PresetError, RunError) as error:
            self._app.notify(str(error), severity="error", timeout=20, markup=False)
            return None


def prepared(path: Path, prepare: Callable[[Path], object]) -> Path:
    """Prepare a run for its next training, and return its path."""
    prepare(path)
    return path


def _question(change: RunEvent) -> str:
    who = f" by {change.who}" if change.who else ""
    return f"The newest change, at step {change.step:,}{who}: {change.text}"


def _taken_back(change: RunEvent) -> str:
    from tui_latent.tui.screens.settings.draft import setting_text

    old, new = setting_text(change.old), setting_text(change.new)
    return f"Undone: {_named(change)} stays {old}. The change to {new} had not been made yet."


def _named(change: RunEvent) -> str:
    return "the factor" if change.setting == "lr_factor" else str(change.setting)


def _ways_to_undo(change: RunEvent, checkpoint: int | None) -> list[Choice]:
    from tui_latent.tui.screens.dialogs.choice import Choice
    from tui_latent.tui.screens.settings.draft import setting_text

    ways = [
        Choice(
            "value",
            f"Set {_named(change)} back to {setting_text(change.old)}",
            "From the next step on. What was trained since then is kept.",
        )
    ]
    if checkpoint is not None:
        ways.append(
            Choice(
                "checkpoint",
                f"Go back to the checkpoint of step {checkpoint:,}",
                "As if the change had never been made. Later steps are trained again.",
            )
        )
    return ways


def _process_counts(choices: DeviceChoices) -> list[Choice]:
    from tui_latent.tui.screens.dialogs.choice import Choice

    return [
        Choice(
            str(count),
            f"{counted(count, 'process')}{', as before' * (count == choices.before)}",
            f"Each has {choices.batch_size // count:,} of the {choices.batch_size:,} images of a "
            "step."
            if count > 1
            else f"It trains on all {choices.batch_size:,} images of a step.",
        )
        for count in choices.counts
    ]


def _ways_on(where: str) -> list[Choice]:
    from tui_latent.tui.screens.dialogs.choice import Choice

    retried = "From the beginning."
    if where.startswith("step "):
        retried = "From the last good checkpoint, without the changes made after it."
    return [
        Choice("retry", "Retry at half the learning rate", retried),
        Choice("resume", "Resume it unchanged", f"From {where}, once the cause has been removed."),
        Choice("edit", "Edit its settings and start a new run", "The failed run stays as it is."),
        Choice("log", "Open the log at the error", "What the training wrote before it failed."),
    ]
