"""Files into history: batch by batch, bad rows to a file of rejects, and on from where it was interrupted."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from adapters.history_files.bars import BarMapping, bars_of, detect_bars
from adapters.history_files.chain_shapes import SHAPES, detect_shape
from adapters.history_files.chains import ChainMapping, chains_of, detect_chains
from adapters.history_files.tables import Table, open_table
from optionchain.errors import InvalidInput, NotFound
from optionchain.history import HistoricalChain, asset_name
from optionchain.history_ports import HistoricalDataRepository
from optionchain.time_frame import TimeFrame

FORMATS = ("auto", "ohlcv", *SHAPES)


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
        days: Days whose chains were stored.
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


async def import_file(
    plan: ImportPlan, repository: HistoricalDataRepository, on_rows: Callable[[int], None] = lambda _: None
) -> ImportReport:
    """Store what a file has; interrupted and begun again, it goes on behind the last batch that was stored.

    A day that is stored already is replaced by the file's.

    Args:
        plan: Of the file.
        repository: Where it is stored.
        on_rows: Told of the rows of each batch when they are stored.

    Raises:
        Unavailable: The store does not answer; begin again later.
    """
    report = _resumed(plan)
    done = report.batches
    with _Rejects(plan.rejects_path, append=done > 0) as rejects:
        for number, frame in enumerate(plan.table.frames(rejects.malformed)):
            report.rows += len(frame)
            if number >= done:
                bad = await _store(plan, frame, repository, report.days)
                rejects.write(frame, bad)
                report.rejected += len(bad)
                report.batches = number + 1
                _remember(plan, report)
            on_rows(len(frame))
        report.rows += rejects.malformed_rows
        report.rejected += rejects.malformed_rows
    plan.progress_path.unlink(missing_ok=True)
    if report.rejected == 0:
        plan.rejects_path.unlink(missing_ok=True)
    return report


async def _store(
    plan: ImportPlan, frame: pl.DataFrame, repository: HistoricalDataRepository, days: set[date]
) -> pl.DataFrame:
    if isinstance(plan.mapping, BarMapping):
        series, bad = bars_of(
            frame, plan.mapping, asset=plan.asset, timeframe=plan.timeframe, timezone=plan.timezone
        )
        if series is not None:
            await repository.save_time_series(series)
        return bad
    chains, bad = chains_of(frame, plan.mapping, asset=plan.asset)
    for chain in chains:
        await repository.save_historical_chain(await _whole_day(chain, repository, days))
        days.add(chain.day)
    return bad


async def _whole_day(
    chain: HistoricalChain, repository: HistoricalDataRepository, days: set[date]
) -> HistoricalChain:
    """The chain with what the batches before had of its day."""
    if chain.day not in days:
        return chain
    try:
        return (await repository.get_historical_chain(chain.asset, chain.day)).merged(chain)
    except NotFound:
        return chain


class _Rejects:
    """The file of rejects: the row's number, why, and its cells."""

    def __init__(self, path: Path, *, append: bool) -> None:
        self._path = path
        self._mode = "a" if append else "w"
        self.malformed_rows = 0

    def __enter__(self) -> _Rejects:
        self._file = self._path.open(self._mode, newline="", encoding="utf-8")
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


def _fingerprint(plan: ImportPlan) -> dict[str, Any]:
    stat = plan.table.path.stat()
    return {"bytes": stat.st_size, "modified": stat.st_mtime_ns, "plan": plan.describe()}


def _resumed(plan: ImportPlan) -> ImportReport:
    try:
        state = json.loads(plan.progress_path.read_text())
    except (OSError, ValueError):
        return ImportReport()
    if state.get("file") != _fingerprint(plan):
        return ImportReport()
    days = {date.fromisoformat(day) for day in state["days"]}
    return ImportReport(rejected=state["rejected"], batches=state["batches"], days=days)


def _remember(plan: ImportPlan, report: ImportReport) -> None:
    state = {
        "file": _fingerprint(plan),
        "batches": report.batches,
        "rejected": report.rejected,
        "days": sorted(day.isoformat() for day in report.days),
    }
    new = plan.progress_path.with_suffix(".new")
    new.write_text(json.dumps(state))
    new.replace(plan.progress_path)
