"""One command at a time on an instance's folder, and a word about a folder that cannot be used."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil

from cluster.instance.private_files import owner_only
from cluster.instance.problem import InstanceProblem
from cluster.instance.processes import POLL_SECONDS


@contextmanager
def locked(folder: Path, *, interrupt_seconds: float = 0.0) -> Iterator[None]:
    """Hold the folder for as long as the block lasts; the lock goes with its process, so it can never be stale.

    Args:
        folder: Of the instance.
        interrupt_seconds: Where another command holds it, interrupt that one, and wait so long for its end.

    Raises:
        InstanceProblem: Another command holds it, or the block met a file or folder that cannot be used.
    """
    try:
        with open(folder / "lock", "a+", opener=owner_only) as file:
            if not _taken(file) and not (interrupt_seconds and _taken_over(file, interrupt_seconds)):
                raise InstanceProblem(
                    f"Another command (pid {_holder(file)}) is starting or stopping this instance. Wait for it, or "
                    "end it, then try again."
                )
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
    except OSError as error:
        if error.filename is None:
            raise
        raise unusable(folder, error) from error


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _taken_over(file: IO[str], patience_seconds: float) -> bool:
    """Interrupt the command that holds the lock, which then ends what it has started, and take the lock from it."""
    with suppress(psutil.Error, ValueError):
        holder = psutil.Process(int(_holder(file)))
        # A new holder has not written its number yet: the one in the file may be anybody's by now.
        if any(opened.path == os.path.realpath(file.name) for opened in holder.open_files()):
            holder.terminate()
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        if _taken(file):
            return True
        time.sleep(POLL_SECONDS)
    return False


def _holder(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip()


def made(folder: Path) -> Path:
    """The folder, made where it is missing; nobody else may look into it.

    Raises:
        InstanceProblem: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise unusable(folder, error) from error
    return folder


def unusable(folder: Path, error: OSError) -> InstanceProblem:
    """What to tell of a file or folder that the system refuses."""
    return InstanceProblem(
        f"The data folder {folder} cannot be used: {error.filename}: {error.strerror}. Give it to this user, or "
        "choose another with `--data` or OCS_DATA_FOLDER."
    )
