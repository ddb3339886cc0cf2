"""One command at a time on an instance's folder, and a word about a folder that cannot be used."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.instance_problem import InstanceProblem


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for as long as the block lasts; the lock goes with its process, so it can never be stale.

    Raises:
        InstanceProblem: Another command holds it, or the block met a file or folder that cannot be used.
    """
    try:
        with (folder / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise InstanceProblem(
                    f"Another command (pid {file.read().strip()}) is starting or stopping this instance. "
                    "Wait for it, or end it, then try again."
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
    except OSError as error:
        if error.filename is None:
            raise
        raise unusable(folder, error) from error


def made(folder: Path) -> Path:
    """The folder, made where it is missing.

    Raises:
        InstanceProblem: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(folder, error) from error
    return folder


def unusable(folder: Path, error: OSError) -> InstanceProblem:
    """What to tell of a file or folder that the system refuses."""
    return InstanceProblem(
        f"The data folder {folder} cannot be used: {error.filename}: {error.strerror}. Give it to this user, or "
        "choose another with `--data` or OCS_DATA_FOLDER."
    )
