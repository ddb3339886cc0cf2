"""What the observer is told, summed up in the process: an observation costs a microsecond and is sent to nobody.

A histogram is kept as Prometheus shows it, as counters of its buckets, its sum and its count.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

from adapters.metrics.rows import OPERATION, OUTCOME, PROCESS, Count, Histogram, Level, Row
from adapters.metrics.table import METRICS
from adapters.telemetry.severity import Severity, level_of
from optionchain.context import HOUSEKEEPING, Context
from optionchain.observing import Fact, Operation

BUCKET_LABEL = "le"
# Of a process Ray keeps 2,000 lines of one name and adds up the rest without a label, so even without a bucket...
MAX_LINES = 2_000
# ...therefore all labels but the last, which is a status or an outcome, say this of those for which there is no room.
OTHERS, LAST_VALUES = "others", 24
# What a request has in place of a status whose caller left before there was one, as nginx and Ray Serve have it.
STATUS, NO_STATUS = "status", "499"

Values: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a metric.

    Attributes:
        name: Of the metric; of a counter without `_total`.
        description: Of the metric.
        labels: Their names...
        values: ...and what they are.
    """

    name: str
    description: str
    labels: tuple[str, ...]
    values: Values


class MetricSums:
    """The observer that keeps metrics of one process; what no row is about it does not hear.

    Args:
        rows: One a metric.
        process: What kind of process this is: a label of some metrics.
    """

    def __init__(self, rows: Sequence[Row] = METRICS, *, process: str = "") -> None:
        self._process = process
        self._rows_of: defaultdict[str, list[Count | Level]] = defaultdict(list)
        for row in rows:
            if not isinstance(row, Histogram):
                self._rows_of[row.of].append(row)
        self._lock = threading.Lock()
        # What is told again and again finds by one look what it changes.
        self._distributions_of: dict[str, list[_Distributions]] = {}
        self._figures_of: dict[tuple[str, Values], list[_Figure]] = {}
        self._distributions = {id(row): _Distributions(row) for row in rows if isinstance(row, Histogram)}
        self._counts: dict[Series, _Counted] = {}
        self._levels: dict[Series, _Told] = {}
        for row in rows:
            if isinstance(row, Count) and (not row.by or process in row.by):
                for values in self._from_the_start(row):
                    self._figure(row, values)

    def started(self, operation: Operation) -> None:
        pass

    def finished(self, operation: Operation) -> None:
        for each in self._of_operation(operation.name):
            self._observe(each, operation, "ok")

    def failed(self, operation: Operation, error: BaseException) -> None:
        for each in self._of_operation(operation.name):
            if each.measures_failures:
                self._observe(each, operation, "failed")
        severity = level_of(error)
        if severity >= Severity.WARNING:
            self.counted("failed", operation=operation.name, severity=severity.name.lower())

    def counted(self, quantity: str, amount: float = 1.0, **labels: str) -> None:
        key = quantity, tuple(labels.values())
        figures = self._figures_of.get(key)
        if figures is None:
            # By the order of the labels too; whoever tells a quantity does so in one place, in one order.
            figures = self._figures_of[key] = self._found(quantity, labels)
        for figure in figures:
            figure.told(amount, self._lock)

    def noted(self, event: str, context: Context = HOUSEKEEPING, **facts: Fact) -> None:
        for figure in self._found(event, facts):
            figure.told(1.0, self._lock)

    def taken(self) -> tuple[dict[Series, float], dict[Series, float]]:
        """What was counted since the last time, a new series with its zeros, and what the levels are."""
        with self._lock:
            counts = {series: counted.taken() for series, counted in self._counts.items() if counted.is_new}
            levels = {series: level.amount for series, level in self._levels.items()}
            measured = [each for one in self._distributions.values() for each in one.taken()]
        for distribution in measured:
            counts.update(distribution.series())
        return counts, levels

    def _of_operation(self, name: str) -> list[_Distributions]:
        found = self._distributions_of.get(name)
        if found is None:
            found = [one for one in self._distributions.values() if _is_about(one.row.of, name)]
            self._distributions_of[name] = found
        return found

    def _observe(self, distributions: _Distributions, operation: Operation, outcome: str) -> None:
        row = distributions.row
        values: Values = ()
        if row.labels:
            values = tuple([self._value(label, operation, outcome) for label in row.labels])
        value = float(operation.facts.get(row.fact) or 0.0) if row.fact else operation.seconds
        with self._lock:
            distributions.observe(values, value)

    def _value(self, label: str, operation: Operation, outcome: str) -> str:
        if label == OUTCOME:
            return outcome
        if label == OPERATION and label not in operation.facts:
            return operation.name
        return self._fact(label, operation.facts)

    def _fact(self, label: str, facts: Mapping[str, Fact]) -> str:
        if label == PROCESS:
            return self._process
        fact = facts.get(label)
        if fact is None:
            return NO_STATUS if label == STATUS else ""
        return str(fact)

    def _found(self, quantity: str, labels: Mapping[str, Fact]) -> list[_Figure]:
        return [
            self._figure(row, tuple(self._fact(label, labels) for label in row.labels))
            for row in self._rows_of.get(quantity, ())
        ]

    def _figure(self, row: Count | Level, values: Values) -> _Figure:
        series = Series(row.name, row.description, row.labels, values)
        with self._lock:
            if isinstance(row, Count):
                return self._counts.setdefault(series, _Counted())
            level = self._levels.setdefault(series, _Told())
        return level if row.value is None else _Switched(level, row.value)

    def _from_the_start(self, row: Count) -> Iterator[Values]:
        if row.labels == (PROCESS,):
            yield (self._process,)
        elif row.by and not row.labels:
            yield ()
        for value in row.known:
            yield (value,)


class _Counted:
    """What was counted of one series since it was last taken; new, too, where nobody has taken its zero yet."""

    __slots__ = ("amount", "is_new")

    def __init__(self) -> None:
        self.amount = 0.0
        self.is_new = True

    def told(self, amount: float, lock: threading.Lock) -> None:
        with lock:
            self.amount += amount
            self.is_new = True

    def taken(self) -> float:
        amount, self.amount, self.is_new = self.amount, 0.0, False
        return amount


class _Told:
    """What a level is."""

    __slots__ = ("amount",)

    def __init__(self) -> None:
        self.amount = 0.0

    def told(self, amount: float, lock: threading.Lock) -> None:
        self.amount = amount


class _Switched:
    """A level that is something whenever it is told of."""

    __slots__ = ("_level", "_value")

    def __init__(self, level: _Told, value: float) -> None:
        self._level, self._value = level, value

    def told(self, amount: float, lock: threading.Lock) -> None:
        self._level.amount = self._value


_Figure: TypeAlias = _Counted | _Told | _Switched


class _Distributions:
    """What was observed of one row since it was last taken, by the values of its labels."""

    __slots__ = ("_by_values", "_known", "_max_known", "measures_failures", "row")

    def __init__(self, row: Histogram) -> None:
        self.row = row
        # Of what fails only the time is told, and only where a label tells it from the rest.
        self.measures_failures = STATUS in row.labels or (OUTCOME in row.labels and not row.fact)
        self._by_values: dict[Values, _Distribution] = {}
        self._known: set[Values] = set()
        self._max_known = MAX_LINES // (len(row.buckets) + 1) - LAST_VALUES

    def observe(self, values: Values, value: float) -> None:
        distribution = self._by_values.get(values)
        if distribution is None:
            values = self._bounded(values)
            distribution = self._by_values.setdefault(values, _Distribution(self.row, values))
        distribution.sum += value
        distribution.counts[bisect_left(self.row.buckets, value)] += 1

    def taken(self) -> list[_Distribution]:
        taken, self._by_values = list(self._by_values.values()), {}
        return taken

    def _bounded(self, values: Values) -> Values:
        if values not in self._known:
            if len(self._known) >= self._max_known:
                return (*[OTHERS] * (len(values) - 1), *values[-1:])
            self._known.add(values)
        return values


class _Distribution:
    """What was observed of one series."""

    __slots__ = ("counts", "row", "sum", "values")

    def __init__(self, row: Histogram, values: Values) -> None:
        self.row, self.values = row, values
        self.sum = 0.0
        self.counts = [0] * (len(row.buckets) + 1)

    def series(self) -> Iterator[tuple[Series, float]]:
        row, values = self.row, self.values
        bounds = [*(f"{bound:g}" for bound in row.buckets), "+Inf"]
        for bound, count in zip(bounds, accumulate(self.counts), strict=True):
            labels = (*row.labels, BUCKET_LABEL)
            yield Series(f"{row.name}_bucket", row.description, labels, (*values, bound)), float(count)
        yield Series(f"{row.name}_sum", row.description, row.labels, values), self.sum
        yield Series(f"{row.name}_count", row.description, row.labels, values), float(sum(self.counts))


def _is_about(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
