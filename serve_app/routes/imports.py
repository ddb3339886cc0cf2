"""HTTP: files of prices or chains into history, for administrators; what `optionchain history import` does."""

from __future__ import annotations

import re
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import orjson
from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from adapters.history_files import ImportPlan, ImportReport, plan_import
from adapters.history_files.plans import FORMATS
from adapters.history_files.reports import report_lines
from cluster.history_imports import imported
from cluster.history_stores import HistoryStores
from cluster.quotas.keeping import spending
from optionchain.access.quotas import Quota
from optionchain.errors import InvalidInput, Unavailable
from optionchain.history.chains import asset_name
from optionchain.history.wire import day_from_wire
from optionchain.time_frame import TimeFrame
from serve_app.edge.caller import Caller
from serve_app.edge.route_table import handler
from serve_app.handling.encoded import json_response
from serve_app.openapi.documentation import errors, shown
from serve_app.services import services_of

# As many as somebody reads.
MOST_REJECTS = 1000
LONGEST_NAME = 100
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class ImportQuery(BaseModel):
    """What a file does not say of itself; the command line has more such options."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        "upload.csv", max_length=LONGEST_NAME, description="Of the file: its ending says what it is"
    )
    form: str = Field("auto", alias="format", description=f"One of {', '.join(FORMATS)}")
    timeframe: str = Field("Day", description="What a bar spans")
    timezone: str = Field("UTC", description="Of the times in the file")
    month_first: bool | None = Field(None, description="03/04/2024 is in March; absent: it is detected")
    decimal: str | None = Field(None, description="The mark before a fraction; absent: it is detected")
    date: str | None = Field(None, description="Of a chain whose file does not say it")
    expiration: str | None = Field(None, description="The same")
    underlying_price: float | None = Field(None, gt=0, description="The same")
    replace: bool = Field(False, description="Drop what is stored of the days of the file's chains")

    def options(self) -> dict[str, Any]:
        """As `plan_import` takes them."""
        days = {"day": ("date", self.date), "expiration": ("expiration", self.expiration)}
        return {
            "form": self.form,
            "timeframe": TimeFrame.from_wire(self.timeframe, "timeframe"),
            "timezone": self.timezone,
            "month_first": self.month_first,
            "decimal": self.decimal,
            "underlying_price": self.underlying_price,
            "replaces": self.replace,
        } | {name: day_from_wire(said, text) for name, (said, text) in days.items() if text}


class ImportView(BaseModel):
    """What came of an import."""

    asset: str
    rows: int = Field(description="Rows that were read")
    stored: int
    rejected: int
    notes: list[str] = Field(description="What was stored otherwise than written")
    rejects: list[str] = Field(description=f"Lines of CSV, the reason in each; the first {MOST_REJECTS}")


@handler("Import a file", responses=shown(ImportView) | errors(400, 403, 503), extra=_FILE)
async def import_file(
    request: Request, asset: str, query: Annotated[ImportQuery, Query()], caller: Caller
) -> Response:
    """The body is the file, CSV or Parquet, also compressed: prices (OHLCV) or end-of-day chains. It is answered when
    everything is stored; what was stored of the same instants or contracts is replaced."""
    services = services_of(request)
    if services.stores is None:
        raise Unavailable("the history store")
    options = {"asset": asset_name(asset), **query.options()}
    folder = Path(tempfile.mkdtemp(prefix="optionchain-import-"))
    try:
        file = folder / _plain(query.name)
        with file.open("wb") as stream:
            async for piece in request.stream():
                stream.write(piece)
        async with spending(services.quotas, caller.tenant, Quota.STORAGE, file.stat().st_size):
            compute = partial(_imported, services.stores, file, options)
            return json_response(await services.producers.whole(caller.tenant, compute))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _imported(stores: HistoryStores, file: Path, options: dict[str, Any]) -> bytes:
    """Called in a thread, with stores of its own: reading a file keeps a processor busy."""
    try:
        plan = plan_import(file, **options)
        report = stores.run(
            lambda repository, cache: imported(plan, repository, cache, destination=stores.name)
        )
    except InvalidInput as error:
        raise _as_asked(error, file) from error
    return orjson.dumps(_view(plan, report))


def _as_asked(error: InvalidInput, file: Path) -> InvalidInput:
    """The error in the words of this route; where the file lies for now concerns nobody."""
    asked = {field.alias or name for name, field in ImportQuery.model_fields.items()} | {"asset"}
    field = error.field.replace("-", "_")
    reason = error.reason.replace(f"{file.parent}/", "")
    return InvalidInput(field if field in asked else "body", reason)


def _view(plan: ImportPlan, report: ImportReport) -> dict[str, Any]:
    rejects = plan.rejects_path.read_text("utf-8").splitlines() if report.rejected else []
    _, *notes = report_lines(plan, report)  # the first says what the numbers say
    return {
        "asset": plan.asset,
        "rows": report.rows,
        "stored": report.stored,
        "rejected": report.rejected,
        "notes": notes,
        "rejects": rejects[: MOST_REJECTS + 1],
    }


def _plain(name: str) -> str:
    """The name of a file that is one here: its letters, and no folders."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name.rpartition("/")[2]).lstrip(".")
    return plain or "upload.csv"
