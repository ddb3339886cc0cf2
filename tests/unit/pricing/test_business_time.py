"""Variance that passes by trading days, and the year by which a history is annualised."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import numpy as np
import pytest

from optionchain import Schedule, WeeklyRule, business_time, simulate
from optionchain.business_time import BusinessClock
from optionchain.chains import build_chain
from optionchain.contracts.carry import Carry
from optionchain.draws.philox import PhiloxDraws
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration, load_zone
from optionchain.expirations.listing import microseconds
from optionchain.measures.path_block import sample_block
from optionchain.measures.prices import realised_volatility
from optionchain.models import Historical
from optionchain.time_frame import TimeFrame
from tests.unit.export.simulations import parameters

NEW_YORK = load_zone("America/New_York")
FRIDAYS = Schedule(
    timezone="America/New_York",
    calendar="XNYS",
    expiration_time=time(16),
    rules=(WeeklyRule(rule_id="weekly", target_count=4, weekdays=("Fri",)),),
)


def pace(weight, start, days, **more):
    clock = BusinessClock(calendar="XNYS", zone=NEW_YORK, closed_day_weight=weight, **more)
    began = np.array([microseconds(start.replace(tzinfo=NEW_YORK).astimezone(UTC))])
    average, now = clock.pace(began, np.array([days / 365]))
    return float(average[0]), float(now[0])


def test_days_without_a_session_count_what_they_are_given():
    usual = (5 + 2 * 0.2) / 7

    # 2026-01-16 is a Friday, and the Monday after it Martin Luther King's.
    assert pace(0.2, datetime(2026, 1, 16), 5) == pytest.approx(((1 + 3 * 0.2 + 1) / 5 / usual, 1 / usual))
    assert pace(0.2, datetime(2026, 1, 17), 1) == pytest.approx((0.2 / usual, 0.2 / usual))
    assert pace(0.2, datetime(2026, 1, 5), 7)[0] == pytest.approx(1.0)
    assert pace(1.0, datetime(2026, 1, 16), 4.3) == pytest.approx((1.0, 1.0))
    # A day of 23 hours: 8 March 2026.
    assert pace(0.0, datetime(2026, 3, 7), 2 - 1 / 24)[0] == 0.0


def test_a_night_counts_less_than_the_session_and_the_day_as_much_as_ever():
    # Tuesday 6 January 2026: 6.5 hours of session and 17.5 of night.
    hour = 24 / (6.5 + 0.2 * 17.5)

    def of(*time_and_hours):
        clock, hours = time_and_hours
        return pace(1.0, datetime(2026, 1, 6, *clock), hours / 24, night_weight=0.2)

    assert of((0, 0), 24)[0] == pytest.approx(1.0, rel=1e-9)
    assert of((9, 30), 6.5) == pytest.approx((hour, hour), rel=1e-9)
    assert of((16, 0), 8) == pytest.approx((0.2 * hour, 0.2 * hour), rel=1e-9)
    assert of((8, 30), 2)[0] == pytest.approx((0.2 + 1.0) / 2 * hour, rel=1e-9)
    # The day after Thanksgiving has 3.5 hours, and the variance of a day as well.
    half = 24 / (3.5 + 0.2 * 20.5)
    assert pace(1.0, datetime(2026, 11, 27, 9, 30), 3.5 / 24, night_weight=0.2)[0] == pytest.approx(half)
    # On a day without a session there is no night.
    assert pace(1.0, datetime(2026, 1, 10, 3), 0.5, night_weight=0.2) == pytest.approx((1.0, 1.0))


def test_nights_without_variance_are_days_with_it_all():
    assert pace(0.0, datetime(2026, 1, 9, 16), 2 + 17.5 / 24, night_weight=0.0) == (0.0, 0.0)
    assert pace(0.0, datetime(2026, 1, 5), 7.0, night_weight=0.0)[0] == pytest.approx(1.0, rel=1e-9)


def test_an_event_counts_what_it_is_given_whatever_its_day_is():
    tuesday, saturday = datetime(2026, 1, 6), datetime(2026, 1, 10)
    events = tuple(
        (each.toordinal() - datetime(1970, 1, 1).toordinal(), weight)
        for each, weight in ((tuesday, 4.0), (saturday, 2.0))
    )

    assert pace(1.0, tuesday, 1, events=events) == pytest.approx((4.0, 4.0), rel=1e-9)
    assert pace(0.0, saturday, 1, events=events) == pytest.approx((2.0 * 7 / 5, 2.0 * 7 / 5), rel=1e-9)
    # A week of five days: 3 more on Tuesday and 2 on Saturday.
    assert pace(0.0, datetime(2026, 1, 5), 7, events=events)[0] == pytest.approx(10 / 5, rel=1e-9)
    within = pace(1.0, datetime(2026, 1, 6, 9, 30), 6.5 / 24, events=events, night_weight=0.2)
    assert within[0] == pytest.approx(4.0 * 24 / (6.5 + 0.2 * 17.5), rel=1e-9)


def test_expirations_behind_an_event_have_its_variance_and_those_before_it_do_not():
    # Earnings on Wednesday 14 January: the Fridays from the 16th on have three days' variance more, and so as
    # sigma^2 T = level^2 (T + 3 days) each a volatility of its own.
    terms = simulation(closed_day_weight=None, event_weights=[["2026-01-14", 4.0]])

    chain = simulate(terms).chain(0)

    at_the_money = chain.implied_volatilities[np.array(chain.offsets[:-1])]
    years = chain.days_to_expiration / 365
    more = np.array([0.0, 3.0, 3.0, 3.0]) / 365
    expected = simulate(terms).volatilities[0] * np.sqrt((years + more) / years)
    np.testing.assert_allclose(at_the_money, expected, rtol=1e-9)


def test_a_night_needs_sessions_that_close():
    with pytest.raises(InvalidInput, match="night_weight: needs the calendar of an exchange"):
        parameters(night_weight=0.5)


def test_which_steps_are_asked_for_changes_no_bit():
    terms = simulation(
        steps=200,
        closed_day_weight=0.1,
        night_weight=0.3,
        event_weights=[["2026-01-14", 4.0], ["2026-03-05", 2.0]],
    )

    alone = simulate(terms).chain(150).call_mid
    business_time._uneven.cache_clear()
    business_time._days.cache_clear()
    table = simulate(terms).to_arrow(from_step=0, to_step=199)

    rows = np.array([step == 150 for step in table["step"].to_pylist()])
    np.testing.assert_array_equal(table["call_mid"].to_numpy()[rows], alone)


def simulation(**changes):
    values = {"expirations": FRIDAYS, "closed_day_weight": 0.1, "skew_slope": 0.0, "smile_curve": 0.0}
    return parameters(**values | changes)


def test_a_chain_before_a_weekend_has_less_variance_than_by_the_calendar():
    # Thursday morning: tomorrow is full; Friday evening: the weekend hardly counts.
    terms = simulation(step_interval=timedelta(hours=1), steps=200)
    by_days, by_calendar = (
        simulate(terms),
        simulate(simulation(step_interval=timedelta(hours=1), steps=200, closed_day_weight=None)),
    )

    friday_night = next(
        step for step in range(200) if terms.simulated_at(step) >= datetime(2026, 1, 10, 5, tzinfo=UTC)
    )
    weighed, plain = by_days.chain(friday_night), by_calendar.chain(friday_night)
    average, _ = pace(0.1, datetime(2026, 1, 10, 0, 30), float(weighed.days_to_expiration[0]))
    np.testing.assert_allclose(
        weighed.implied_volatilities[: weighed.offsets[1]],
        plain.implied_volatilities[: plain.offsets[1]] * np.sqrt(average),
        rtol=1e-9,
    )


@pytest.mark.parametrize(
    "clock", [{}, {"night_weight": 0.3}, {"night_weight": 0.3, "event_weights": [["2026-01-06", 3.0]]}]
)
def test_theta_is_the_slope_by_time_on_a_weekend_and_in_the_week(clock):
    terms = simulation(
        **clock, step_interval=timedelta(hours=1), steps=200, strike_interval=50.0, strike_ladder="pinned"
    )
    flat = Historical(timeframe=TimeFrame.HOUR, prices=(5000.0,) * 200)
    market = simulate(parameters(**{**vars_of(terms), "method": flat}))

    for step in (20, 120):  # Tuesday, Saturday
        before, at, after = (market.chain(each) for each in (step - 1, step, step + 1))
        by_time = (after.call_mid - before.call_mid) * 12
        np.testing.assert_allclose(at.call_theta(), by_time, rtol=2e-2, atol=2e-3)


def clocked(now, *, exercise="american", **terms):
    """A chain of 2026-01-05 to its Fridays, on a clock of New York."""
    clock = BusinessClock(calendar="XNYS", zone=NEW_YORK, closed_day_weight=0.1)
    fridays = [datetime(2026, 1, day, 21, tzinfo=UTC) for day in (16, 30)]
    return build_chain(
        symbol="X",
        quote_time=now,
        spot=100.0,
        base_volatility=0.25,
        expirations=[Expiration(expires_at=friday, labels=()) for friday in fridays],
        chain_size=3,
        strike_interval=4.0,
        skew_slope=0.0,
        smile_curve=0.0,
        exercise=exercise,
        carry=Carry(clock=clock, **{"rate": 0.04, "dividend_yield": 0.0} | terms),
    )


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"underlying": "future"},
        {"dividends": ((microseconds(datetime(2026, 1, 13, tzinfo=UTC)), 0.5),)},
        {"rate": -0.01, "borrow": -0.02},
    ],
)
@pytest.mark.parametrize("now", [datetime(2026, 1, 6, 12), datetime(2026, 1, 10, 18)])
def test_theta_of_american_options_follows_the_clock_too(now, terms):
    """On a Tuesday, and on a Saturday."""
    hour, now = timedelta(hours=1), now.replace(tzinfo=UTC)

    at, before, after = (clocked(each, **terms) for each in (now, now - hour, now + hour))

    for side in ("call", "put"):
        by_time = (getattr(after, f"{side}_mid") - getattr(before, f"{side}_mid")) * 12.0
        # Of the last two the grid errs by as much.
        np.testing.assert_allclose(getattr(at, f"{side}_theta")(), by_time, rtol=5e-3, atol=6e-4)


def test_the_clock_changes_no_rho_on_a_future():
    def chain(rate, **terms):
        return clocked(datetime(2026, 1, 10, 18, tzinfo=UTC), rate=rate, underlying="future", **terms)

    by_rate = (chain(0.0401).put_mid - chain(0.0399).put_mid) / 0.02

    np.testing.assert_allclose(chain(0.04).put_rho(), by_rate, rtol=1e-3, atol=1e-5)


def vars_of(terms):
    return {name: getattr(terms, name) for name in type(terms).__dataclass_fields__}


def test_blocks_and_paths_have_the_bytes_of_chains():
    terms = simulation(steps=30)
    one, block = simulate(terms), sample_block(terms, PhiloxDraws(terms.seed, paths=2))

    table = one.to_arrow(from_step=0, to_step=29)
    every = np.concatenate([one.chain(step).call_mid for step in range(30)])
    np.testing.assert_array_equal(table["call_mid"].to_numpy(), every)
    listed = ~np.isnan(block.chains(9).strikes[0])
    np.testing.assert_array_equal(block.chains(9).call_mid[0][listed], one.chain(9).call_mid)


def test_one_year_for_histories_and_what_is_measured_of_them():
    prices = tuple(np.exp(np.cumsum(0.2 / np.sqrt(252) * np.tile([1.0, -1.0], 200))) * 100.0)
    replayed = Historical(timeframe=TimeFrame.DAY, prices=prices)

    for days in (None, 252.0):
        terms = parameters(method=replayed, steps=400, annual_days=days)
        by_year = 0.2 * np.sqrt((days or 365) / 252)
        assert simulate(terms).volatilities[-1] == pytest.approx(by_year, rel=2e-3)
        measured = realised_volatility(sample_block(terms, PhiloxDraws(1, paths=1)))
        assert measured[0] == pytest.approx(by_year, rel=2e-3)
