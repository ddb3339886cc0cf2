"""Files into history: batch by batch, bad rows to a file of rejects, and on from where it was interrupted."""

from __future__ import annotations

import csv
import json
from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from adapters.history_files.bars import BarMapping, bars_of, detect_bars
from adapters.history_files.chain_shapes import SHAPES, detect_shape
from adapters.history_files.chains import ChainMapping, chains_of, detect_chains
from adapters.history_files.tables import Table, open_table
from optionchain.errors import InvalidInput, NotFound
from optionchain.history import HistoricalChain, asset_name
from optionchain.history_ports import HistoricalDataRepository
from optionchain.price_series import PriceSeries
from optionchain.time_frame import TimeFrame

FORMATS = ("auto", "ohlcv", *SHAPES)
# Told how many rows a batch had, and of which days its chains are.
OnBatch: TypeAlias = Callable[[int, Set[date]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What would be imported, and how; made by `plan_import`."""

    table: Table
    asset: str
    timeframe: TimeFrame
    timezone: str
    mapping: BarMapping | ChainMapping

    @property
    def rejects_path(self) -> Path:
        return self.table.path.with_name(self.table.path.name + ".rejects.csv")

    @property
    def progress_path(self) -> Path:
        return self.table.path.with_name(self.table.path.name + ".import.json")

    def describe(self) -> dict[str, str]:
        """What was detected, to be shown."""
        mapping = self.mapping
        shown = {"file": str(self.table.path), "asset": self.asset}
        if not self.table.is_parquet:
            shown |= {
                "delimiter": repr(self.table.delimiter),
                "header": "yes" if self.table.has_header else "no",
            }
        if isinstance(mapping, BarMapping):
            shown |= {"format": "ohlcv", "time frame": self.timeframe.name, "dates": mapping.date_format}
            return shown | {f"  {name}": column for name, column in mapping.columns.items()}
        shown |= {"format": mapping.shape.name, **{f"{k} format": v for k, v in mapping.date_formats.items()}}
        columns = {name: mapping.columns.get(column) for name, column in mapping.shape.columns.items()}
        return shown | {f"  {name}": column for name, column in columns.items() if column}


@dataclass(slots=True)
class ImportReport:
    """What came of an import.

    Attributes:
        rows: Rows read.
        rejected: Rows that were not stored; each is in the file of rejects with its reason.
        batches: Batches stored, those of an earlier, interrupted run included.
        days: Days whose chains were stored, as `batches`.
    """

    rows: int = 0
    rejected: int = 0
    batches: int = 0
    days: set[date] = field(default_factory=set)

    @property
    def stored(self) -> int:
        return self.rows - self.rejected


def plan_import(
    path: Path,
    *,
    asset: str,
    form: str = "auto",
    timeframe: TimeFrame = TimeFrame.DAY,
    timezone: str = "UTC",
    month_first: bool = False,
    day: date | None = None,
    underlying_price: float | None = None,
) -> ImportPlan:
    """Find out how a file is to be read; nothing is stored.

    Args:
        path: CSV or Parquet.
        asset: Whose prices or chains they are.
        form: One of `FORMATS`.
        timeframe: What a bar spans.
        timezone: Of the instants and of the close, an IANA name.
        month_first: Of dates that could be either, read the month first.
        day: The day of a chain, where the file does not say it.
        underlying_price: The same.

    Raises:
        InvalidInput: The file is unreadable, or of no shape that is known.
    """
    asset_name(asset)
    if form not in FORMATS:
        raise InvalidInput("format", f"must be one of {', '.join(FORMATS)}")
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput("timezone", "must be an IANA name such as America/New_York") from error
    table = open_table(path)
    shape = detect_shape(table.columns) if form == "auto" else SHAPES.get(form)
    mapping: BarMapping | ChainMapping
    if shape is None:
        mapping = detect_bars(table, month_first=month_first)
    else:
        mapping = detect_chains(table, shape, day=day, underlying_price=underlying_price, timezone=timezone)
    return ImportPlan(table, asset, timeframe, timezone, mapping)


async def _ignored(_rows: int, _days: Set[date]) -> None:
    return


async def import_file(
    plan: ImportPlan,
    repository: HistoricalDataRepository,
    on_batch: OnBatch = _ignored,
    *,
    destination: str = "",
) -> ImportReport:
    """Store what a file has; interrupted and begun again, it goes on behind the last batch that was stored.

    A day that is stored already is replaced by the file's.

    Args:
        plan: Of the file.
        repository: Where it is stored.
        on_batch: Told of each batch when it is stored, also when only a part of it could be.
        destination: A name of the store: what was interrupted goes on only there.

    Raises:
        Unavailable: The store does not answer; begin again later.
    """
    identity = _identity(plan, destination)
    done = _batches_done(plan, identity)
    report = ImportReport()
    with _Rejects(plan.rejects_path) as rejects:
        for frame in plan.table.frames(rejects.malformed):
            batch = _read(plan, frame)
            try:
                if report.batches >= done:
                    await _store(batch, repository, report.days)
                    _remember(plan, identity, report.batches + 1)
            finally:
                await on_batch(len(frame), batch.days)
            rejects.write(frame, batch.bad)
            report.rows += len(frame)
            report.rejected += len(batch.bad)
            report.batches += 1
            report.days |= batch.days
        report.rows += rejects.malformed_rows
        report.rejected += rejects.malformed_rows
    plan.progress_path.unlink(missing_ok=True)
    if report.rejected == 0:
        plan.rejects_path.unlink(missing_ok=True)
    return report


@dataclass(frozen=True, slots=True)
class _Batch:
    """What the rows of a frame are: bars or chains, and rows that are neither."""

    bars: PriceSeries | None
    chains: list[HistoricalChain]
    bad: pl.DataFrame

    @property
    def days(self) -> set[date]:
        return {chain.day for chain in self.chains}


def _read(plan: ImportPlan, frame: pl.DataFrame) -> _Batch:
    if isinstance(plan.mapping, BarMapping):
        bars, bad = bars_of(
            frame, plan.mapping, asset=plan.asset, timeframe=plan.timeframe, timezone=plan.timezone
        )
        return _Batch(bars, [], bad)
    chains, bad = chains_of(frame, plan.mapping, asset=plan.asset)
    return _Batch(None, chains, bad)


async def _store(batch: _Batch, repository: HistoricalDataRepository, days: Set[date]) -> None:
    if batch.bars is not None:
        await repository.save_time_series(batch.bars)
    for chain in batch.chains:
        await repository.save_historical_chain(await _whole_day(chain, repository, days))


async def _whole_day(
    chain: HistoricalChain, repository: HistoricalDataRepository, days: Set[date]
) -> HistoricalChain:
    """The chain with what the batches before had of its day."""
    if chain.day not in days:
        return chain
    try:
        return (await repository.get_historical_chain(chain.asset, chain.day)).merged(chain)
    except NotFound:
        return chain


class _Rejects:
    """The file of rejects: the row's number, why, and its cells. Each run writes all of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.malformed_rows = 0

    def __enter__(self) -> _Rejects:
        self._file = self._path.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def malformed(self, reason: str, text: str) -> None:
        """A line that is no row of the table."""
        self.malformed_rows += 1
        self._writer.writerow(["", reason, text])

    def write(self, frame: pl.DataFrame, bad: pl.DataFrame) -> None:
        cells = frame.join(bad, on="row", how="inner", maintain_order="left") if len(bad) else frame.clear()
        for row in cells.iter_rows(named=True):
            reason, number = row.pop("reason"), row.pop("row")
            self._writer.writerow([number, reason, *row.values()])
        self._file.flush()


def _identity(plan: ImportPlan, destination: str) -> dict[str, Any]:
    """What must be the same for an interrupted import to go on."""
    stat = plan.table.path.stat()
    file = {"bytes": stat.st_size, "modified": stat.st_mtime_ns}
    return {"file": file, "plan": plan.describe(), "destination": destination}


def _batches_done(plan: ImportPlan, identity: dict[str, Any]) -> int:
    try:
        state = json.loads(plan.progress_path.read_text())
    except (OSError, ValueError):
        return 0
    return int(state["batches"]) if state.get("identity") == identity else 0


def _remember(plan: ImportPlan, identity: dict[str, Any], batches: int) -> None:
    new = plan.progress_path.with_suffix(".new")
    new.write_text(json.dumps({"identity": identity, "batches": batches}))
    new.replace(plan.progress_path)
