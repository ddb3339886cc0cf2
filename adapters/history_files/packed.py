"""The bytes of a file, as it is or unpacked, as UTF-8."""

from __future__ import annotations

import codecs
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from optionchain.errors import InvalidInput

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# How what is packed begins, whatever it is called.
PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"(\xb5/\xfd": "zstd"}


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a CSV file as UTF-8, or in what a file without a mark is in."""
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_only_member(archive)) as member:
            yield _unmarked(_unpacked(io.BufferedReader(cast("Any", member))))
    else:
        with path.open("rb") as stream:
            yield _unmarked(_unpacked(stream))


def _unpacked(stream: io.BufferedReader) -> io.BufferedReader:
    """What a stream has inside, if it is packed."""
    packing = _packing(stream.peek(4))
    return stream if packing is None else io.BufferedReader(pa.CompressedInputStream(stream, packing))


def _only_member(archive: zipfile.ZipFile) -> str:
    names = [
        one.filename for one in archive.infolist() if not one.is_dir() and "__MACOSX" not in one.filename
    ]
    if len(names) != 1:
        raise InvalidInput(
            "file", f"{archive.filename} has {len(names)} files: unpack it and give those you mean"
        )
    return names[0]


def _unmarked(stream: io.BufferedReader) -> IO[bytes]:
    """The stream behind its byte order mark, if it has one."""
    mark = stream.peek(3)[:3]
    if mark.startswith(UTF_16):
        return cast("IO[bytes]", codecs.EncodedFile(stream, "utf-8", "utf-16"))
    if mark == codecs.BOM_UTF8:
        stream.read(3)
    return stream


def is_compressed(path: Path) -> bool:
    with path.open("rb") as stream:
        return path.suffix.lower() == ".zip" or _packing(stream.read(4)) is not None


def _packing(beginning: bytes) -> str | None:
    """How a file is packed that begins so; None where it is not."""
    return next((name for mark, name in PACKED.items() if beginning.startswith(mark)), None)
