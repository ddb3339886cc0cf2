"""A table of results in the formats that HTTP callers may ask for."""

from __future__ import annotations

import io
from typing import Literal, TypeAlias

import orjson

Format: TypeAlias = Literal["json", "csv", "arrow", "parquet"]


def rendered(table: bytes, style: Format) -> bytes:
    """A Parquet table in another format; CSV as in RFC 4180, JSON as a list of objects."""
    import polars  # noqa: PLC0415  heavy

    if style == "parquet":
        return table
    frame = polars.read_parquet(io.BytesIO(table))
    match style:
        case "csv":
            return frame.write_csv(line_terminator="\r\n").encode()
        case "arrow":
            stream = io.BytesIO()
            frame.write_ipc_stream(stream)
            return stream.getvalue()
        case "json":
            return orjson.dumps(frame.to_dicts())
