"""Calibration: parameters that made a chain are found again, also by QuantLib's, and give the chain back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813

from optionchain.calibration import fit, points_of
from optionchain.chains import build_chain
from optionchain.contracts.carry import Carry
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration
from optionchain.history.chains import HistoricalChain, Quotes
from optionchain.models import GeometricBrownian, Heston
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.simulation import simulate
from optionchain.surfaces import GivenTerm, ModelSmile, Ssvi, Surface

NOW = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = (30, 91, 365)


def chain_of(surface, volatility=0.25, spread=0.0, spot=10_000.0, days=DAYS):
    return build_chain(
        symbol="X",
        quote_time=NOW,
        spot=spot,
        base_volatility=volatility,
        expirations=[Expiration(expires_at=NOW + timedelta(days=each), labels=()) for each in days],
        chain_size=20,
        spread=spread,
        risk_free_rate=0.03,
        dividend_yield=0.01,
        surface=surface,
    )


def test_an_ssvi_surface_with_its_term_structure_is_found_again():
    smile = Ssvi(rho=-0.6, eta=0.9, gamma=0.4)
    term = GivenTerm(days=(30.0, 91.0, 365.0), multiples=(1.0, 1.1, 1.05))
    found = fit(chain_of(Surface(smile=smile, term=term)), "ssvi")

    assert found.error < 2e-5  # quotes are whole cents
    fitted = found.parameters["smile"]
    assert (fitted.rho, fitted.eta, fitted.gamma) == pytest.approx((-0.6, 0.9, 0.4), abs=0.01)
    assert found.parameters["volatility"] == pytest.approx(0.25, abs=1e-4)
    assert found.parameters["volatility_term"].multiples == pytest.approx((1.0, 1.1, 1.05), abs=1e-3)
    assert found.arbitrage == ()


def test_what_was_fitted_starts_a_simulation_as_the_market_stood():
    seen = chain_of(Surface(smile=Ssvi(rho=-0.6, eta=0.9)), days=(30,))
    found = fit(seen)
    volatility = found.parameters["volatility"]
    parameters = SimulationParameters(
        symbol="X",
        steps=2,
        initial_price=10_000.0,
        risk_free_rate=0.03,
        dividend_yield=0.01,
        method=GeometricBrownian(dt=1 / 365, drift=0.0, volatility=volatility),
        expirations=SingleExpiration(days=30.0),
        seed=1,
        start_at=NOW,
        chain_size=20,
        **found.parameters,
    )
    again = simulate(parameters).chain(0)

    np.testing.assert_array_equal(again.strikes, seen.strikes)
    np.testing.assert_allclose(again.call_mid, seen.call_mid, atol=0.05)


def test_heston_is_found_again_and_quantlib_finds_the_same():
    model = Heston(dt=1 / 365, drift=0.0, volatility=0.25, kappa=2.0, theta=0.05, xi=0.6, rho=-0.6)
    chain = chain_of(Surface(smile=ModelSmile(model=model)))
    found = fit(chain, "heston").parameters["method"]

    ours = (found.volatility, found.kappa, found.theta, found.xi, found.rho)
    assert ours == pytest.approx((0.25, 2.0, 0.05, 0.6, -0.6), rel=0.03)
    assert ours == pytest.approx(by_quantlib(chain), rel=0.03)


def by_quantlib(chain):
    today = ql.Date(5, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    points = points_of(chain, 0.03, 0.01)
    rates, yields = (
        ql.YieldTermStructureHandle(ql.FlatForward(today, each, ql.Actual365Fixed())) for each in (0.03, 0.01)
    )
    spot = ql.QuoteHandle(ql.SimpleQuote(10_000.0))
    process = ql.HestonProcess(rates, yields, spot, 0.06, 1.0, 0.06, 0.4, -0.3)
    model = ql.HestonModel(process)
    engine = ql.AnalyticHestonEngine(model, 128)
    helpers = []
    for k, years, volatility in zip(points.log_moneyness, points.years, points.volatilities, strict=True):
        strike = 10_000.0 * float(np.exp(k + 0.02 * years))
        period = ql.Period(round(365 * years), ql.Days)
        quote = ql.QuoteHandle(ql.SimpleQuote(float(volatility)))
        helper = ql.HestonModelHelper(
            period,
            ql.NullCalendar(),
            10_000.0,
            strike,
            quote,
            rates,
            yields,
            ql.BlackCalibrationHelper.ImpliedVolError,
        )
        helper.setPricingEngine(engine)
        helpers.append(helper)
    model.calibrate(helpers, ql.LevenbergMarquardt(), ql.EndCriteria(500, 50, 1e-10, 1e-10, 1e-10))
    theta, kappa, xi, rho, v0 = model.params()
    return v0**0.5, kappa, theta, xi, rho


def test_svi_of_each_expiration_goes_through_the_chain_and_says_what_is_arbitraged():
    chain = chain_of(Surface(smile=Ssvi(rho=-0.6, eta=0.9)))
    found = fit(chain, "svi")

    assert found.error < 2e-5
    assert [each.years for each in found.slices] == pytest.approx([days / 365.0 for days in DAYS])
    assert not any(each.has_butterflies for each in found.slices)
    assert found.crossings == ()
    points = points_of(chain, 0.03, 0.01)
    some = points.expiration == 1.0
    np.testing.assert_allclose(
        found.slices[1].volatilities(points.log_moneyness[some]), points.volatilities[some], atol=1e-3
    )

    falling = replace(found.slices[2], a=found.slices[1].a / 2.0, b=found.slices[1].b / 2.0)
    assert falling.volatilities(np.zeros(1)) < found.slices[2].volatilities(np.zeros(1))


def test_a_day_of_history_is_fitted():
    made = chain_of(Surface(smile=Ssvi(rho=-0.5, eta=0.8)), days=(30, 60), spread=0.1)
    day = date(2026, 1, 5)
    expirations = np.repeat([np.datetime64(day + timedelta(days=each)) for each in (30, 60)], 41)
    sides = {
        side: Quotes.of(82, bid=getattr(made, f"{side}_bid"), ask=getattr(made, f"{side}_ask"))
        for side in ("call", "put")
    }
    stored = HistoricalChain(
        asset="X",
        day=day,
        quote_time=NOW,
        underlying_price=10_000.0,
        expirations=expirations,
        strikes=made.strikes,
        calls=sides["call"],
        puts=sides["put"],
    )
    found = fit(stored, risk_free_rate=0.03, dividend_yield=0.01)

    assert found.parameters["smile"].rho == pytest.approx(-0.5, abs=0.02)
    assert found.error < 2e-4
    assert found.points > 60


def test_a_strike_at_the_forward_without_a_quote_is_no_point():
    strikes = np.linspace(90.0, 110.0, 11)
    asks = np.abs(strikes - 100.0) * 0.1 + 3.0
    bids = np.where(strikes == 100.0, np.nan, asks - 0.1)
    stored = HistoricalChain(
        asset="X",
        day=date(2026, 1, 5),
        quote_time=NOW,
        underlying_price=100.0,
        expirations=np.full(11, np.datetime64("2026-03-05")),
        strikes=strikes,
        calls=Quotes.of(11, bid=bids, ask=asks),
        puts=Quotes.of(11, bid=bids, ask=asks),
    )

    found = points_of(stored, rate=0.0, income=0.0)

    assert 0.0 not in found.log_moneyness
    assert found.volatilities.size == 10
    assert found.volatilities.max() < 1.0


def chain_of_carry(carry):
    return build_chain(
        symbol="X",
        quote_time=NOW,
        spot=100.0,
        base_volatility=0.2,
        expirations=[Expiration(expires_at=NOW + timedelta(days=30), labels=())],
        carry=carry,
    )


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(InvalidInput, match="family: must be one of svi, ssvi, heston"):
        fit(chain_of(None), "sabr")
    curve = Carry(rate=0.0, dividend_yield=0.0, curve=((1.0, 0.03),))
    with pytest.raises(InvalidInput, match="chain: has dividends in cash, a curve of rates or a future"):
        fit(chain_of_carry(curve))
    few = build_chain(
        symbol="X",
        quote_time=NOW,
        spot=100.0,
        base_volatility=0.2,
        expirations=[Expiration(expires_at=NOW + timedelta(days=30), labels=())],
        chain_size=1,
    )
    with pytest.raises(
        InvalidInput, match="chain: has 1 options to fit at expiration 0, of 30 days: at least 5"
    ):
        fit(few)
