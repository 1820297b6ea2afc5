"""Damaged files: run folders, presets and images, changed at random."""

from __future__ import annotations

import io
import os
import random
import resource
import shutil
import signal
import tempfile
import tomllib
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from benchmarks.record import Row
from tests.soak.kill import new_run
from tui_latent.cli.run_rows import run_line, run_row
from tui_latent.config.preset_files import PresetError, preset_folder, preset_names
from tui_latent.config.presets import dump_preset, load_preset
from tui_latent.datasets.shown_image import decode
from tui_latent.launch.progress import describe
from tui_latent.launch.run_result import result_of
from tui_latent.launch.start import check_preset, train_run
from tui_latent.runs.control import read_request
from tui_latent.runs.reader import RunReader
from tui_latent.runs.run_list import list_runs
from tui_latent.runs.schema import RunError
from tui_latent.training import session  # noqa: F401  # imported once, before the forks

_SECONDS = 60
"""seconds after which an attempt counts as hanging"""
_NASTY = (
    b"\x00", b"\xff\xfe", b"[red]", b"\x1b[2J", b"{", b"}" * 9, b"nan", b"-1", b"1e999",
    b"9" * 400, b"\xe2\x80\xae", b"[" * 5000, b"\n", b'"', b"null", b"../../..",
)  # fmt: skip


def measure_folders(tries: int) -> Row:
    """Change files of a stopped run, then list, read and resume it."""
    with tempfile.TemporaryDirectory() as name:
        template = _stopped_run(Path(name))

        def attempt(generator: random.Random, folder: Path) -> None:
            run = folder / "runs" / "run"
            shutil.copytree(template, run, symlinks=True)
            for _ in range(generator.randint(1, 3)):
                _harm_folder(run, generator)
            before = _names(run)
            _use(run)
            assert before <= _names(run), f"gone: {sorted(before - _names(run))}"

        return _attempts("run folders", tries, attempt, "no traceback, no hang, nothing deleted")


def measure_presets(tries: int) -> Row:
    """Change bundled presets, then load, check and describe them."""
    texts = [(preset_folder() / f"{name}.toml").read_bytes() for name in preset_names()]

    def attempt(generator: random.Random, folder: Path) -> None:
        file = folder / "changed.toml"
        file.write_bytes(_changed(generator.choice(texts), generator))
        try:
            preset = load_preset(str(file))
            check_preset(preset, folder, "changed")
            assert tomllib.loads(dump_preset(preset))
        except PresetError as error:
            assert str(error).strip()

    return _attempts("presets", tries, attempt, "a preset or a sentence, no hang")


def measure_images(tries: int) -> Row:
    """Change image files of every kind, then decode them in 2 GiB of memory."""

    def attempt(generator: random.Random, folder: Path) -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (2 << 30, 2 << 30))
        kind = generator.choice(("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM"))
        picture = Image.effect_noise((generator.randint(1, 90), generator.randint(1, 90)), 60)
        data = io.BytesIO()
        picture.convert(generator.choice(("L", "RGB"))).save(data, kind)
        file = folder / f"changed.{kind.lower()}"
        file.write_bytes(_changed(data.getvalue(), generator))
        warnings.simplefilter("ignore")  # Pillow's warnings about damage
        image = decode(file, 32)
        assert image is None or (image.size == (32, 32) and image.mode in ("L", "RGB"))

    return _attempts("images", tries, attempt, "an image or none, no traceback, no hang")


def _attempts(
    what: str, tries: int, attempt: Callable[[random.Random, Path], None], goal: str
) -> Row:
    """Run each attempt in its own process, and collect what went wrong."""
    problems: list[str] = []
    for number in range(tries):
        with tempfile.TemporaryDirectory() as name:
            if problem := _in_process(attempt, random.Random(number), Path(name)):
                problems.append(f"{what} {number}: {problem}")
    return Row(
        what=f"{tries} {what} changed at random",
        goal=goal,
        measured=f"{len(problems)} wrong",
        reached=not problems,
        numbers={"tries": tries, "problems": problems},
    )


def _in_process(
    attempt: Callable[[random.Random, Path], None], generator: random.Random, folder: Path
) -> str:
    """Return what went wrong, or an empty text."""
    report = folder.with_name(f"{folder.name}.report")
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.alarm(_SECONDS)
            attempt(generator, folder)
            code = 0
        except BaseException:
            report.write_text(traceback.format_exc(limit=-6))
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    told = report.read_text() if report.exists() else f"ended with {code}"
    report.unlink(missing_ok=True)
    return told if code else ""


def _stopped_run(folder: Path) -> Path:
    """Return a run that was stopped halfway, with everything a run can contain."""
    pid = os.fork()
    if pid == 0:
        path = new_run(folder, "run")
        from tui_latent.runs.control import request
        from tui_latent.training.loop import TrainingLoop

        step = TrainingLoop.step

        def step_then_stop(loop: TrainingLoop) -> object:
            if loop.done == 300:
                request(path, state="stop")
            return step(loop)

        TrainingLoop.step = step_then_stop  # type: ignore[method-assign,assignment]
        train_run(path)
        os._exit(0)
    os.waitpid(pid, 0)
    path = folder / "run"
    (path / "reports").mkdir()
    (path / "reports" / "report.png").write_bytes(b"\x89PNG")
    return path


def _names(run: Path) -> set[str]:
    """Return a run's files except temporary ones and checkpoints, which are replaced."""
    names = {str(path.relative_to(run)) for path in run.rglob("*")}
    return {name for name in names if not name.endswith(".tmp") and "step-" not in name}


def _use(run: Path) -> None:
    """Use a run as commands and screens do; only errors meant for people may be raised."""
    try:
        for summary in list_runs(run.parent):
            assert run_line(summary).isprintable() and run_row(summary)
        reader = RunReader(run)
        for _ in range(2):
            snapshot = reader.refresh()
            assert describe(snapshot) and result_of(snapshot)
            for step in snapshot.map_steps:
                reader.map_at(step)
        read_request(run)
        size = (run / "train.log").stat().st_size if (run / "train.log").is_file() else 0
        status = train_run(run)
        assert status.state in ("finished", "failed", "stopped"), status.state
        assert status.state != "failed" or status.error
        if (run / "train.log").is_file():
            told = (run / "train.log").read_bytes()[size:].decode("utf-8", "replace")
            assert "Traceback" not in told, told
    except RunError as error:
        assert str(error).strip()


def _harm_folder(run: Path, generator: random.Random) -> None:
    """Damage one file or folder of a run."""
    paths = sorted(
        path
        for path in run.rglob("*")
        if not path.name.endswith(".lock") and not path.is_symlink()  # harmed already
    )
    path = generator.choice(paths)
    how = generator.randrange(8)
    if path.is_dir():
        if how < 2:
            shutil.rmtree(path)
        return
    if how == 0:
        path.unlink()
    elif how == 1:
        path.unlink()
        path.mkdir()
    elif how == 2:
        path.unlink()
        path.symlink_to(path.name)
    else:
        path.write_bytes(_changed(path.read_bytes(), generator))


def _changed(data: bytes, generator: random.Random) -> bytes:
    """Return data that is cut, or has bits flipped, bytes inserted or lines repeated."""
    content = bytearray(data)
    for _ in range(generator.randint(1, 4)):
        place = generator.randrange(len(content) + 1)
        match generator.randrange(6):
            case 0:
                del content[place:]
            case 1 if content:
                content[place % len(content)] ^= 1 << generator.randrange(8)
            case 2:
                content[place:place] = generator.choice(_NASTY)
            case 3:
                content[place : place + generator.randint(1, 40)] = generator.randbytes(7)
            case 4:
                content[place:place] = bytes(content[place : place + 200])
            case _:
                lines = bytes(content).split(b"\n")
                generator.shuffle(lines)
                content = bytearray(b"\n".join(lines))
    return bytes(content)
