"""Files that nobody else can read, and folders that nobody else can enter."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from cluster.instance.problem import InstanceProblem


def owner_only(path: str, flags: int) -> int:
    """An `opener` for `open`: a file that is made is for its owner alone, whatever the umask."""
    return os.open(path, flags, 0o600)


def check_private(folder: Path) -> None:
    """Look whether the files of an instance are for its owner alone: keys, passwords and addresses are in them.

    Folders in it are closed to others without a word.

    Raises:
        InstanceProblem: Others may read some of the files; the message names them.
    """
    opened = [entry for entry in sorted(folder.iterdir()) if _is_open(entry)]
    for entry in opened:
        if entry.is_dir():
            entry.chmod(0o700)
    if files := [entry.name for entry in opened if not entry.is_dir()]:
        raise InstanceProblem(
            f"Other users may read {', '.join(files)} in {folder}: `chmod -R go= {folder}`. Whatever they may have "
            "read meanwhile, change: keys and passwords are made anew where their files are removed."
        )


def _is_open(entry: Path) -> bool:
    return not entry.is_symlink() and bool(stat.S_IMODE(entry.lstat().st_mode) & 0o077)


def private_folder(folder: Path) -> Path:
    """A folder of ours alone, made where it is missing.

    Ray and HAProxy open what lies in it to everybody: that nobody else can enter is all that protects it. In a folder
    such as /tmp somebody else may have been first.

    Raises:
        InstanceProblem: It is somebody else's, or a link, or others may enter it.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise InstanceProblem(
            f"{folder} belongs to somebody else, or is no folder. Remove it, or ask its owner to."
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise InstanceProblem(f"{folder} is open to other users: `chmod 700 {folder}`, or remove it.")
    return folder
