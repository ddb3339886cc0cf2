"""Files that are read and never written: those of a folder of this machine, or of any file system that fsspec knows."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Any

from optionchain.errors import InvalidInput, Unavailable


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it is now.

    Attributes:
        name: In its folder.
        url: Where it is.
        size: In bytes.
        version: Changes with its content: its ETag, or when it was modified.
    """

    name: str
    url: str
    size: int
    version: str


class SourceFiles:
    """The files of a folder.

    Args:
        url: A path, or a URL such as ``s3://bucket/vendor``.

    Raises:
        InvalidInput: There is no such file system.
    """

    def __init__(self, url: str) -> None:
        import fsspec  # noqa: PLC0415  only tasks of this kind need it

        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise InvalidInput("url", f"cannot be read: {error}") from error
        self._url = url.rstrip("/")

    def files(self, pattern: str) -> list[SourceFile]:
        """The files whose names match, in their order.

        Raises:
            Unavailable: The folder cannot be read now.
        """
        self._files.invalidate_cache()  # another process may have written since
        try:
            found: dict[str, Any] = self._files.glob(f"{self._root}/{pattern}", detail=True)
        except OSError as error:
            raise Unavailable("the folder of files") from error
        return [self._file(path, found[path]) for path in sorted(found) if found[path]["type"] == "file"]

    def open(self, file: SourceFile) -> AbstractContextManager[IO[bytes]]:
        """Its content."""
        opened: AbstractContextManager[IO[bytes]] = self._files.open(f"{self._root}/{file.name}", "rb")
        return opened

    def _file(self, path: str, info: dict[str, Any]) -> SourceFile:
        name = path.rpartition("/")[2]
        version = next((info[key] for key in ("ETag", "etag", "mtime", "LastModified") if info.get(key)), "")
        return SourceFile(name, f"{self._url}/{name}", int(info["size"] or 0), str(version))
