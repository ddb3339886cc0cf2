"""The formats of a table of results: of a file, by its ending, and of an answer, by its name. A format is one entry."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import orjson

from optionchain.tables.spreadsheets import without_formulas

if TYPE_CHECKING:
    import polars


@dataclass(frozen=True, slots=True)
class TableFormat:
    """How a table is written.

    Attributes:
        media_type: Of an answer.
        to_file: Writes a table to a path that ends in the format's name.
        to_answer: A table as the body of an answer.
    """

    media_type: str
    to_file: Callable[[polars.DataFrame, str], object]
    to_answer: Callable[[polars.DataFrame], bytes]


def _arrow(frame: polars.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_ipc_stream(stream)
    return stream.getvalue()


def _parquet(frame: polars.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


FORMATS: Mapping[str, TableFormat] = {
    "json": TableFormat(
        "application/json",
        lambda frame, path: frame.write_json(path),
        lambda frame: orjson.dumps(frame.to_dicts()),  # a list of objects
    ),
    "csv": TableFormat(
        "text/csv; charset=utf-8",
        lambda frame, path: without_formulas(frame).write_csv(path),
        lambda frame: without_formulas(frame).write_csv(line_terminator="\r\n").encode(),  # RFC 4180
    ),
    "arrow": TableFormat(
        "application/vnd.apache.arrow.stream", lambda frame, path: frame.write_ipc(path), _arrow
    ),
    "parquet": TableFormat(
        "application/vnd.apache.parquet", lambda frame, path: frame.write_parquet(path), _parquet
    ),
}

if TYPE_CHECKING:
    Format: TypeAlias = str
else:
    Format = Literal[tuple(FORMATS)]
"""The name of a format."""


def rendered(table: bytes, style: Format) -> bytes:
    """A Parquet table in another format."""
    import polars  # noqa: PLC0415  heavy

    return table if style == "parquet" else FORMATS[style].to_answer(polars.read_parquet(io.BytesIO(table)))
