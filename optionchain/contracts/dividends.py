"""Dividends in cash: when they are paid, and how prices fall by them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from optionchain.arrays import Paths

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def scheduled(
    known: tuple[tuple[str, float], ...], growth: float | None, zone: ZoneInfo, until: datetime
) -> tuple[tuple[int, float], ...]:
    """The dividends of `Carry`, from their ex-dates.

    Args:
        known: ``(ex-date, amount)`` with ascending dates.
        growth: Per year, of the last year's dividends, which are then repeated each year; None repeats nothing.
        zone: Where a day begins, with which the price falls.
        until: The last instant that matters.
    """
    dated = [(date.fromisoformat(day), amount) for day, amount in known]
    if growth is not None and dated:
        last = dated[-1][0]
        yearly = [(day, amount) for day, amount in dated if day > years_later(last, -1)]
        for count in range(1, until.year - yearly[0][0].year + 2):
            grown = float((1.0 + growth) ** count)
            dated += [(years_later(day, count), amount * grown) for day, amount in yearly]
    instants = [(datetime.combine(day, time(), zone).astimezone(UTC), amount) for day, amount in dated]
    return tuple(((at - _EPOCH) // _MICROSECOND, amount) for at, amount in instants if at <= until)


def fallen(prices: Paths, drops: list[tuple[int, float]], floor: float) -> Paths:
    """Paths whose prices fall by dividends, and go on from there by the returns that they had.

    A price that a dividend uses up stays at the floor.

    Args:
        prices: ``[paths, steps]`` > 0.
        drops: ``(step, amount)`` with ascending steps.
        floor: The least price.
    """
    fallen = prices.copy()
    for step, amount in drops:
        left = np.maximum(1.0 - amount / np.maximum(fallen[:, step], floor), 0.0)
        fallen[:, step:] *= left[:, None]
    return np.maximum(fallen, floor)


def years_later(day: date, years: int) -> date:
    """The same day of a later year, or of an earlier one; the 28th for a 29th of February."""
    year = min(day.year + years, 9998)
    return day.replace(year=year, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=year)
