"""HTTP: chains of the past as the files that backtesters read."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import orjson
from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from adapters.history_files.exports import EXPORTS, FOLDERS
from optionchain.errors import InvalidInput, NotFound
from optionchain.history.chains import DateRange, HistoricalChain, asset_name
from optionchain.history.wire import chain_from_wire, day_from_wire
from serve_app.edge.caller import Caller
from serve_app.edge.route_table import Responses, handler
from serve_app.handling.streaming import CHUNK_BYTES, BodyResponse, in_chunks
from serve_app.openapi.documentation import errors
from serve_app.routes.history import From, History, To
from serve_app.services import services_of

MOST_DAYS = 366
# For one day out of the store: the service's own time-out is shorter.
PATIENCE_SECONDS = 60.0
_BINARY = {"schema": {"type": "string", "format": "binary"}}
FILE: Responses = {
    200: {
        "description": "A table as CSV, or a folder as a zip archive.",
        "content": {"text/csv": _BINARY, "application/zip": _BINARY},
    }
}


@handler(
    "The chains of a period as a file", responses=FILE | errors(400, 404), response_class=StreamingResponse
)
async def chains_file(
    request: Request,
    asset: str,
    history: History,
    caller: Caller,
    first: From,
    last: To,
    form: Annotated[str, Query(alias="format", description=f"One of {', '.join(EXPORTS)}")] = "optopsy",
) -> Response:
    """As `optionchain history export --what chains` writes it: `optopsy` and `dolthub` as CSV, `lean` and `nautilus`,
    which are folders, as a zip archive. `from` and `to` are at most a year apart; days without a chain are passed over.
    """
    if form not in EXPORTS:
        raise InvalidInput("format", f"must be one of {', '.join(EXPORTS)}")
    name, period = asset_name(asset), DateRange(day_from_wire("from", first), day_from_wire("to", last))
    if (period.last - period.first).days >= MOST_DAYS:
        raise InvalidInput("to", f"must be less than {MOST_DAYS} days after from")
    loop = asyncio.get_running_loop()

    def chain_of(day: date) -> HistoricalChain:
        """Called in a thread of exports, which may wait."""
        asked = asyncio.run_coroutine_threadsafe(history.chain(name, day), loop)
        return chain_from_wire(name, day, orjson.loads(asked.result(PATIENCE_SECONDS).value))

    producers = services_of(request).producers
    body = await producers.start(caller.tenant, lambda: _file(name, form, period, chain_of))
    ending, media_type = ("zip", "application/zip") if form in FOLDERS else ("csv", "text/csv; charset=utf-8")
    file_name = f"{name}_{form}_{period.first}_{period.last}.{ending}"
    return BodyResponse(
        body,
        in_chunks(body),
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
        stall_seconds=producers.stall_seconds,
    )


def _file(
    asset: str, form: str, period: DateRange, chain_of: Callable[[date], HistoricalChain]
) -> Iterator[bytes]:
    """Write the file, so that what is wrong is known before anything is sent, and return its pieces."""
    folder = Path(tempfile.mkdtemp(prefix="optionchain-export-"))
    try:
        path = folder / (form if form in FOLDERS else f"{form}.csv")
        rows = 0
        with EXPORTS[form](path) as write:
            for days in range((period.last - period.first).days + 1):
                with suppress(NotFound):
                    rows += write(chain_of(period.first + timedelta(days=days)))
        if not rows:
            raise NotFound("chains", asset)
        if form in FOLDERS:
            path = Path(shutil.make_archive(str(folder / "archive"), "zip", path))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return _pieces(path, folder)


def _pieces(path: Path, folder: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                yield piece
    finally:
        shutil.rmtree(folder, ignore_errors=True)
