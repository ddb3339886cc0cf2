"""Products by name, against what their exchanges listed."""

from datetime import UTC, date, datetime
from itertools import islice

import numpy as np
import pytest

from cluster.settings import LimitsSettings
from optionchain import GeometricBrownian, SimulationParameters, simulate
from optionchain.chains.strike_rules import STRIKE_RULES
from optionchain.contracts.products import PRODUCTS, product
from optionchain.errors import InvalidInput
from optionchain.expirations import ExpirationPlan, MonthDayRule, trading_calendar
from serve_app.bodies.simulations import SimulationRequest, as_listed, values_of


def days(name, rule_id, first, count, on=None):
    found = product(name, on)
    [rule] = [rule for rule in found.rules if rule.rule_id == rule_id]
    listed = rule.days_from(first.toordinal(), trading_calendar(found.calendar))
    return [f"{date.fromordinal(day):%m-%d}" for day in islice(listed, count)]


def test_vix_options_expire_as_cboe_listed_them_in_2024_and_2025():
    # Cboe, VIX expiration calendars: Tuesdays in June 2024 (Juneteenth) and March 2025 (Good Friday a month later).
    assert days("VIX", "vix_monthly", date(2024, 1, 2), 12) == (
        [
            "01-17",
            "02-14",
            "03-20",
            "04-17",
            "05-22",
            "06-18",
            "07-17",
            "08-21",
            "09-18",
            "10-16",
            "11-20",
            "12-18",
        ]
    )
    assert days("VIX", "vix_monthly", date(2025, 1, 2), 12) == (
        [
            "01-22",
            "02-19",
            "03-18",
            "04-16",
            "05-21",
            "06-18",
            "07-16",
            "08-20",
            "09-17",
            "10-22",
            "11-19",
            "12-17",
        ]
    )


def test_nifty_expires_as_nse_listed_it_in_2024_and_2025():
    thursdays = days("NIFTY", "monthly", date(2024, 1, 1), 20, on=date(2024, 1, 1))
    tuesdays = days("NIFTY", "monthly", date(2025, 9, 1), 4, on=date(2025, 9, 1))

    assert thursdays[:6] == ["01-25", "02-29", "03-28", "04-25", "05-30", "06-27"]
    assert thursdays[6:12] == ["07-25", "08-29", "09-26", "10-31", "11-28", "12-26"]
    assert thursdays[12:] == ["01-30", "02-27", "03-27", "04-24", "05-29", "06-26", "07-31", "08-28"]
    assert tuesdays == ["09-30", "10-28", "11-25", "12-30"]


def test_nifty_goes_from_thursdays_to_tuesdays_in_one_schedule():
    # NSE, expiries of August to October 2025. 2025-08-28 is the last Thursday; October 2 and 21 are holidays.
    weekly = days("NIFTY", "weekly", date(2025, 8, 11), 9, on=date(2025, 8, 1))
    monthly = days("NIFTY", "monthly", date(2025, 7, 1), 5, on=date(2025, 7, 1))

    assert weekly == ["08-14", "08-21", "08-28", "09-02", "09-09", "09-16", "09-23", "09-30", "10-07"]
    assert monthly == ["07-31", "08-28", "09-30", "10-28", "11-25"]


def test_niftys_lot_is_that_of_the_day():
    # NSE: 50 until 2024-04-25, 25 until 2024-11-19, 75 until the expiry of 2025-12-30, then 65.
    on = [
        date(2024, 4, 25),
        date(2024, 4, 26),
        date(2024, 11, 20),
        date(2025, 12, 30),
        date(2025, 12, 31),
        None,
    ]

    assert [product("NIFTY", day).multiplier for day in on] == [50.0, 25.0, 75.0, 75.0, 65.0, 65.0]


def test_bitcoin_quarterlies_expire_as_deribit_listed_them():
    assert days("BTC", "quarterly", date(2024, 1, 1), 8) == (
        ["03-29", "06-28", "09-27", "12-27", "03-28", "06-27", "09-26", "12-26"]
    )
    [first, *_] = ExpirationPlan(product("BTC").schedule()).active(datetime(2026, 1, 3, 9, tzinfo=UTC))
    assert first.expires_at == datetime(2026, 1, 4, 8, tzinfo=UTC)


def test_spx_mornings_are_third_fridays_or_the_thursday_before_good_friday():
    # Cboe, SPX: 2025-04-18 is Good Friday.
    assert days("SPX", "spx_monthly", date(2025, 1, 2), 12) == (
        [
            "01-17",
            "02-21",
            "03-21",
            "04-17",
            "05-16",
            "06-20",
            "07-18",
            "08-15",
            "09-19",
            "10-17",
            "11-21",
            "12-19",
        ]
    )


@pytest.mark.parametrize("name", PRODUCTS)
def test_every_product_is_simulated_with_its_strikes_and_ticks(name):
    price = {
        "CL": 70.0,
        "BTC": 90_000.0,
        "ETH": 3000.0,
        "VIX": 18.0,
        "stock": 60.0,
        "SPY": 600.0,
        "QQQ": 500.0,
    }
    terms = product(name).terms()
    parameters = SimulationParameters(
        symbol=name,
        steps=2,
        initial_price=price.get(name, 24_000.0),
        volatility=0.3,
        method=GeometricBrownian(dt=1 / 365, drift=0.0, volatility=0.3),
        chain_size=10,
        seed=1,
        start_at=datetime(2026, 1, 5, 15, tzinfo=UTC),
        **terms,
    )
    chain = simulate(parameters).chain(1)

    listed = STRIKE_RULES[terms["strike_rule"]]
    for index, days in enumerate(chain.days_to_expiration):
        own = chain.strikes[chain.offsets[index] : chain.offsets[index + 1]]
        assert own.tolist() == listed.strikes(chain.underlying_price, days, 10).tolist()
        assert np.all(np.diff(own) > 0.0)
        assert own[0] < chain.underlying_price < own[-1]
    tick = terms.get("coarse_tick_size", terms.get("tick_size", 0.01))
    dear = chain.call_bid[chain.call_bid >= terms.get("tick_size_above", 0.0)]
    assert dear.size
    assert np.allclose(dear / tick, np.rint(dear / tick), atol=1e-9)


def test_crude_oil_ends_as_nymex_listed_it_in_2024():
    # CME, CL futures of 2024 (and of the month of negative prices): three sessions before the 25th of the month.
    futures = MonthDayRule(rule_id="f", target_count=1, day=25, sessions_before=3)
    calendar = trading_calendar("XNYS")
    ends = [
        date.fromordinal(day) for day in islice(futures.days_from(date(2024, 1, 2).toordinal(), calendar), 12)
    ]
    worst = next(futures.days_from(date(2020, 4, 1).toordinal(), calendar))

    assert [f"{end:%m-%d}" for end in ends] == (
        [
            "01-22",
            "02-20",
            "03-20",
            "04-22",
            "05-21",
            "06-20",
            "07-22",
            "08-20",
            "09-20",
            "10-22",
            "11-20",
            "12-19",
        ]
    )
    assert date.fromordinal(worst) == date(2020, 4, 21)
    # LO: three sessions before the future.
    options = days("CL", "monthly", date(2024, 1, 2), 3)
    assert options == ["01-17", "02-14", "03-15"]


def test_crude_oil_is_american_on_a_future():
    terms = product("CL").terms()

    assert (terms["exercise"], terms["underlying"], terms["multiplier"]) == ("american", "future", 1000.0)
    assert "underlying" not in product("SPY").terms()


def test_an_unknown_product_is_named():
    with pytest.raises(InvalidInput) as refused:
        product("GOLD")

    assert refused.value.field == "product"


def test_intervals_grow_with_distance_and_days():
    near, far = (np.diff(STRIKE_RULES["index"].strikes(6000.0, days, 200)) for days in (7.0, 300.0))

    assert sorted(set(near.tolist())) == [5.0, 25.0, 50.0]
    assert sorted(set(far.tolist())) == [25.0, 100.0]
    assert near[len(near) // 2] == 5.0


@pytest.mark.parametrize("rule", STRIKE_RULES)
@pytest.mark.parametrize("scale", [1.0, 7.3])
def test_strikes_stand_where_their_interval_says(rule, scale):
    price = scale * {"btc": 50_000.0, "eth": 2000.0, "index": 5000.0, "nifty": 20_000.0}.get(rule, 40.0)
    listed = STRIKE_RULES[rule]
    strikes = listed.strikes(price, 30.0, 40)

    [bands, *_] = [tier.bands for tier in listed.tiers if tier.days >= 30.0]
    finest = min(interval for _, interval in bands)
    every = finest * np.arange(1, round(strikes[-1] / finest) + 1)
    reached = abs(every / price - 1.0) if listed.by == "distance" else every
    own = np.array([next(interval for reach, interval in bands if at <= reach) for at in reached])
    by_hand = every[np.isclose(every / own, np.rint(every / own))]
    assert strikes.tolist() == by_hand[by_hand >= strikes[0]].tolist()
    middle = int(np.argmin(abs(strikes - price)))
    assert abs(strikes.size - 1 - middle - 40) <= 1


def requested(**changes):
    body = {
        "product": "SPY",
        "symbol": "SPY",
        "steps": 5,
        "start_at": "2026-01-05T15:00:00Z",
        "initial_price": 600.0,
        "volatility": 0.2,
        "risk_free_rate": 0.04,
        "dividend_yield": 0.0,
        "method": {"GeometricBrownian": {"dt": 0.004, "drift": 0.0, "volatility": 0.2}},
        "time_frame": "Day",
        "seed": 1,
    }
    asked = SimulationRequest.model_validate(body | changes)
    now = datetime(2026, 1, 5, 15, tzinfo=UTC)
    return values_of(as_listed(asked, now), now, LimitsSettings())


def test_a_request_has_what_its_product_says_and_it_does_not():
    values = requested(exercise="european", schedules=[{"rule_id": "d", "kind": "daily", "target_count": 1}])

    listed = product("SPY")
    assert (values["settlement"], values["multiplier"], values["strike_rule"]) == ("physical", 100.0, "fund")
    assert values["exercise"] == "european"
    assert values["expirations"].calendar == listed.calendar
    assert [rule.rule_id for rule in values["expirations"].rules] == ["d"]
    assert requested()["expirations"] == listed.schedule()


def test_a_request_of_an_unknown_product_names_it():
    with pytest.raises(InvalidInput) as refused:
        requested(product="GOLD")

    assert refused.value.field == "product"


def test_options_that_settle_in_the_morning_are_traded_until_the_evening_before():
    # Cboe: SPX and VIX options cease trading on the business day before the settlement value is computed.
    spx, vix = (
        next(
            each
            for each in ExpirationPlan(product(name).schedule()).active(datetime(2026, 6, 15, tzinfo=UTC))
            if each.root == name
        )
        for name in ("SPX", "VIX")
    )

    # The third Friday of June 2026 is Juneteenth: SPX settles on Thursday, and VIX in May 30 days before that.
    assert (spx.date, spx.last_trade_at) == (date(2026, 6, 18), datetime(2026, 6, 17, 20, tzinfo=UTC))
    assert (vix.date, vix.last_trade_at) == (date(2026, 6, 17), datetime(2026, 6, 16, 20, tzinfo=UTC))
    assert days("VIX", "vix_monthly", date(2026, 5, 1), 1) == ["05-19"]


def test_indices_expire_at_the_ends_of_months_and_funds_at_those_of_quarters():
    # Cboe, SPX end-of-month expirations of 2024 and 2025: the last session of each month.
    ends = days("SPX", "spxw_month_end", date(2024, 1, 2), 24)
    quarters = days("SPY", "quarterly", date(2024, 1, 2), 8)

    assert ends[:12] == [
        *(
            "01-31",
            "02-29",
            "03-28",
            "04-30",
            "05-31",
            "06-28",
            "07-31",
            "08-30",
            "09-30",
            "10-31",
            "11-29",
            "12-31",
        ),
    ]
    assert ends[12:] == [
        *(
            "01-31",
            "02-28",
            "03-31",
            "04-30",
            "05-30",
            "06-30",
            "07-31",
            "08-29",
            "09-30",
            "10-31",
            "11-28",
            "12-31",
        ),
    ]
    assert quarters == ["03-28", "06-28", "09-30", "12-31", "03-31", "06-30", "09-30", "12-31"]
