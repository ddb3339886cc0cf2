"""From the parameters of a simulation to how its underlying is carried, and what that does to its paths."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.business_time import BusinessClock
from optionchain.contracts.carry import Carry
from optionchain.contracts.dividends import fallen, scheduled, years_later
from optionchain.errors import InvalidInput
from optionchain.expirations import WEEKDAYS_V1, ExpirationPlan, Schedule, load_zone, trading_calendar
from optionchain.expirations.listing import EPOCH, microseconds
from optionchain.expirations.single import SingleExpiration
from optionchain.models import Historical, MarketModel
from optionchain.models.model import SampledPaths
from optionchain.models.path import price_floor
from optionchain.pricing.black_scholes import DAYS_PER_YEAR

# `SimulationParameters`, which imports this module and so cannot be named here.
Parameters: TypeAlias = Any
Expirations: TypeAlias = SingleExpiration | Schedule

MOST_DIVIDEND_YEARS = 30
_LAST = datetime(9999, 12, 29, tzinfo=UTC)


def check_carry(parameters: Parameters) -> None:
    """Refuse what no underlying is carried by.

    Raises:
        InvalidInput: Terms contradict each other, or a dividend is out of place; the field is named.
    """
    is_future = parameters.underlying == "future"
    if parameters.premium == "margined" and not is_future:
        raise InvalidInput("premium", "can be margined where the underlying is a future only")
    for field in ("dividends", "borrow_cost", "dividend_yield"):
        if is_future and getattr(parameters, field):
            raise InvalidInput(field, "is already in the price of a future: leave it out")
    _check_exercise(parameters)
    _check_futures(parameters)
    _check_horizon(parameters)
    if parameters.night_weight is not None and not trading_calendar(_calendar_name(parameters)).has_hours:
        raise InvalidInput("night_weight", "needs the calendar of an exchange, whose sessions open and close")
    if parameters.dividend_growth is not None and parameters.dividends is None:
        raise InvalidInput("dividend_growth", "needs dividends that grow")
    for index, (day, amount) in enumerate(parameters.dividends or ()):
        if date.fromisoformat(day) <= parameters.start_at.date():
            raise InvalidInput(f"dividends[{index}]", "must have an ex-date after the start")
        if amount >= parameters.initial_price:
            raise InvalidInput(f"dividends[{index}]", "must be less than the initial_price")


def _check_horizon(parameters: Parameters) -> None:
    """Refuse dates that nothing would come of."""
    last = parameters.start_at.year + MOST_DIVIDEND_YEARS
    for field in ("dividends", "futures", "exercise_dates"):
        for index, given in enumerate(getattr(parameters, field) or ()):
            day = given if isinstance(given, str) else given[0]
            if date.fromisoformat(day).year > last:
                reason = f"must be a date at most {MOST_DIVIDEND_YEARS} years after the start"
                raise InvalidInput(f"{field}[{index}]", reason)


def _check_exercise(parameters: Parameters) -> None:
    is_bermudan, days = parameters.exercise == "bermudan", parameters.exercise_dates
    if is_bermudan != (days is not None):
        raise InvalidInput("exercise_dates", "must be given for bermudan options, and for no others")
    if days is not None and date.fromisoformat(days[0]) < parameters.start_at.date():
        raise InvalidInput("exercise_dates[0]", "must not be before the start")


def _check_futures(parameters: Parameters) -> None:
    futures = parameters.futures
    if futures is None:
        if parameters.futures_carry:
            raise InvalidInput("futures_carry", "needs futures that it carries")
        return
    if parameters.underlying != "future" or parameters.settlement == "coin":
        raise InvalidInput("futures", "need the underlying future, and no settlement in coin")
    if date.fromisoformat(futures[0][0]) <= parameters.start_at.date():
        raise InvalidInput("futures[0]", "must expire after the start")


def carry_of(parameters: Parameters) -> Carry | None:
    """How the underlying is carried; None where one rate and one yield are all there is."""
    schedule = parameters.expirations
    zone = load_zone(schedule.timezone if isinstance(schedule, Schedule) else "UTC")
    carry = Carry(
        rate=parameters.risk_free_rate,
        dividend_yield=parameters.dividend_yield,
        borrow=parameters.borrow_cost,
        curve=parameters.rate_curve or (),
        underlying=parameters.underlying,
        premium=parameters.premium,
        dividends=_scheduled(
            parameters.dividends or (), parameters.dividend_growth, zone, parameters.start_at
        ),
        model=parameters.dividend_model,
        clock=_clock(parameters, zone),
        exercises=_exercises(parameters),
        futures=_futures(parameters),
        futures_carry=parameters.futures_carry,
    )
    return None if carry.is_plain else carry


def _exercises(parameters: Parameters) -> tuple[int, ...] | None:
    if parameters.exercise != "bermudan":
        return None
    return _dated(parameters.expirations, parameters.exercise_dates, parameters.start_at)


@lru_cache(maxsize=256)
def _dated(expirations: Expirations, days: tuple[str, ...], start_at: datetime) -> tuple[int, ...]:
    """The instants of dates, at the time of day at which contracts expire."""
    dates = [date.fromisoformat(day) for day in days]
    if isinstance(expirations, Schedule):
        plan = ExpirationPlan(expirations)
        return tuple(microseconds(plan.instant_of(day)) for day in dates)
    at: time = expirations.expiration(start_at).expires_at.timetz()
    return tuple(microseconds(datetime.combine(day, at)) for day in dates)


def _futures(parameters: Parameters) -> tuple[tuple[int, float], ...]:
    if parameters.futures is None:
        return ()
    return _repeated(parameters.expirations, parameters.futures, parameters.start_at)


@lru_cache(maxsize=256)
def _repeated(
    expirations: Expirations, futures: tuple[tuple[str, float], ...], start_at: datetime
) -> tuple[tuple[int, float], ...]:
    """The futures, and the last year of them again, for the years of the longest expirations, or of the calendar."""
    last = years_later(date.fromisoformat(futures[-1][0]), -1)
    yearly = [each for each in futures if date.fromisoformat(each[0]) > last]
    seasons = [season for _, season in futures]
    found = list(zip(_dated(expirations, tuple(day for day, _ in futures), start_at), seasons, strict=True))
    with suppress(InvalidInput):
        for count in range(1, MOST_DIVIDEND_YEARS):
            days = tuple(years_later(date.fromisoformat(day), count).isoformat() for day, _ in yearly)
            found += zip(_dated(expirations, days, start_at), (season for _, season in yearly), strict=True)
    return tuple(found)


def futures_of(parameters: Parameters, step: int, price: float) -> list[tuple[datetime, float]]:
    """When the futures that are alive at a step expire, as many as were given, and their prices at a price of the
    underlying; none where all options are on that one price.
    """
    carry = parameters.carry
    if carry is None or not carry.futures:
        return []
    now = microseconds(parameters.simulated_at(step))
    alive = [each for each in carry.futures if each[0] > now][: len(parameters.futures)]
    at, seasons = (np.array(each) for each in zip(*alive, strict=True))
    prices = carry.futures_prices(np.full(at.size, now), np.full(at.size, price), at, seasons)
    return [
        (EPOCH + timedelta(microseconds=expires), worth)
        for expires, worth in zip(at.tolist(), prices.tolist(), strict=True)
    ]


def exercise_steps(parameters: Parameters) -> list[int] | None:
    """The steps at or after dates of exercise; None where there are no dates."""
    at = _exercises(parameters)
    if at is None:
        return None
    start, interval = microseconds(parameters.start_at), parameters.interval // timedelta(microseconds=1)
    return [-(-(each - start) // interval) for each in at]


def drops_of(parameters: Parameters, *, after: int | None = None) -> list[tuple[int, float]]:
    """The steps at which the price falls by a dividend, and the amounts; none of a history, which fell already.

    Args:
        parameters: Of the simulation.
        after: An instant, in microseconds from 1970: of the ex-dates after it alone.
    """
    carry = parameters.carry
    if carry is None or isinstance(parameters.method, Historical):
        return []
    start, interval = microseconds(parameters.start_at), parameters.interval // timedelta(microseconds=1)
    coming = (each for each in carry.dividends if after is None or each[0] > after)
    steps = [(-(-(at - start) // interval), amount) for at, amount in coming]
    return [(step, amount) for step, amount in steps if 0 < step < parameters.total_steps]


def discounts_of(parameters: Parameters, years: Floats) -> Floats:
    """Worth at the start of one unit at each time, by the curve of rates where there is one."""
    if parameters.rate_curve is None:
        flat: Floats = numerics.exp(-parameters.risk_free_rate * years)
        return flat
    return Carry(rate=0.0, dividend_yield=0.0, curve=parameters.rate_curve).discounts(years)


def market_of(parameters: Parameters) -> MarketModel:
    """The market model; one of history knows the volatility to use while it has none of its own, and its year."""
    method: MarketModel = parameters.method
    if not isinstance(method, Historical):
        return method
    days = DAYS_PER_YEAR if parameters.annual_days is None else parameters.annual_days
    return replace(method, fallback_volatility=parameters.volatility, annual_days=days)


def with_dividends(path: SampledPaths, parameters: Parameters) -> SampledPaths:
    """Paths whose prices fall by the dividends in cash on their ex-dates."""
    drops = drops_of(parameters)
    if not drops:
        return path
    prices = fallen(path.prices, drops, price_floor(parameters.initial_price))
    return SampledPaths(prices=prices, volatilities=path.volatilities)


def _clock(parameters: Parameters, zone: ZoneInfo) -> BusinessClock | None:
    closed, night, events = parameters.closed_day_weight, parameters.night_weight, parameters.event_weights
    if closed is None and night is None and events is None:
        return None
    return BusinessClock(
        calendar=_calendar_name(parameters),
        zone=zone,
        closed_day_weight=1.0 if closed is None else closed,
        night_weight=1.0 if night is None else night,
        events=tuple(
            (date.fromisoformat(day).toordinal() - EPOCH.toordinal(), weight) for day, weight in events or ()
        ),
    )


def _calendar_name(parameters: Parameters) -> str:
    schedule = parameters.expirations
    return schedule.calendar if isinstance(schedule, Schedule) else WEEKDAYS_V1


@lru_cache(maxsize=256)
def _scheduled(
    known: tuple[tuple[str, float], ...], growth: float | None, zone: ZoneInfo, start_at: datetime
) -> tuple[tuple[int, float], ...]:
    """The dividends of as many years as the longest expirations and paths have."""
    return scheduled(known, growth, zone, min(start_at + MOST_DIVIDEND_YEARS * timedelta(days=366), _LAST))
