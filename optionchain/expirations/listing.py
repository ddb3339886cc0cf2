"""Which expirations are alive at each of many instants, as arrays: `ExpirationPlan` for all of them at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import final

import numpy as np
from numpy.typing import NDArray

from optionchain.expirations.plan import ExpirationPlan, series_of
from optionchain.expirations.rules import Rule

Microseconds = NDArray[np.int64]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(instant: datetime) -> int:
    """Microseconds from 1970 to an instant.

    Example:
        >>> microseconds(datetime(1970, 1, 2, tzinfo=UTC))
        86400000000
    """
    return (instant - EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The expirations alive at each of some instants; those of instant ``i`` are ``offsets[i]:offsets[i + 1]``.

    Attributes:
        offsets: ``[instants + 1]``.
        expires_at: ``[listed]`` microseconds from 1970, ascending at each instant.
        labels: ``[listed]`` index into `names`.
        names: The ids of the rules of an expiration, sorted and joined by ``|``.
    """

    offsets: NDArray[np.int64]
    expires_at: Microseconds
    labels: NDArray[np.int32]
    names: tuple[str, ...]


def single_listing(expires_at: datetime, instants: int) -> Listing:
    """The listing of one expiration without a label, at any number of instants."""
    return Listing(
        offsets=np.arange(instants + 1),
        expires_at=np.full(instants, microseconds(expires_at)),
        labels=np.zeros(instants, dtype=np.int32),
        names=("",),
    )


@final
class ExpirationLister:
    """Lists the expirations of a schedule at ascending instants, in blocks.

    Args:
        plan: Of the schedule.

    Example:
        >>> from datetime import time
        >>> from optionchain.expirations import DailyRule, Schedule
        >>> rule = DailyRule(rule_id="daily", target_count=2)
        >>> schedule = Schedule(timezone="UTC", expiration_time=time(16), rules=(rule,))
        >>> friday = datetime(2026, 1, 9, 9, tzinfo=UTC)
        >>> listing = ExpirationLister(ExpirationPlan(schedule)).list([friday, friday + timedelta(days=1)])
        >>> listing.expires_at.astype("datetime64[us]").astype("datetime64[D]").astype(str).tolist()
        ['2026-01-09', '2026-01-12', '2026-01-12', '2026-01-13']
    """

    def __init__(self, plan: ExpirationPlan) -> None:
        self._windows = [_Window(plan, rule) for rule in plan.schedule.rules]
        self._ids = [rule.rule_id for rule in plan.schedule.rules]
        # What is of different series is apart, in the order of `ExpirationPlan.active`.
        series = sorted({series_of(rule) for rule in plan.schedule.rules})
        counts = [rule.target_count for rule in plan.schedule.rules]
        numbers = [series.index(series_of(rule)) for rule in plan.schedule.rules]
        self._series = np.repeat(numbers, counts) if len(series) > 1 else None

    def list(self, instants: Sequence[datetime]) -> Listing:
        """The listing at some instants, none before those of an earlier call.

        Args:
            instants: One or more, ascending.

        Raises:
            InvalidInput: As `ExpirationPlan.active`.
        """
        columns = [window.at(instants) for window in self._windows]
        expires_at = np.concatenate(columns, axis=1)
        # Rules are at most 16: the set of those that ask for an expiration is a number.
        rules = np.repeat(1 << np.arange(len(columns)), [column.shape[1] for column in columns])
        order = self._order(expires_at)
        expires_at = np.take_along_axis(expires_at, order, axis=1)
        is_first = np.ones(expires_at.shape, dtype=bool)
        np.not_equal(expires_at[:, 1:], expires_at[:, :-1], out=is_first[:, 1:])
        if self._series is not None:
            series = self._series[order]
            is_first[:, 1:] |= series[:, 1:] != series[:, :-1]
        firsts = np.flatnonzero(is_first)
        sets, labels = np.unique(np.bitwise_or.reduceat(rules[order].ravel(), firsts), return_inverse=True)
        return Listing(
            offsets=np.concatenate([[0], np.cumsum(is_first.sum(axis=1))]),
            expires_at=expires_at.ravel()[firsts],
            labels=labels.astype(np.int32),
            names=tuple(self._name(rules) for rules in sets.tolist()),
        )

    def _order(self, expires_at: Microseconds) -> NDArray[np.intp]:
        if self._series is None:
            return np.argsort(expires_at, axis=1, kind="stable")
        return np.lexsort((np.broadcast_to(self._series, expires_at.shape), expires_at), axis=1)

    def _name(self, rules: int) -> str:
        # A schedule keeps its rules sorted by id.
        return "|".join(rule_id for index, rule_id in enumerate(self._ids) if rules >> index & 1)


class _Window:
    """The instants of one rule, generated once and looked at through a window that only moves forward."""

    def __init__(self, plan: ExpirationPlan, rule: Rule) -> None:
        self._plan = plan
        self._rule = rule
        self._known: list[int] = []
        self._later: Iterator[datetime] = iter(())

    def at(self, instants: Sequence[datetime]) -> Microseconds:
        """``[instants, target_count]`` the rule's expirations alive at each instant."""
        now = microseconds(instants[0])
        del self._known[: bisect_right(self._known, now)]
        firsts = [self._first_after(instant) for instant in instants]
        return np.array(self._known)[np.add.outer(firsts, np.arange(self._rule.target_count))]

    def _first_after(self, instant: datetime) -> int:
        now = microseconds(instant)
        if not self._known or self._known[-1] <= now:
            # Nothing known is alive: go on from here, however long the leap was.
            self._later = self._plan.instants_after(self._rule, instant)
        first = bisect_right(self._known, now)
        missing = first + self._rule.target_count - len(self._known)
        if missing > 0:
            self._known += map(microseconds, islice(self._later, missing))
        return first
