"""``make mutants FILE=optionchain/session.py``: which mistakes in a file no test notices."""

from __future__ import annotations

import os
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from proving.mutants.operators import Mutant, mutants_of
from proving.mutants.trial import Fate, tried


def main(
    files: Annotated[list[Path], typer.Argument(help="Where mistakes are made, one at a time.")],
    tests: Annotated[
        list[str], typer.Option(help="Files, folders or single tests that may notice; more than once.")
    ] = ["tests/unit"],  # noqa: B006  typer copies it
    sample: Annotated[int | None, typer.Option(min=1, help="Of each file, only so many, at random.")] = None,
    seed: Annotated[int, typer.Option(help="Of that choice.")] = 1,
) -> None:
    """Show the mistakes that no test notices. It is a report to find holes with: many of them change nothing."""
    # Machine code is made of the right code, or was, and knows of no mistake.
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    here = [file.resolve().relative_to(Path.cwd()) for file in files]
    chosen = [mutant for file in here for mutant in _some(list(mutants_of(file)), sample, seed)]
    with (
        tempfile.TemporaryDirectory(prefix="mutants-") as folder,
        tempfile.TemporaryFile("w+") as fates,
        os.fdopen(os.dup(1), "w") as shown,
    ):
        # What thousands of killed runs leave, a database each, would fill a disk.
        os.environ["PYTEST_DEBUG_TEMPROOT"] = folder

        def tell(mutant: Mutant, fate: Fate, seconds: float) -> None:
            print(fate.value, file=fates, flush=True)
            if fate is not Fate.KILLED:
                print(f"{fate.value:>9}  {mutant}", file=shown, flush=True)

        tried(chosen, tests, tell)
        fates.seek(0)
        found = Counter(fates.read().split())
    typer.echo(f"{len(chosen)} mutants: " + ", ".join(f"{found[fate.value]} {fate.value}" for fate in Fate))


def _some(mutants: list[Mutant], sample: int | None, seed: int) -> list[Mutant]:
    if sample is None or sample >= len(mutants):
        return mutants
    return random.Random(seed).sample(mutants, sample)


if __name__ == "__main__":
    typer.run(main)
