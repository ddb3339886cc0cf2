"""The kind `export`: a simulation, or history, as a file at a URL; it is there as a whole, or not at all."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from adapters.files.folders import Folder
from adapters.history_files import export_chains, export_prices
from cluster.quotas.keeping import spending
from cluster.quotas.opening import open_amounts
from cluster.settings import Settings
from cluster.tasks.history_store import with_history
from cluster.tasks.kind import TaskParameters, kind
from cluster.tasks.places import allowed_url, filled_in
from cluster.tasks.references import resolved, resolved_now, sample
from cluster.tasks.sweeps import SOME_TIME
from cluster.tasks.work import Work
from optionchain.access.quotas import Quota
from optionchain.access.roles import Permission
from optionchain.errors import InvalidInput
from optionchain.export import Dataset, Export, Format
from optionchain.history.chains import DateRange, asset_name
from optionchain.sweeps.wire import base_from_wire
from optionchain.time_frame import TimeFrame

PIECE = 1 << 20


class HistoryPart(TaskParameters):
    """What of the history."""

    asset: str
    what: Literal["prices", "chains"] = "chains"
    days: int = Field(1, ge=1, le=36_600, description="So many days, the last of which is the run's date")
    timeframe: str = Field("Day", description="Of prices")
    form: Literal["optopsy", "dolthub"] = Field("optopsy", description="Of chains")


class ExportParameters(TaskParameters):
    """What is exported, and where to."""

    url: str = Field(description="Of the file; `{date}`, `{time}` and `{run}` are filled in")
    simulation: dict[str, Any] | None = Field(
        None, description="As the `base` of a sweep, with references: its rows"
    )
    history: HistoryPart | None = Field(None, description="Or a part of the history")
    dataset: Dataset = Field(Dataset.OPTION_CHAINS, description="Of a simulation")
    format: Format = Field(Format.PARQUET, description="Of a simulation")

    @model_validator(mode="after")
    def _is_of_one(self) -> ExportParameters:
        if (self.simulation is None) == (self.history is None):
            raise ValueError("must have either simulation or history")
        return self

    def check(self, settings: Settings) -> None:
        """As `TaskParameters.check`."""
        allowed_url("url", self.url, settings)
        if self.simulation is not None:
            self.export(resolved(self.simulation, SOME_TIME, sample), settings)
        if self.history is not None:
            try:
                asset_name(self.history.asset)
                TimeFrame.from_wire(self.history.timeframe, "timeframe")
            except InvalidInput as error:
                raise error.under("history") from None

    def export(self, base: Mapping[str, Any], settings: Settings) -> Export:
        """The export of a simulation.

        Raises:
            InvalidInput: It cannot be; the field is named.
        """
        try:
            parameters = base_from_wire(base)
        except InvalidInput as error:
            field = error.field.removeprefix("base").removeprefix(".")
            raise InvalidInput(field, error.reason).under("simulation") from None
        return Export(
            parameters=parameters,
            dataset=self.dataset,
            format=self.format,
            max_rows=settings.http.max_export_rows,
        )


def run(work: Work, parameters: ExportParameters) -> Mapping[str, Any]:
    """Write the file apart, and put it in its place by a rename."""
    url = allowed_url("url", filled_in(parameters.url, work.run), work.settings)
    folder, _, name = url.rpartition("/")
    target = Folder(folder)
    with tempfile.TemporaryDirectory() as apart:
        path = Path(apart) / name
        rows = _write(work, parameters, path)
        # Of this attempt alone: another one, of a worker that is silent and lives, writes its own.
        with target.writing(name, unfinished=f".{work.run.token}.part") as file, path.open("rb") as source:
            shutil.copyfileobj(source, file, PIECE)
            work.check()
        size = path.stat().st_size
    work.say(f"{size} bytes at {url}")
    return {"url": url, "bytes": size} | ({} if rows is None else {"rows": rows})


def _write(work: Work, parameters: ExportParameters, path: Path) -> int | None:
    if parameters.history is not None:
        return _write_history(work, parameters.history, path)
    base = with_history(
        work.settings, lambda history: resolved_now(parameters.simulation, work.scheduled_for, history)
    )
    export = parameters.export(base, work.settings)
    asyncio.run(_count(work, export.most_rows))
    with path.open("wb") as file:
        for piece in export.pieces():
            work.check()
            file.write(piece)
    return None


async def _count(work: Work, rows: int) -> None:
    """Count rows of the owner's; those of an attempt that fails too."""
    async with open_amounts(work.settings) as quotas, spending(quotas, work.owner, Quota.EXPORT_ROWS, rows):
        pass


def _write_history(work: Work, part: HistoryPart, path: Path) -> int:
    last = work.scheduled_for.date()
    period = DateRange(last - timedelta(days=part.days - 1), last)
    if part.what == "prices":
        timeframe = TimeFrame.from_wire(part.timeframe, "timeframe")
        return with_history(
            work.settings, lambda history: export_prices(history, part.asset, period, timeframe, path)
        )
    return with_history(
        work.settings, lambda history: export_chains(history, part.asset, period, path, form=part.form)
    )


EXPORT = kind(
    "export",
    "Write a simulation, or a part of the history, to a file",
    ExportParameters,
    run,
    permission=Permission.RESEARCH,
)
