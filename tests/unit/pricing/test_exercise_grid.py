"""American options under dividends in cash and curves of rates, against QuantLib, a tree, and what holders do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from optionchain import numerics
from optionchain.chains import build_chain
from optionchain.chains.together import ChainTerms, build_chains
from optionchain.contracts.carry import Carry
from optionchain.expirations import Expiration
from optionchain.expirations.listing import microseconds
from optionchain.numerics import engine
from optionchain.pricing import exercise_grid, exercise_steps

NOW = datetime(2026, 1, 5, tzinfo=UTC)
RATE = 0.05
PAID = ((60, 2.0), (240, 3.0))


@pytest.fixture(scope="module", autouse=True)
def compiled():
    numerics.compile_kernels()


def carried(carry, *, days=365, spot=100.0, now=NOW, **terms):
    flat = {"skew_slope": 0.0, "smile_curve": 0.0, "base_volatility": 0.25, "exercise": "american"}
    return build_chain(
        symbol="X",
        quote_time=now,
        spot=spot,
        expirations=[Expiration(expires_at=NOW + timedelta(days=days), labels=())],
        strike_interval=10.0,
        ladder_price=100.0,
        carry=carry,
        **{"chain_size": 4} | flat | terms,
    )


def chain(*, paid=PAID, rate=RATE, volatility=0.25, **terms):
    dividends = tuple((microseconds(NOW + timedelta(days=day)), amount) for day, amount in paid)
    return carried(
        Carry(rate=rate, dividend_yield=0.0, dividends=dividends), base_volatility=volatility, **terms
    )


def of_quantlib(ql, side, strike, *, nodes, days=365, paid=PAID):
    today = ql.Date(5, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    counter = ql.Actual365Fixed()

    def curve(rate):
        return ql.YieldTermStructureHandle(ql.FlatForward(today, rate, counter))

    volatility = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.25, counter))
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(100.0)), curve(0.0), curve(RATE), volatility
    )
    side = ql.Option.Call if side == "call" else ql.Option.Put
    option = ql.VanillaOption(ql.PlainVanillaPayoff(side, strike), ql.AmericanExercise(today, today + days))
    dividends = ql.DividendVector([today + day for day, _ in paid], [amount for _, amount in paid])
    escrowed = ql.FdBlackScholesVanillaEngine.Escrowed
    option.setPricingEngine(
        ql.FdBlackScholesVanillaEngine(
            process, dividends, nodes, nodes, 0, ql.FdmSchemeDesc.Douglas(), False, -1.0, escrowed
        )
    )
    return option


@pytest.mark.parametrize("side", ["call", "put"])
def test_prices_deltas_and_gammas_are_those_of_quantlib(side):
    ql = pytest.importorskip("QuantLib")
    found = chain()

    for at, strike in enumerate(found.strikes.tolist()):
        option = of_quantlib(ql, side, strike, nodes=400)
        gamma = found.gamma if side == "call" else found.put_gamma
        assert getattr(found, f"{side}_mid")[at] == pytest.approx(option.NPV(), abs=3e-3)
        assert getattr(found, f"{side}_delta")[at] == pytest.approx(option.delta(), abs=2e-4)
        assert gamma[at] == pytest.approx(option.gamma(), abs=5e-5)


@pytest.mark.parametrize("side", ["call", "put"])
def test_vegas_rhos_and_thetas_are_slopes_of_prices(side):
    found = chain()

    def slope(up, down, step):
        return (getattr(chain(**up), f"{side}_mid") - getattr(chain(**down), f"{side}_mid")) / step

    vega = found.vega if side == "call" else found.put_vega
    rho, theta = getattr(found, f"{side}_rho")(), getattr(found, f"{side}_theta")()
    held = vega > 0.0
    by_volatility = slope({"volatility": 0.26}, {"volatility": 0.24}, 2.0)
    np.testing.assert_allclose(vega[held], by_volatility[held], atol=3e-3)
    by_rate = slope({"rate": RATE + 2e-3}, {"rate": RATE - 2e-3}, 0.4)
    np.testing.assert_allclose(rho[held], by_rate[held], atol=5e-3)
    day = timedelta(days=1)
    by_time = slope({"now": NOW + day}, {"now": NOW - day}, 2.0)
    np.testing.assert_allclose(theta[held], by_time[held], atol=3e-3)


def test_nothing_is_under_what_exercise_brings_or_under_the_european():
    american, european = chain(), chain(exercise="european")
    strikes = american.strikes

    assert np.all(american.call_mid >= np.maximum(100.0 - strikes, european.call_mid) - 1e-9)
    assert np.all(american.put_mid >= np.maximum(strikes - 100.0, european.put_mid) - 1e-9)
    assert np.any(european.put_mid < strikes - 100.0)


def test_a_call_is_exercised_the_day_before_its_dividend_and_not_long_before_nor_after():
    def held(days_before):
        found = chain(days=80, paid=((60, 4.0),), now=NOW + timedelta(days=60 - days_before), volatility=0.15)
        deep = int(np.flatnonzero(found.strikes == 70.0)[0])
        return found.call_mid[deep] - 30.0

    # Until an instant before the ex-date, the strike bears interest: an hour's is 0.0004.
    assert held(1 / 24) == pytest.approx(70.0 * 0.05 / 24 / 365, abs=2e-5)
    assert held(30) == pytest.approx(70.0 * 0.05 * 30 / 365, rel=0.02)
    # Afterwards exercise would lose the interest of what is left, as without dividends.
    assert held(-1 / 24) == pytest.approx(70.0 * (1.0 - np.exp(-RATE * 20 / 365)), rel=0.01)


def test_without_dividends_before_expiration_it_is_the_price_without_any():
    later, none = chain(paid=((400, 5.0),)), chain(paid=())

    np.testing.assert_array_equal(later.columns, none.columns)


CURVE = ((73 / 365, 0.01), (219 / 365, 0.08), (730 / 365, 0.05))


@pytest.mark.parametrize("side", ["call", "put"])
@pytest.mark.parametrize("underlying", ["spot", "future"])
def test_a_curve_of_rates_is_that_of_quantlib(underlying, side):
    ql = pytest.importorskip("QuantLib")
    found = carried(Carry(rate=0.9, dividend_yield=0.0, curve=CURVE, underlying=underlying))
    today = ql.Date(5, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    counter = ql.Actual365Fixed()
    dates = [today, *(today + round(365 * years) for years, _ in CURVE)]
    zeros = ql.YieldTermStructureHandle(
        ql.ZeroCurve(dates, [CURVE[0][1], *(rate for _, rate in CURVE)], counter)
    )
    nothing = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, counter))
    volatility = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.25, counter))
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(100.0)), zeros if underlying == "future" else nothing, zeros, volatility
    )

    for at, strike in enumerate(found.strikes.tolist()):
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if side == "call" else ql.Option.Put, strike)
        option = ql.VanillaOption(payoff, ql.AmericanExercise(today, today + 365))
        option.setPricingEngine(ql.FdBlackScholesVanillaEngine(process, 600, 600))
        assert getattr(found, f"{side}_mid")[at] == pytest.approx(option.NPV(), abs=4e-3)
        # Next to the price from which it is exercised, the delta bends faster than the grid sees.
        is_near = 0.0 < abs(option.NPV() - abs(strike - 100.0)) < 0.05
        near = 3e-3 if is_near else 5e-4
        assert getattr(found, f"{side}_delta")[at] == pytest.approx(option.delta(), abs=near)


def by_tree(side, strike, steps=1500, volatility=0.25):
    """Cox, Ross and Rubinstein: a spot of 100 for a year, and strikes that rise by what was paid."""
    step = 1.0 / steps
    up, growth = np.exp(volatility * np.sqrt(step)), np.exp(RATE * step)
    rises = (growth - 1.0 / up) / (up - 1.0 / up)
    sign = 1.0 if side == "call" else -1.0
    values = None
    for now in range(steps, -1, -1):
        years = now * step
        paid = sum(amount * np.exp(RATE * (years - day / 365)) for day, amount in PAID if day / 365 <= years)
        exercised = sign * (100.0 * up ** np.arange(-now, now + 1.0, 2.0) - paid - strike)
        if values is None:
            values = np.maximum(exercised, 0.0)
        else:
            values = np.maximum((rises * values[1:] + (1.0 - rises) * values[:-1]) / growth, exercised)
    return float(values[0])


@pytest.mark.parametrize("side", ["call", "put"])
def test_the_forward_model_is_that_of_a_tree(side):
    found = carried(FORWARD)

    for at, strike in enumerate(found.strikes.tolist()):
        assert getattr(found, f"{side}_mid")[at] == pytest.approx(by_tree(side, strike), abs=6e-3)


DIVIDENDS = tuple((microseconds(NOW + timedelta(days=day)), amount) for day, amount in PAID)
DATES = tuple(microseconds(NOW + timedelta(days=day)) for day in (90, 200))
FORWARD = Carry(rate=RATE, dividend_yield=0.0, dividends=DIVIDENDS, model="forward")
BENT = Carry(rate=RATE, dividend_yield=0.01, dividends=DIVIDENDS, curve=CURVE)
FUTURE = Carry(rate=RATE, dividend_yield=0.0, underlying="future")
BENT_FUTURE = Carry(rate=RATE, dividend_yield=0.0, underlying="future", curve=CURVE)


@pytest.mark.parametrize("carry", [FORWARD, BENT, BENT_FUTURE])
def test_a_grid_four_times_as_fine_is_the_same(carry, monkeypatch):
    found = carried(carry)
    monkeypatch.setattr(exercise_grid, "_NODES_APART", 0.0125)
    monkeypatch.setattr(exercise_steps, "_STEPS", 320)
    finer = carried(carry)

    for side in ("call", "put"):
        prices, deltas = f"{side}_mid", f"{side}_delta"
        np.testing.assert_allclose(getattr(found, prices), getattr(finer, prices), atol=3e-3)
        np.testing.assert_allclose(getattr(found, deltas), getattr(finer, deltas), atol=1e-4)


@pytest.mark.parametrize("carry", [FORWARD, BENT, FUTURE, BENT_FUTURE])
@pytest.mark.parametrize("side", ["call", "put"])
def test_greeks_are_slopes_of_prices_however_it_is_carried(carry, side):
    found = carried(carry)
    held = (found.vega if side == "call" else found.put_vega) > 0.0

    def slope(up, down, step):
        prices = [getattr(carried(**{"carry": carry} | terms), f"{side}_mid") for terms in (up, down)]
        return ((prices[0] - prices[1]) / step)[held]

    def shifted(by):
        return replace(carry, rate=RATE + by, curve=tuple((years, rate + by) for years, rate in carry.curve))

    by_spot = slope({"spot": 101.0}, {"spot": 99.0}, 2.0)
    np.testing.assert_allclose(getattr(found, f"{side}_delta")[held], by_spot, atol=2e-3)
    by_rate = slope({"carry": shifted(1e-3)}, {"carry": shifted(-1e-3)}, 0.2)
    np.testing.assert_allclose(getattr(found, f"{side}_rho")()[held], by_rate, atol=5e-3)
    if not carry.curve:  # which is of each moment: its rates do not come nearer with time
        day = timedelta(days=1)
        by_time = slope({"now": NOW + day}, {"now": NOW - day}, 2.0)
        np.testing.assert_allclose(getattr(found, f"{side}_theta")()[held], by_time, atol=3e-3)


@pytest.mark.parametrize(("rate", "borrow", "side"), [(-0.01, -0.06, "put"), (-0.06, -0.01, "call")])
@pytest.mark.parametrize("curve", [(), ((0.5, None), (2.0, None))])
def test_where_exercise_pays_between_two_prices_only_it_is_priced_too(rate, borrow, side, curve):
    """Both are negative: exercise brings what bears a cost, and gives up what costs more."""
    ql = pytest.importorskip("QuantLib")
    nodes = tuple((years, rate) for years, _ in curve)
    of_chain = {"risk_free_rate": rate, "dividend_yield": 0.0}
    found, european = (
        carried(
            Carry(rate=rate, dividend_yield=0.0, borrow=borrow, curve=nodes), exercise=exercise, **of_chain
        )
        for exercise in ("american", "european")
    )
    today = ql.Date(5, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    counter = ql.Actual365Fixed()
    rates, costs = (
        ql.YieldTermStructureHandle(ql.FlatForward(today, each, counter)) for each in (rate, borrow)
    )
    volatility = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.25, counter))
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(100.0)), costs, rates, volatility)

    ours = getattr(found, f"{side}_mid")
    for at, strike in enumerate(found.strikes.tolist()):
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if side == "call" else ql.Option.Put, strike)
        option = ql.VanillaOption(payoff, ql.AmericanExercise(today, today + 365))
        option.setPricingEngine(ql.FdBlackScholesVanillaEngine(process, 500, 500))
        assert ours[at] == pytest.approx(option.NPV(), abs=3e-3)
    assert np.max(ours - getattr(european, f"{side}_mid")) > 1.0


@pytest.mark.parametrize("rate", [0.0, 1e-9])
@pytest.mark.parametrize("side", ["call", "put"])
def test_without_interest_an_option_on_a_future_loses_what_its_price_would_earn(rate, side):
    found = carried(Carry(rate=rate, dividend_yield=0.0, underlying="future"), days=730)

    expected = -0.01 * 2.0 * getattr(found, f"{side}_mid")
    np.testing.assert_allclose(getattr(found, f"{side}_rho")(), expected, rtol=1e-5)


def test_a_curve_that_is_flat_until_expiration_is_its_rate():
    curve = ((1.5, RATE), (2.0, 0.2))

    np.testing.assert_array_equal(
        carried(Carry(rate=0.9, dividend_yield=0.01, curve=curve)).columns,
        carried(Carry(rate=RATE, dividend_yield=0.01, borrow=0.0, curve=((9.0, RATE),))).columns,
    )


def test_chains_of_several_kinds_are_the_same_in_any_company():
    kinds = [FORWARD, BENT, FUTURE, BENT_FUTURE, None]
    terms = [ChainTerms(**TOGETHER, carry=carry) for carry in kinds]

    for alone, among in zip((build_chains([each])[0] for each in terms), build_chains(terms), strict=True):
        np.testing.assert_array_equal(alone.columns, among.columns)


TOGETHER = {
    "symbol": "X",
    "quote_time": NOW,
    "spot": 100.0,
    "base_volatility": 0.25,
    "expirations": (Expiration(expires_at=NOW + timedelta(days=365), labels=()),),
    "chain_size": 4,
    "strike_interval": 10.0,
    "skew_slope": 0.0,
    "smile_curve": 0.0,
    "spread": 0.01,
    "risk_free_rate": RATE,
    "dividend_yield": 0.0,
    "ladder_price": None,
    "exercise": "american",
}


def assert_no_arbitrage_in_random_chains(count, seed):
    """Exercise, verticals, butterflies and parity's bounds, over random dividends, rates and volatilities."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        days = int(random.integers(5, 720))
        ahead = np.unique(random.integers(1, 720, size=3))
        paid = tuple((int(day), float(random.uniform(0.1, 4.0))) for day in ahead)
        terms = {
            "days": days,
            "paid": paid,
            "rate": float(random.uniform(0.0, 0.1)),
            "volatility": float(random.uniform(0.08, 0.9)),
            "spot": float(random.uniform(70.0, 140.0)),
        }
        american, european = chain(**terms), chain(**terms, exercise="european")
        strikes, spot, rounding = american.strikes, terms["spot"], 2e-4 * terms["spot"]
        discount = np.exp(-terms["rate"] * days / 365)
        worth = sum(amount * np.exp(-terms["rate"] * day / 365) for day, amount in paid if day <= days)
        parity = spot - worth - strikes * discount
        np.testing.assert_allclose(european.call_mid - european.put_mid, parity, atol=1e-9)
        for sign, style in ((1.0, "call"), (-1.0, "put")):
            prices, lower = getattr(american, f"{style}_mid"), getattr(european, f"{style}_mid")
            assert np.all(prices >= np.maximum(sign * (spot - strikes), lower) - 1e-9), terms
            slopes = -sign * np.diff(prices) / np.diff(strikes)
            assert np.all((slopes >= -rounding / 10) & (slopes <= 1.0 + rounding / 10)), terms
            assert np.all(np.diff(prices, 2) >= -rounding), terms
        gap = american.call_mid - american.put_mid
        assert np.all(gap <= spot - strikes * discount + rounding), terms
        assert np.all(gap >= spot - worth - strikes - rounding), terms


def test_no_random_chain_can_be_bought_and_exercised_at_a_profit():
    assert_no_arbitrage_in_random_chains(6, seed=1)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_no_chain_of_very_many_can_be_bought_and_exercised_at_a_profit():
    assert_no_arbitrage_in_random_chains(2000, seed=2)


@pytest.mark.parametrize("side", ["call", "put"])
def test_theta_has_the_interest_on_a_large_dividend_to_come(side):
    def later(day):
        return chain(paid=((300, 40.0),), rate=0.2, now=NOW + timedelta(days=day))

    found = later(0)
    by_time = (getattr(later(1), f"{side}_mid") - getattr(later(-1), f"{side}_mid")) / 2.0
    held = (found.vega if side == "call" else found.put_vega) > 0.0

    # The grid's own error is 4e-4, and the interest up to 0.025 a day.
    np.testing.assert_allclose(getattr(found, f"{side}_theta")()[held], by_time[held], atol=6e-4)


@pytest.mark.parametrize(
    ("side", "terms"),
    [
        ("put", {"spot": 40.0, "paid": ((60, 0.05),), "rate": 0.08}),
        ("call", {"spot": 300.0, "paid": ((2, 50.0),), "rate": 0.0, "volatility": 0.1}),
    ],
)
def test_what_is_exercised_at_once_is_worth_that_and_nothing_moves_it(side, terms):
    found = chain(**terms)

    sign = 1.0 if side == "call" else -1.0
    of_side = {"call": (found.gamma, found.vega), "put": (found.put_gamma, found.put_vega)}[side]
    np.testing.assert_array_equal(getattr(found, f"{side}_mid"), sign * (terms["spot"] - found.strikes))
    np.testing.assert_array_equal(getattr(found, f"{side}_delta"), np.full(found.strikes.size, sign))
    for greek in (*of_side, getattr(found, f"{side}_theta")(), getattr(found, f"{side}_rho")()):
        np.testing.assert_array_equal(greek, np.zeros(found.strikes.size))


@pytest.mark.parametrize("carry", [FORWARD, BENT_FUTURE, replace(BENT, exercises=DATES)])
def test_machine_code_of_the_grid_gives_the_bytes_of_numpy(carry, monkeypatch):
    pytest.importorskip("numba")
    terms = {"exercise": "american" if carry.exercises is None else "bermudan", "chain_size": 5}
    together = carried(carry, **terms)

    for kernel in engine._KERNELS:
        monkeypatch.setattr(kernel, "_compiled", None)
    plain = carried(carry, **terms)

    assert plain.columns.tobytes() == together.columns.tobytes()
