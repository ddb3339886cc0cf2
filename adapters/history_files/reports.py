"""What came of an import, in words: what is not stored, or is stored otherwise than written, is always said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from adapters.history_files.bars import BarMapping
from adapters.history_files.importing import ImportReport
from adapters.history_files.plans import ImportPlan
from adapters.history_files.rows import plain_symbol

SHOWN = 10


def report_lines(plan: ImportPlan, report: ImportReport) -> Iterator[str]:
    """One line a fact; rejected rows are in a file of their own."""
    yield f"{plan.table.path}: {report.stored:,} of {report.rows:,} rows stored"
    for column, value in plan.wanted.only.items():
        if plain_symbol(value) != plain_symbol(plan.asset):
            yield f"stored as {plan.asset} are the rows of {column} {value}"
    if report.passed_over:
        yield f"{report.passed_over:,} rows passed over, which are not of {plan.wanted.describe()}"
    if report.other_roots:
        first = report.other_roots.most_common(1)[0][0]
        yield f"of these, contracts of other roots: {_listed(report.other_roots)}; --root {first} takes them"
    if report.superseded:
        yield f"{report.superseded:,} rows passed over, of which a later one quotes the same contract"
    yield from _units(plan)
    if report.repaired:
        yield f"numbers that stand for no data, and were taken for that: {_listed(report.repaired)}"
    if report.dropped:
        yield f"{report.dropped:,} calls and puts that were stored of these days were dropped: --replace"
    if report.updated:
        yield f"{report.updated:,} calls and puts were stored already, and are replaced by the file's"


def _units(plan: ImportPlan) -> Iterator[str]:
    """What was written in other units than ours."""
    if isinstance(plan.mapping, BarMapping):
        if plan.mapping.price_scale != 1.0:
            yield f"prices are written in units of {plan.mapping.price_scale:g}"
        return
    for field, name in (("implied_volatility", "implied volatilities"), ("delta", "deltas")):
        if plan.mapping.scale[field] != 1.0:
            yield f"{name} are written in percent"
    if plan.mapping.in_underlying:
        yield "prices are written in coin, and stored times the price of the underlying"


def _listed(counts: Counter[str]) -> str:
    listed = ", ".join(f"{name} {count:,}" for name, count in counts.most_common(SHOWN))
    return listed + (f" and {len(counts) - SHOWN} more" if len(counts) > SHOWN else "")
