"""Files into history: batch by batch, bad rows to a file of rejects, and on from where it was interrupted."""

from __future__ import annotations

import csv
import json
from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from adapters.history_files.bars import BarMapping, bars_of
from adapters.history_files.chains import chains_of
from adapters.history_files.plans import ImportPlan, taken
from optionchain.errors import NotFound
from optionchain.history.bars import PriceSeries
from optionchain.history.chains import HistoricalChain
from optionchain.ports import HistoricalDataRepository

# Told how many rows a batch had, and of which days its chains are.
OnBatch: TypeAlias = Callable[[int, Set[date]], Awaitable[None]]


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
    wanted = taken(frame, plan.only)
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
