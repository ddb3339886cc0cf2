"""A folder of this machine, or of any other file system that fsspec knows, whose files are whole or not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from optionchain.errors import InvalidInput

_UNFINISHED = ".part"


class Folder:
    """A folder; it is made where there is none.

    Args:
        url: A path, or a URL such as ``s3://bucket/sweeps``.

    Raises:
        InvalidInput: There is no such file system, or no writing to it; the error says why.
    """

    def __init__(self, url: str) -> None:
        import fsspec  # noqa: PLC0415  needed with an output only

        if not url.strip("/ "):
            raise InvalidInput("output", "must be a folder of its own, or a URL such as s3://bucket/sweeps")
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
            self._files.makedirs(self._root, exist_ok=True)
        except (ImportError, ValueError, OSError) as error:
            raise InvalidInput("output", f"cannot be written to: {error}") from error
        self.url = url.rstrip("/")

    def below(self, name: str) -> Folder:
        """A folder in this one."""
        return Folder(f"{self.url}/{name}")

    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            FileNotFoundError: There is none.
        """
        content: bytes = self._files.cat_file(f"{self._root}/{name}")
        return content

    def write(self, name: str, content: bytes) -> None:
        """Make a file, or put another in its place: a reader sees the old one or the new one, never half of it."""
        path = f"{self._root}/{name}"
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._files.pipe_file(path + _UNFINISHED, content)
        self._files.mv(path + _UNFINISHED, path)

    @contextmanager
    def writing(self, name: str, *, unfinished: str = _UNFINISHED) -> Iterator[IO[bytes]]:
        """A file that is there when everything has been written to it; what was not finished is removed.

        Args:
            name: Of the file.
            unfinished: What is added to the name until then.
        """
        path = f"{self._root}/{name}"
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        try:
            with self._files.open(path + unfinished, "wb") as stream:
                yield stream
        except BaseException:
            with suppress(Exception):
                self._files.rm(path + unfinished)
            raise
        self._files.mv(path + unfinished, path)

    def names(self, pattern: str) -> list[str]:
        """The files that match, in their order, as they are called in this folder."""
        self._files.invalidate_cache()  # another process may have written since
        found: list[Any] = self._files.glob(f"{self._root}/{pattern}")
        start = len(str(self._root).rstrip("/")) + 1
        return sorted(str(path)[start:] for path in found)

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that is in it.

        Raises:
            FileNotFoundError: There is none.
        """
        self._files.rm(f"{self._root}/{name}", recursive=True)
