"""Rates by a curve, borrowing, dividends in cash and futures, against QuantLib, parity and differences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from optionchain.chains import build_chain
from optionchain.chains.contracts import COLUMNS
from optionchain.contracts.carried import discounts_of
from optionchain.contracts.carry import Carry
from optionchain.draws.philox import PhiloxDraws
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration
from optionchain.expirations.listing import microseconds
from optionchain.measures import long_call
from optionchain.measures.path_block import sample_block
from optionchain.models import Brownian, GeometricBrownian, Heston, Historical, JumpDiffusion
from optionchain.simulation import Simulation
from optionchain.sweeps.changes import Shock
from optionchain.time_frame import TimeFrame
from tests.unit.export.simulations import parameters

NOW = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = (30, 91, 365)
RATE = 0.05
DIVIDENDS = tuple(
    (microseconds(NOW + timedelta(days=days)), amount)
    for days, amount in ((20, 1.0), (60, 1.5), (200, 1.25), (364, 2.0), (400, 9.0))
)
ESCROWED = Carry(rate=RATE, dividend_yield=0.01, dividends=DIVIDENDS)
FORWARD = replace(ESCROWED, model="forward")
CURVE = ((0.1, 0.02), (0.5, 0.04), (2.0, 0.03))


def chain(carry, *, now=NOW, spot=100.0, **terms):
    expirations = [Expiration(expires_at=NOW + timedelta(days=days), labels=()) for days in DAYS]
    flat = {"skew_slope": 0.0, "smile_curve": 0.0, "risk_free_rate": RATE, "dividend_yield": 0.01}
    return build_chain(
        symbol="X",
        quote_time=now,
        spot=spot,
        base_volatility=0.25,
        expirations=expirations,
        chain_size=6,
        strike_interval=5.0,
        ladder_price=100.0,
        carry=carry,
        **flat | terms,
    )


def forwards(days):
    """Spot less what the dividends up to then are worth now, over the discount."""
    return 100.0 - sum(
        amount * np.exp(-RATE * ahead / 365)
        for ahead, amount in ((20, 1.0), (60, 1.5), (200, 1.25), (364, 2.0))
        if ahead <= days
    )


@pytest.mark.parametrize("carry", [ESCROWED, FORWARD])
def test_parity_holds_with_dividends(carry):
    found = chain(carry)

    for index, days in enumerate(DAYS):
        own = slice(found.offsets[index], found.offsets[index + 1])
        years = days / 365
        paid = 100.0 - forwards(days)
        spot = (
            (100.0 - paid) * np.exp(-0.01 * years)
            if carry is ESCROWED
            else 100 * np.exp(-0.01 * years) - paid
        )
        parity = spot - found.strikes[own] * np.exp(-RATE * years)
        np.testing.assert_allclose(found.call_mid[own] - found.put_mid[own], parity, atol=1e-10)


def test_the_escrowed_model_is_that_of_quantlib():
    ql = pytest.importorskip("QuantLib")
    found = chain(replace(ESCROWED, dividend_yield=0.0))
    today = ql.Date(5, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    counter = ql.Actual365Fixed()

    def curve(rate):
        return ql.YieldTermStructureHandle(ql.FlatForward(today, rate, counter))

    volatility = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.25, counter))
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(100.0)), curve(0.0), curve(RATE), volatility
    )
    ahead = [(20, 1.0), (60, 1.5), (200, 1.25), (364, 2.0)]
    for index, days in enumerate(DAYS):
        some = [(day, amount) for day, amount in ahead if day <= days]
        paid = ql.DividendVector([today + day for day, _ in some], [amount for _, amount in some])
        engine = ql.AnalyticDividendEuropeanEngine(process, paid)
        for at in range(found.offsets[index], found.offsets[index + 1]):
            option = ql.VanillaOption(
                ql.PlainVanillaPayoff(ql.Option.Call, float(found.strikes[at])),
                ql.EuropeanExercise(today + days),
            )
            option.setPricingEngine(engine)
            assert found.call_mid[at] == pytest.approx(option.NPV(), abs=1e-10)
            assert found.call_delta[at] == pytest.approx(option.delta(), abs=1e-10)
            assert found.call_rho()[at] == pytest.approx(option.rho() / 100, abs=1e-8)


def test_a_curve_gives_each_expiration_its_rate():
    found = chain(Carry(rate=0.9, dividend_yield=0.01, curve=CURVE))

    for index, days in enumerate(DAYS):
        rate = float(np.interp(days / 365, [0.1, 0.5, 2.0], [0.02, 0.04, 0.03]))
        alone = chain(None, risk_free_rate=rate)
        own = slice(found.offsets[index], found.offsets[index + 1])
        np.testing.assert_array_equal(found.columns[:, own], alone.columns[:, own])
        np.testing.assert_allclose(found.call_rho()[own], alone.call_rho()[own], rtol=1e-12)


def test_borrowing_costs_as_a_yield_does():
    np.testing.assert_array_equal(
        chain(Carry(rate=RATE, dividend_yield=0.01, borrow=0.02)).columns,
        chain(None, dividend_yield=0.03).columns,
    )


def test_options_on_a_future_are_priced_by_black():
    ql = pytest.importorskip("QuantLib")
    found = chain(Carry(rate=RATE, dividend_yield=0.0, underlying="future"))
    margined = chain(Carry(rate=RATE, dividend_yield=0.0, underlying="future", premium="margined"))

    for index, days in enumerate(DAYS):
        deviation, discount = 0.25 * np.sqrt(days / 365), np.exp(-RATE * days / 365)
        for at in range(found.offsets[index], found.offsets[index + 1]):
            strike = float(found.strikes[at])
            price = ql.blackFormula(ql.Option.Put, strike, 100.0, deviation, discount)
            assert found.put_mid[at] == pytest.approx(price, abs=1e-12)
            assert margined.put_mid[at] == pytest.approx(price / discount, abs=1e-12)
    assert np.all(margined.put_rho() == 0.0)


@pytest.mark.parametrize(
    "carry",
    [
        ESCROWED,
        FORWARD,
        replace(FORWARD, borrow=0.01),
        Carry(rate=RATE, dividend_yield=0.0, underlying="future"),
    ],
)
def test_greeks_are_the_slopes_of_prices(carry):
    found = chain(carry)

    def slope(name, up, down, step):
        return (getattr(chain(**up), name) - getattr(chain(**down), name)) / step

    for side in ("call", "put"):
        price = f"{side}_mid"
        by_spot = slope(price, {"carry": carry, "spot": 100.01}, {"carry": carry, "spot": 99.99}, 0.02)
        np.testing.assert_allclose(getattr(found, f"{side}_delta"), by_spot, atol=1e-6)
        higher, lower = (replace(carry, rate=RATE + each) for each in (1e-5, -1e-5))
        by_rate = slope(price, {"carry": higher}, {"carry": lower}, 2e-3)
        np.testing.assert_allclose(getattr(found, f"{side}_rho")(), by_rate, atol=1e-6)
        hour = timedelta(hours=1)
        by_time = slope(
            price, {"carry": carry, "now": NOW + hour}, {"carry": carry, "now": NOW - hour}, 1 / 12
        )
        np.testing.assert_allclose(getattr(found, f"{side}_theta")(), by_time, atol=2e-5)
    for column in COLUMNS:
        if column.label in ("vanna", "vomma", "veta", "charm", "color"):
            assert np.isnan(column.of(found)).all()


@pytest.mark.parametrize("model", ["escrowed", "forward"])
@pytest.mark.parametrize("exercise", ["european", "american"])
def test_a_dividend_on_the_expirations_instant_is_paid_before_it_whatever_the_days(model, exercise):
    """Of days over 365 as floats, one in seven would have been an instant too late."""
    for days in (1, 2, 41, 83, 166, 301) if exercise == "european" else (83, 166):
        expiring = NOW + timedelta(days=days)
        for now in (NOW, NOW + timedelta(hours=7), expiring - timedelta(minutes=17)):
            carry = Carry(
                rate=0.0, dividend_yield=0.0, dividends=((microseconds(expiring), 8.0),), model=model
            )
            found = build_chain(
                symbol="X",
                quote_time=now,
                spot=100.0,
                base_volatility=0.01,
                expirations=[Expiration(expires_at=expiring, labels=())],
                chain_size=4,
                strike_interval=10.0,
                skew_slope=0.0,
                smile_curve=0.0,
                exercise=exercise,
                carry=carry,
            )
            # The put of 100 has what the price falls by, and an American call of 60 is exercised before that.
            assert found.put_mid[4] == pytest.approx(8.0, abs=1e-3)
            assert found.call_mid[0] == pytest.approx(40.0 if exercise == "american" else 32.0, abs=1e-3)


def test_a_date_of_exercise_on_the_expirations_instant_is_no_date_before_it():
    for days in range(1, 400, 3):
        expiring = microseconds(NOW + timedelta(days=days))
        carry = Carry(rate=RATE, dividend_yield=0.0, exercises=(expiring - 86_400_000_000, expiring))
        at = carry.at(np.array([microseconds(NOW)]), np.array([100.0]), np.array([days]) / 365)
        assert np.isfinite(at.exercises).tolist() == [[True, False]]


def simulation(**changes):
    return parameters(steps=40, **changes)


QUARTERLY = [["2026-01-12", 2.0], ["2026-02-02", 1.0]]


@pytest.mark.parametrize(
    "method",
    [
        GeometricBrownian(dt=1 / 365, drift=0.0, volatility=0.2),
        Heston(dt=1 / 365, drift=0.0, volatility=0.2, kappa=2.0, theta=0.04, xi=0.3, rho=-0.5),
        Brownian(dt=1 / 365, drift=0.0, volatility=0.2),
        JumpDiffusion(
            dt=1 / 365, drift=0.0, volatility=0.2, intensity=1.0, jump_mean=0.0, jump_volatility=0.1
        ),
    ],
)
def test_the_price_falls_by_the_dividend_with_every_model(method):
    plain, falls = (Simulation(simulation(method=method, dividends=paid)) for paid in (None, QUARTERLY))

    np.testing.assert_array_equal(falls.prices[:7], plain.prices[:7])
    assert falls.prices[7] == pytest.approx(plain.prices[7] - 2.0, rel=1e-12)
    returns = falls.prices[8:28] / falls.prices[7:27]
    np.testing.assert_allclose(returns, plain.prices[8:28] / plain.prices[7:27], rtol=1e-12)
    assert falls.prices[28] == pytest.approx(
        falls.prices[27] * plain.prices[28] / plain.prices[27] - 1.0, rel=1e-12
    )


def test_a_history_has_its_dividends_already():
    prices = tuple(100.0 + step for step in range(40))
    replayed = Historical(timeframe=TimeFrame.DAY, prices=prices)

    found = Simulation(simulation(method=replayed, dividends=QUARTERLY))

    assert found.prices.tolist() == list(prices)


def test_dividends_that_use_a_price_up_leave_the_least_price():
    terms = simulation(initial_price=10.0, dividends=[["2026-01-06", 9.99], ["2026-01-07", 9.0]])

    assert set(Simulation(terms).prices[2:].tolist()) == {0.01}


def test_dividends_are_projected_with_growth():
    carry = simulation(dividends=[["2026-03-20", 1.0], ["2026-09-21", 2.0]], dividend_growth=0.1).carry

    found = [(np.datetime64(at, "us").astype("datetime64[D]"), amount) for at, amount in carry.dividends[:5]]
    assert [(str(day), round(amount, 6)) for day, amount in found] == [
        ("2026-03-20", 1.0),
        ("2026-09-21", 2.0),
        ("2027-03-20", 1.1),
        ("2027-09-21", 2.2),
        ("2028-03-20", 1.21),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"dividends": QUARTERLY},
        {"dividends": QUARTERLY, "dividend_model": "forward", "rate_curve": CURVE},
        {"underlying": "future", "dividend_yield": 0.0},
    ],
)
def test_blocks_and_paths_are_priced_as_chains_are(changes):
    terms = simulation(**changes)
    one = Simulation(terms)
    block = sample_block(terms, PhiloxDraws(terms.seed, paths=2))

    for step in (0, 5, 20):
        alone, of_path = one.chain(step), block.chains(step)
        listed = ~np.isnan(of_path.strikes[0])
        np.testing.assert_array_equal(of_path.call_mid[0][listed], alone.call_mid)
        np.testing.assert_array_equal(of_path.put_theta()[0][listed], alone.put_theta())
        np.testing.assert_array_equal(of_path.call_rho()[0][listed], alone.call_rho())
    table = one.to_arrow(greeks="first", from_step=5, to_step=5)
    np.testing.assert_array_equal(table["put_theta"].to_numpy(), one.chain(5).put_theta())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"dividends": [["2026-01-05", 1.0]]}, "dividends[0]"),
        ({"dividends": [["2026-02-30", 1.0]]}, "dividends[0]"),
        ({"dividends": [["2026-02-03", 1.0], ["2026-02-03", 1.0]]}, "dividends[1]"),
        ({"dividends": [["2026-02-03", 1e6]]}, "dividends[0]"),
        ({"dividends": [["2026-02-03", 0.0]]}, "dividends[0]"),
        ({"dividends": [["2026-02-03", 1.0], ["2057-01-01", 1.0]]}, "dividends[1]"),
        ({"dividends": []}, "dividends"),
        ({"dividend_growth": 0.1}, "dividend_growth"),
        ({"rate_curve": [[1.0, 0.02], [0.5, 0.03]]}, "rate_curve[1]"),
        ({"rate_curve": [[0.0, 0.02]]}, "rate_curve[0]"),
        ({"rate_curve": [[1.0, None]]}, "rate_curve[0]"),
        ({"rate_curve": [[1.0]]}, "rate_curve[0]"),
        ({"premium": "margined"}, "premium"),
        ({"underlying": "future", "dividend_yield": 0.01}, "dividend_yield"),
        ({"underlying": "future", "dividend_yield": 0.0, "dividends": QUARTERLY}, "dividends"),
    ],
)
def test_what_cannot_be_carried_is_named(changes, field):
    with pytest.raises(InvalidInput) as refused:
        simulation(**changes)

    assert refused.value.field == field


# Under these drifts nothing can be earned: the price grows by the rate less the yield, and falls by its dividends.
@pytest.mark.parametrize(
    ("drift", "changes"),
    [
        (0.04, {"dividends": [["2026-01-12", 40.0], ["2026-01-28", 25.0]]}),
        (0.02, {"borrow_cost": 0.02}),
        (0.0, {"underlying": "future"}),
    ],
)
@pytest.mark.parametrize("hedge", [False, True])
def test_a_call_at_the_models_price_earns_nothing_on_average(drift, changes, hedge):
    terms = simulation(
        method=GeometricBrownian(dt=1 / 365, drift=drift, volatility=0.18),
        dividend_yield=0.0,
        skew_slope=0.0,
        smile_curve=0.0,
        **changes,
    )
    block = sample_block(terms, PhiloxDraws(3, paths=4000))

    earned = long_call(delta=0.5, days=30, fill="mid", hedge=hedge)(block)

    # The escrowed model and a path that falls differ by little more than the error of the mean.
    assert abs(earned.mean()) < 4 * earned.std() / np.sqrt(earned.size) + 1.0
    assert not hedge or earned.std() < 30.0


def test_a_shock_of_rates_moves_the_curve():
    terms = simulation(rate_curve=CURVE, risk_free_rate=0.0)

    np.testing.assert_allclose(
        Shock(name="up", rates=0.01).applied(terms).rate_curve,
        [(years, rate + 0.01) for years, rate in CURVE],
        rtol=1e-14,
    )
    np.testing.assert_allclose(
        discounts_of(terms, np.array([0.05, 1.25])), np.exp([-0.02 * 0.05, -0.035 * 1.25]), rtol=1e-14
    )
