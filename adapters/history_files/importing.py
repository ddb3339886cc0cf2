"""Files into history: batch by batch, bad rows to a file of rejects, and on from where it was interrupted."""

from __future__ import annotations

import csv
import json
from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from adapters.history_files.bars import BarMapping, bars_of, detect_bars
from adapters.history_files.chain_shapes import OPTION_TERMS, SHAPES, detect_shape, plain_name
from adapters.history_files.chains import ChainMapping, chains_of, detect_chains
from adapters.history_files.numbers import DECIMALS
from adapters.history_files.tables import Table, open_table
from optionchain.errors import InvalidInput, NotFound
from optionchain.history import HistoricalChain, asset_name
from optionchain.history_ports import HistoricalDataRepository
from optionchain.price_series import PriceSeries
from optionchain.time_frame import TimeFrame

FORMATS = ("auto", "ohlcv", *SHAPES)
# Columns that tell whose a row is, where a file has those of many.
SYMBOLS = ("underlying_symbol", "symbol", "ticker", "name")
NOTHING_GIVEN: Mapping[str, str] = {}
# Told how many rows a batch had, and of which days its chains are.
OnBatch: TypeAlias = Callable[[int, Set[date]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What would be imported, and how; made by `plan_import`."""

    table: Table
    asset: str
    mapping: BarMapping | ChainMapping
    only: Mapping[str, str]

    @property
    def rejects_path(self) -> Path:
        return self.table.path.with_name(self.table.path.name + ".rejects.csv")

    @property
    def progress_path(self) -> Path:
        return self.table.path.with_name(self.table.path.name + ".import.json")

    def describe(self) -> dict[str, str]:
        """What was detected, to be shown."""
        mapping, table = self.mapping, self.table
        shown = {"file": str(table.path), "asset": self.asset}
        if not table.is_parquet:
            header = f"line {table.lines_before}" if table.has_header else "no"
            shown |= {"delimiter": repr(table.delimiter), "header": header}
        shown |= {"decimal mark": mapping.decimal, "timezone": mapping.timezone}
        if self.only:
            shown["only rows with"] = ", ".join(f"{column} {value}" for column, value in self.only.items())
        if isinstance(mapping, BarMapping):
            shown |= {"format": "ohlcv", "time frame": mapping.timeframe.name, "dates": mapping.date_format}
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
        passed_over: Rows of others, in a file of many.
        batches: Batches stored, those of an earlier, interrupted run included.
        days: Days whose chains were stored, as `batches`.
    """

    rows: int = 0
    rejected: int = 0
    passed_over: int = 0
    batches: int = 0
    days: set[date] = field(default_factory=set)

    @property
    def stored(self) -> int:
        return self.rows - self.rejected - self.passed_over


def plan_import(
    path: Path,
    *,
    asset: str,
    form: str = "auto",
    timeframe: TimeFrame = TimeFrame.DAY,
    timezone: str = "UTC",
    month_first: bool | None = None,
    decimal: str | None = None,
    day: date | None = None,
    underlying_price: float | None = None,
    columns: Mapping[str, str] = NOTHING_GIVEN,
    only: Mapping[str, str] = NOTHING_GIVEN,
) -> ImportPlan:
    """Find out how a file is to be read; nothing is stored.

    Args:
        path: CSV or Parquet.
        asset: Whose prices or chains they are.
        form: One of `FORMATS`.
        timeframe: What a bar spans.
        timezone: Of the instants and of the close, an IANA name.
        month_first: Of dates that could be either, read the month first, or the day; None finds out.
        decimal: The mark before a fraction, `.` or `,`; None finds out.
        day: The day of a chain, where the file does not say it.
        underlying_price: The same.
        columns: Of bars, the columns by field, where their names tell nothing.
        only: Take only the rows that have this value in this column. Of a file of many assets, those of `asset` are
            taken where a column names it.

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
    if decimal not in (None, *DECIMALS):
        raise InvalidInput("decimal", f"must be one of {', '.join(DECIMALS)}")
    table = open_table(path)
    shape = detect_shape(table.columns) if form == "auto" else SHAPES.get(form)
    rows = _wanted(table, asset, only)
    first = table.sample()
    sample = _taken(first, rows)
    sample = first if sample.is_empty() else sample
    how: dict[str, Any] = {"timezone": timezone, "month_first": month_first, "decimal": decimal}
    mapping: BarMapping | ChainMapping
    if shape is not None:
        mapping = detect_chains(table, sample, shape, day=day, underlying_price=underlying_price, **how)
    elif form == "auto" and (terms := OPTION_TERMS & {plain_name(name) for name in table.columns}):
        raise InvalidInput(
            "format", f"the file has {', '.join(sorted(terms))}, and is of no shape that is known"
        )
    else:
        mapping = detect_bars(table, sample, timeframe=timeframe, given=columns, **how)
    return ImportPlan(table, asset, mapping, rows)


def _wanted(table: Table, asset: str, only: Mapping[str, str]) -> Mapping[str, str]:
    """The rows to take: those asked for, else those of the asset where a file says whose they are."""
    plain = {plain_name(name): name for name in table.columns}
    for column in only:
        if column not in table.columns:
            raise InvalidInput("only", f"the file has no column {column}; it has {', '.join(table.columns)}")
    symbol_column = next((plain[name] for name in SYMBOLS if name in plain), None)
    if symbol_column is None or symbol_column in only:
        return only
    found = _cells(table.sample(), symbol_column).drop_nulls().unique(maintain_order=True).to_list()
    same = [symbol for symbol in found if symbol.lstrip("^$").upper() == asset.upper()]
    for one in (found, same):
        if len(one) == 1:
            return {**only, symbol_column: one[0]}
    if not found:
        return only
    example = f"--only {symbol_column}={found[0]}"
    raise InvalidInput("only", f"the file has rows of {', '.join(found[:10])}: say which, as in {example}")


def _taken(frame: pl.DataFrame, only: Mapping[str, str]) -> pl.DataFrame:
    """The rows that have these values."""
    for column, value in only.items():
        frame = frame.filter(_cells(frame, column) == value)
    return frame


def _cells(frame: pl.DataFrame, column: str) -> pl.Series:
    return frame[column].cast(pl.String).str.strip_chars()


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
            report.passed_over += batch.passed_over
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
    passed_over: int = 0

    @property
    def days(self) -> set[date]:
        return {chain.day for chain in self.chains}


def _read(plan: ImportPlan, frame: pl.DataFrame) -> _Batch:
    wanted = _taken(frame, plan.only)
    passed_over = len(frame) - len(wanted)
    if isinstance(plan.mapping, BarMapping):
        bars, bad = bars_of(wanted, plan.mapping, asset=plan.asset)
        return _Batch(bars, [], bad, passed_over)
    chains, bad = chains_of(wanted, plan.mapping, asset=plan.asset)
    return _Batch(None, chains, bad, passed_over)


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
