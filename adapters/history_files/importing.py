"""Files into history: batch by batch, bad rows to a file of rejects, and on from where it was interrupted."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from adapters.history_files.bars import BarMapping, bars_of
from adapters.history_files.chain_mapping import ChainMapping
from adapters.history_files.chains import chains_of
from adapters.history_files.plans import ImportPlan
from optionchain.errors import NotFound
from optionchain.history.bars import PriceSeries
from optionchain.history.chains import FIRST_DAY, LAST_DAY, DateRange, HistoricalChain
from optionchain.ports import HistoricalDataRepository
from optionchain.time_frame import TimeFrame

EVER = DateRange(FIRST_DAY, LAST_DAY - timedelta(days=1))
# Told how many rows a batch had, and of which days its chains are.
OnBatch: TypeAlias = Callable[[int, Set[date]], Awaitable[None]]


@dataclass(slots=True)
class ImportReport:
    """What came of an import.

    Attributes:
        rows: Rows read.
        rejected: Rows that were not stored; each is in the file of rejects with its reason.
        passed_over: Rows of others, in a file of many.
        other_roots: Of those, how many are contracts of other roots, by root.
        superseded: Rows of which a later one quotes the same contract, in a file of many quotes a day.
        repaired: Numbers that stand for nothing and were taken for that, by field.
        updated: Calls and puts that were stored already, and are the file's now.
        dropped: Calls and puts that were stored of days that the file replaced.
        batches: Batches stored, those of an earlier, interrupted run included.
        days: Days whose chains were stored, as `batches`.
    """

    rows: int = 0
    rejected: int = 0
    passed_over: int = 0
    other_roots: Counter[str] = field(default_factory=Counter)
    superseded: int = 0
    repaired: Counter[str] = field(default_factory=Counter)
    updated: int = 0
    dropped: int = 0
    batches: int = 0
    days: set[date] = field(default_factory=set)

    @property
    def stored(self) -> int:
        return self.rows - self.rejected - self.passed_over - self.superseded

    def add(self, rows: int, batch: Batch) -> None:
        """Count a batch of so many rows."""
        self.rows += rows
        self.passed_over += batch.passed_over
        self.other_roots += batch.other_roots
        self.superseded += batch.superseded
        self.repaired += batch.repaired
        self.rejected += len(batch.bad)
        self.batches += 1
        self.days |= batch.days


async def _ignored(_rows: int, _days: Set[date]) -> None:
    return


async def import_file(
    plan: ImportPlan,
    repository: HistoricalDataRepository,
    on_batch: OnBatch = _ignored,
    *,
    destination: str = "",
    replaced: set[date] | None = None,
) -> ImportReport:
    """Store what a file has; interrupted and begun again, it goes on behind the last batch that was stored.

    The contracts of a file are added to those that are stored of the same days, or take their place where the plan
    says so.

    Args:
        plan: Of the file.
        repository: Where it is stored.
        on_batch: Told of each batch when it is stored, also when only a part of it could be.
        destination: A name of the store: what was interrupted goes on only there.
        replaced: The days that other files of the same import have replaced: to these, this one adds. They are
            added to.

    Raises:
        Unavailable: The store does not answer; begin again later.
    """
    identity = _identity(plan, destination)
    # A day is replaced by all the files that replace it: begun again, all of them begin anew.
    done = 0 if plan.replaces else _batches_done(plan, identity)
    replaced = set() if replaced is None else replaced
    closes = await _closes(plan, repository)
    report = ImportReport()
    with _Rejects(plan.rejects_path) as rejects:
        for frame in plan.table.frames(rejects.malformed):
            batch = _read(plan, frame, closes, report.days)
            try:
                if report.batches >= done:
                    await _store(plan, batch, repository, report, replaced)
                    _remember(plan, identity, report.batches + 1)
            finally:
                await on_batch(len(frame), batch.days)
            rejects.write(frame, batch.bad)
            report.add(len(frame), batch)
        report.rows += rejects.malformed_rows
        report.rejected += rejects.malformed_rows
    plan.progress_path.unlink(missing_ok=True)
    if report.rejected == 0:
        plan.rejects_path.unlink(missing_ok=True)
    return report


@dataclass(frozen=True, slots=True)
class Batch:
    """What the rows of a frame are: bars or chains, and rows that are neither."""

    bars: PriceSeries | None
    chains: list[HistoricalChain]
    bad: pl.DataFrame
    repaired: Counter[str]
    passed_over: int
    other_roots: Counter[str]
    superseded: int = 0

    @property
    def days(self) -> set[date]:
        return {chain.day for chain in self.chains}


def _read(plan: ImportPlan, frame: pl.DataFrame, closes: Mapping[date, float], days: Set[date]) -> Batch:
    wanted, other_roots = plan.wanted.taken(frame)
    passed_over = len(frame) - len(wanted)
    if isinstance(plan.mapping, BarMapping):
        bars = bars_of(wanted, plan.mapping, asset=plan.asset)
        return Batch(bars.bars, [], bars.rejects, bars.repaired, passed_over, other_roots)
    first = min(days, default=None)
    rows = chains_of(wanted, plan.mapping, asset=plan.asset, closes=closes, priced_day=first)
    found = rows.chains, rows.rejects, rows.repaired
    return Batch(None, *found, passed_over, other_roots, rows.superseded)


async def _closes(plan: ImportPlan, repository: HistoricalDataRepository) -> dict[date, float]:
    """The daily closes that are stored of the asset, where the plan takes them for the price of the underlying."""
    if not isinstance(plan.mapping, ChainMapping) or not plan.mapping.takes_closes:
        return {}
    closes: dict[date, float] = {}
    async for bars in repository.query_time_series(plan.asset, EVER, TimeFrame.DAY):
        closes |= zip(bars.times.astype("datetime64[D]").tolist(), bars.close.tolist(), strict=True)
    return closes


async def _store(
    plan: ImportPlan,
    batch: Batch,
    repository: HistoricalDataRepository,
    report: ImportReport,
    replaced: set[date],
) -> None:
    if batch.bars is not None:
        await repository.save_time_series(batch.bars)
    for chain in batch.chains:
        if plan.replaces and chain.day not in replaced:
            report.dropped += await _stored_contracts(chain, repository)
            await repository.save_historical_chain(chain)
            replaced.add(chain.day)
        else:
            report.updated += await repository.merge_historical_chain(chain)


async def _stored_contracts(chain: HistoricalChain, repository: HistoricalDataRepository) -> int:
    try:
        stored = await repository.get_historical_chain(chain.asset, chain.day)
    except NotFound:
        return 0
    return stored.shared_contracts(stored)


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
