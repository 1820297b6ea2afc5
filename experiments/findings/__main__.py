"""What five earlier systems found, trained again: our numbers beside theirs.

python -m experiments.findings                        on subsets, on a CPU
python -m experiments.findings vicreg --seeds 5       one of them, with five seeds
python -m experiments.findings vicreg --full          as published; needs a GPU
python -m experiments.tables                          writes the tables of docs/RESULTS.md

Stopped with Ctrl-C, the same command goes on. `--left` says what is not measured yet.
"""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import click

from experiments.findings import trials
from experiments.findings.finished import Counts
from experiments.findings.studies import ON_A_CPU, STUDIES
from experiments.findings.study import Variant

SUBSET = Counts(bank=2000, test=3000)
EVERYTHING = Counts()


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(STUDIES)))
@click.option("--seeds", type=click.IntRange(1), help="Seeds of each variant, from 0 on.")
@click.option("--full", is_flag=True, help="Train at the published size instead of on subsets.")
@click.option("--left", is_flag=True, help="Train nothing: say what is left, and its CPU minutes.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=Path("runs/findings"),
    show_default=True,
    help="Folder of the runs, with a folder for each study.",
)
def main(
    names: tuple[str, ...], seeds: int | None, full: bool, left: bool, threads: int, runs: Path
) -> None:
    """Train the named studies, or those whose subset takes minutes."""
    if not left:
        trials.threads_of(threads)
    for name in names or ON_A_CPU:
        study = STUDIES[name]
        count = study.seeds if seeds is None else seeds
        command = f"python -m experiments.findings {name} --seeds {count}" + " --full" * full
        found = trials.read(name, full)
        if left:
            click.echo(_left(command, list(trials.missing(study, full, count, found)), found))
            continue
        for variant, seed in trials.missing(study, full, count, found):
            folder = (runs / f"{name}{'-full' * full}").absolute()
            folder.mkdir(parents=True, exist_ok=True)
            counts = EVERYTHING if full else SUBSET
            new = trials.run(study, variant, full, seed, folder, counts)
            replaced = {(trial.variant, trial.seed) for trial in new}
            found = [t for t in found if (t.variant, t.seed) not in replaced] + new
            trials.save(name, full, command, found)
            for trial in new:
                numbers = ", ".join(f"{key} {value:.3f}" for key, value in trial.test.items())
                click.echo(f"{name}, {trial.variant}, seed {trial.seed}: {numbers}")


def _left(command: str, missing: list[tuple[Variant, int]], found: list[trials.Trial]) -> str:
    """Say how many trials a command has left, and how long they take by those measured so far."""
    seconds = [trial.cpu_seconds for trial in found if trial.cpu_seconds]
    minutes = f", about {len(missing) * fmean(seconds) / 60:.0f} CPU minutes" if seconds else ""
    return f"{command}: {len(missing)} trials left" + minutes * bool(missing)


if __name__ == "__main__":
    main()
