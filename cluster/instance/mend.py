"""Starts again what has died of an instance: ``python -m cluster.instance.mend FOLDER``, as its supervisor does."""

from __future__ import annotations

import sys
from pathlib import Path

from cluster.instance.instance import Instance, asked_for
from cluster.instance.problem import InstanceProblem
from cluster.instance.progress import Progress
from cluster.instance.supervisor import tell


class _Told(Progress):
    """In the supervisor's log."""

    def step(self, what: str) -> None:
        tell(f"waiting for {what}")

    def give_up(self) -> None:
        tell("it does not come")


def mend(folder: Path) -> None:
    """Do what `up` does, by the settings with which the instance was started.

    Raises:
        InstanceProblem: It cannot be started.
    """
    settings = asked_for(folder)
    Instance(settings).up(_Told())


if __name__ == "__main__":
    try:
        mend(Path(sys.argv[1]))
    except InstanceProblem as problem:
        tell(str(problem))
        sys.exit(1)
