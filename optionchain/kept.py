"""Where results that are expensive to compute are kept between processes: a folder that nobody else can write to."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def private_places(*name: str) -> Iterator[Path]:
    """The folders of this name that can be written to, best first: the user's own, then a temporary one.

    Args:
        name: Of the folder, part by part, below one that is named for this package.

    Yields:
        Folders that exist, and that this user alone can write to: in ``/tmp`` somebody else may have been first.
    """
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "optionchain"
    temporary = Path(tempfile.gettempdir()) / f"optionchain-{_user()}"
    for place in (user, temporary):
        with suppress(OSError, RuntimeError):  # there is no home, or nobody may write there
            folder = place.joinpath(*name)
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_ours(place) and _is_ours(folder):
                yield folder


def _is_ours(folder: Path) -> bool:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or not os.access(folder, os.W_OK):
        return False
    return os.name != "posix" or (found.st_uid == _user() and not found.st_mode & 0o022)


def _user() -> int:
    return os.geteuid() if os.name == "posix" else 0
