"""Prices by the market model itself, against QuantLib's Heston engine, the transform of Merton's law, and its paths."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813
from scipy.integrate import quad

from optionchain.draws import PhiloxDraws
from optionchain.errors import InvalidInput
from optionchain.models import Garch, GeometricBrownian, Heston, JumpDiffusion
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.simulation import simulate
from optionchain.surfaces import ModelSmile
from optionchain.surfaces.heston_prices import heston_calls
from optionchain.surfaces.merton_prices import merton_calls

HESTON = Heston(dt=1 / 365, drift=0.0, volatility=0.3, kappa=1.5, theta=0.06, xi=0.9, rho=-0.7)
MERTON = JumpDiffusion(
    dt=1 / 365, drift=0.0, volatility=0.15, intensity=2.0, jump_mean=-0.1, jump_volatility=0.15
)
PARAMETERS = SimulationParameters(
    symbol="X",
    steps=2,
    initial_price=100.0,
    volatility=0.3,
    risk_free_rate=0.05,
    dividend_yield=0.02,
    method=HESTON,
    expirations=SingleExpiration(days=180.0),
    seed=4,
    start_at=datetime(2026, 1, 5, tzinfo=UTC),
    chain_size=12,
    smile={"model": {}},
)


@pytest.mark.parametrize(
    ("kappa", "theta", "xi", "rho", "volatility"),
    [
        (1.5, 0.06, 0.9, -0.7, 0.3),
        (0.5, 0.18, 0.3, 0.2, 0.75),
        (6.0, 0.02, 1.4, -0.95, 0.1),
        (2.0, 0.05, 0.2, 0.0, 0.2),
    ],
)
@pytest.mark.parametrize("days", [1, 30, 400, 2000])
def test_heston_is_quantlibs(kappa, theta, xi, rho, volatility, days):
    model = replace(HESTON, kappa=kappa, theta=theta, xi=xi, rho=rho, volatility=volatility)
    k = np.linspace(-5.0, 5.0, 21) * volatility * np.sqrt(days / 365.0)

    ours = heston_calls(model, k, np.full(21, days / 365.0), np.full(21, volatility))
    np.testing.assert_allclose(ours, quantlib_heston(model, k, days), atol=1e-10)


def quantlib_heston(model, k, days):
    today = ql.Date(5, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    rates = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, ql.Actual365Fixed()))
    process = ql.HestonProcess(
        rates,
        rates,
        ql.QuoteHandle(ql.SimpleQuote(1.0)),
        model.volatility**2,
        model.kappa,
        model.theta,
        model.xi,
        model.rho,
    )
    engine = ql.AnalyticHestonEngine(ql.HestonModel(process), 1e-11, 1_000_000)
    prices = []
    for strike in np.exp(k):
        payoff = ql.PlainVanillaPayoff(ql.Option.Call, float(strike))
        option = ql.VanillaOption(payoff, ql.EuropeanExercise(today + days))
        option.setPricingEngine(engine)
        prices.append(option.NPV())
    return prices


@pytest.mark.parametrize("years", [0.02, 0.5, 3.0])
def test_mertons_series_is_the_transform_of_his_characteristic_function(years):
    k = np.linspace(-0.5, 0.5, 9)
    growth = MERTON.intensity * np.expm1(MERTON.jump_mean + MERTON.jump_volatility**2 / 2)

    def characteristic(u):
        jumps = np.exp(1j * u * MERTON.jump_mean - 0.5 * MERTON.jump_volatility**2 * u * u) - 1.0
        diffusion = -0.5 * MERTON.volatility**2 * (1j * u + u * u)
        return np.exp(years * (diffusion - 1j * u * growth + MERTON.intensity * jumps))

    def call(x):
        def integrand(u):
            return (np.exp(-1j * u * x) * characteristic(u - 0.5j)).real / (u * u + 0.25)

        return 1.0 - np.exp(x / 2) / np.pi * quad(integrand, 0.0, 400.0, limit=2000, epsabs=1e-12)[0]

    ours = merton_calls(MERTON, k, np.full(9, years), np.full(9, MERTON.volatility))
    np.testing.assert_allclose(ours, [call(x) for x in k], atol=1e-9)


def test_a_chain_agrees_with_the_paths_of_its_own_model():
    years, paths = 0.5, 40_000
    model = replace(HESTON, dt=years / 100, drift=0.03)
    ends = model.sample(100.0, 101, PhiloxDraws(11, paths=paths)).prices[:, -1]
    chain = simulate(replace(PARAMETERS, expirations=SingleExpiration(days=182.5))).chain(0)

    for strike, price in zip(chain.strikes[4:-4], chain.call_mid[4:-4], strict=True):
        payoffs = np.exp(-0.05 * years) * np.maximum(ends - strike, 0.0)
        assert abs(payoffs.mean() - price) < 4.5 * payoffs.std() / np.sqrt(paths) + 2e-3


def test_a_chain_has_the_models_prices_and_its_volatility_at_the_step():
    simulation = simulate(PARAMETERS)
    chain = simulation.chain(1)
    forward = simulation.prices[1] * np.exp(0.03 * chain.days_to_expiration[0] / 365.0)
    k = np.log(chain.strikes / forward)
    calls = heston_calls(
        HESTON,
        k,
        np.full(k.size, chain.days_to_expiration[0] / 365.0),
        np.full(k.size, simulation.volatilities[1]),
    )

    discount = np.exp(-0.05 * chain.days_to_expiration[0] / 365.0)
    np.testing.assert_allclose(chain.call_mid, discount * forward * calls, atol=1e-7)


def test_a_geometric_brownian_motion_has_one_volatility():
    method = GeometricBrownian(dt=1 / 365, drift=0.0, volatility=0.25)
    chain = simulate(replace(PARAMETERS, method=method, volatility=0.25)).chain(0)

    assert set(chain.implied_volatilities.tolist()) == {0.25}


def test_models_without_a_formula_and_parts_that_contradict_are_refused_by_name():
    garch = Garch(dt=1 / 365, drift=0.0, volatility=0.3, alpha=0.1, beta=0.8)
    with pytest.raises(
        InvalidInput, match=r"smile\.model: prices by Heston, JumpDiffusion or GeometricBrownian, not"
    ):
        replace(PARAMETERS, method=garch)
    with pytest.raises(InvalidInput, match="volatility_term: must be left out where the model itself prices"):
        replace(PARAMETERS, volatility_term={"flat": {}})
    with pytest.raises(InvalidInput, match="smile_dynamics: must be left out"):
        replace(PARAMETERS, smile_dynamics="sticky_strike")
    with pytest.raises(InvalidInput, match=r"method\.JumpDiffusion\.intensity: brings more than 400 jumps"):
        simulate(replace(PARAMETERS, method=replace(MERTON, intensity=5000.0)))


def test_far_strikes_whose_prices_tell_no_volatility_have_that_of_their_neighbour():
    k = np.array([-3.0, -0.1, 0.0, 0.1, 3.0, -3.0, 0.0, 3.0])
    years = np.repeat([0.02, 0.5], [5, 3])
    found = ModelSmile(model=HESTON).volatilities(k, years, np.full(8, 0.3))

    assert np.all(np.isfinite(found))
    assert (found[0], found[4]) == (found[1], found[3])
    assert len(set(found[5:].tolist())) >= 2
