"""American options on shares that pay dividends in cash, against QuantLib's finite differences and what holders do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from optionchain.carry import Carry
from optionchain.chains import build_chain
from optionchain.expirations import Expiration
from optionchain.expirations.listing import microseconds

NOW = datetime(2026, 1, 5, tzinfo=UTC)
RATE = 0.05
PAID = ((60, 2.0), (240, 3.0))


def chain(*, days=365, paid=PAID, now=NOW, spot=100.0, rate=RATE, volatility=0.25, exercise="american"):
    dividends = tuple((microseconds(NOW + timedelta(days=day)), amount) for day, amount in paid)
    return build_chain(
        symbol="X",
        quote_time=now,
        spot=spot,
        base_volatility=volatility,
        expirations=[Expiration(expires_at=NOW + timedelta(days=days), labels=())],
        chain_size=4,
        strike_interval=10.0,
        ladder_price=100.0,
        skew_slope=0.0,
        smile_curve=0.0,
        risk_free_rate=rate,
        carry=Carry(rate=rate, dividend_yield=0.0, dividends=dividends),
        exercise=exercise,
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
