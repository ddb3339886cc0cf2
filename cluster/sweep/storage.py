"""Where sweeps are recorded: a folder of this machine, or of any other file system that fsspec knows."""

from __future__ import annotations

from typing import Any

from optionchain.errors import InvalidInput


def open_folder(url: str) -> tuple[Any, str]:
    """The file system of a folder, and the folder's path on it; it is made where there is none.

    Raises:
        InvalidInput: There is no such file system, or no writing to it; the error says why.
    """
    import fsspec  # noqa: PLC0415  needed with an output only

    if not url.strip("/ "):
        raise InvalidInput("output", "must be a folder of its own, or a URL such as s3://bucket/sweeps")
    try:
        files, path = fsspec.core.url_to_fs(url)
        files.makedirs(path, exist_ok=True)
    except (ImportError, ValueError, OSError) as error:
        raise InvalidInput("output", f"cannot be written to: {error}") from error
    return files, path
