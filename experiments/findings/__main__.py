"""What five earlier systems found, trained again: our numbers beside theirs.

python -m experiments.findings                        on subsets, on a CPU
python -m experiments.findings vicreg --seeds 5       one of them, with five seeds
python -m experiments.findings vicreg --full          as published; needs a GPU
python -m experiments.tables                          writes the tables of docs/RESULTS.md

Stopped with Ctrl-C, the same command goes on.
"""

from __future__ import annotations

from pathlib import Path

import click

from experiments.findings import trials
from experiments.findings.finished import Counts
from experiments.findings.studies import ON_A_CPU, STUDIES

SUBSET = Counts(bank=4000, test=3000)
EVERYTHING = Counts()


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(STUDIES)))
@click.option("--seeds", type=click.IntRange(1), help="Seeds of each variant, from 0 on.")
@click.option("--full", is_flag=True, help="Train at the published size instead of on subsets.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=Path("runs/findings"),
    show_default=True,
    help="Folder of the runs, with a folder for each study.",
)
def main(names: tuple[str, ...], seeds: int | None, full: bool, threads: int, runs: Path) -> None:
    """Train the named studies, or those whose subset takes minutes."""
    trials.threads_of(threads)
    for name in names or ON_A_CPU:
        study = STUDIES[name]
        count = study.seeds if seeds is None else seeds
        command = f"python -m experiments.findings {name} --seeds {count}" + " --full" * full
        found = trials.read(name, full)
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


if __name__ == "__main__":
    main()
