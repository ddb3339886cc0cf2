"""European prices by Monte Carlo against closed forms and QuantLib."""

import math

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813

from optionchain.models import GeometricBrownian, Heston, JumpDiffusion
from tests.unit.models.model_laws import SPOT, assert_mean, paths

RATE, DAYS = 0.03, 365
STRIKES = (70.0, 100.0, 115.0)
PATHS, MOVES = 40_000, 64


def assert_call_price(ends, strike, expected):
    assert_mean(math.exp(-RATE) * np.maximum(ends - strike, 0.0), expected)


def black_scholes_call(strike, volatility, rate=RATE):
    return ql.blackFormula(ql.Option.Call, strike, SPOT * math.exp(rate), volatility, math.exp(-rate))


def test_geometric_brownian_gives_black_scholes_prices():
    ends = GeometricBrownian(dt=1 / 4, drift=RATE, volatility=0.3).sample(SPOT, 5, paths(PATHS)).prices[:, -1]

    for strike in STRIKES:
        assert_call_price(ends, strike, black_scholes_call(strike, 0.3))


def merton_call(strike, model):
    """Merton's series, 1976, equation 19: Black-Scholes prices given the number of jumps."""
    growth = math.exp(model.jump_mean + model.jump_volatility**2 / 2) - 1
    rate_of_jumps = model.intensity * (1 + growth)
    return sum(
        math.exp(-rate_of_jumps)
        * rate_of_jumps**jumps
        / math.factorial(jumps)
        * black_scholes_call(
            strike,
            math.sqrt(model.volatility**2 + jumps * model.jump_volatility**2),
            RATE - model.intensity * growth + jumps * math.log1p(growth),
        )
        for jumps in range(60)
    )


@pytest.mark.parametrize(
    "jumps",
    [
        {"intensity": 1.0, "jump_mean": -0.2, "jump_volatility": 0.2},
        {"intensity": 12.0, "jump_mean": 0.03, "jump_volatility": 0.06},
    ],
)
def test_jump_diffusion_gives_mertons_prices(jumps):
    model = JumpDiffusion(dt=1 / 4, drift=RATE, volatility=0.15, **jumps)

    ends = model.sample(SPOT, 5, paths(PATHS)).prices[:, -1]

    for strike in STRIKES:
        assert_call_price(ends, strike, merton_call(strike, model))


def heston_call(strike, model):
    today = ql.Date(2, 1, 2025)
    ql.Settings.instance().evaluationDate = today
    flat = [
        ql.YieldTermStructureHandle(ql.FlatForward(today, rate, ql.Actual365Fixed())) for rate in (RATE, 0.0)
    ]
    spot = ql.QuoteHandle(ql.SimpleQuote(SPOT))
    process = ql.HestonProcess(
        *flat, spot, model.volatility**2, model.kappa, model.theta, model.xi, model.rho
    )
    option = ql.EuropeanOption(
        ql.PlainVanillaPayoff(ql.Option.Call, strike), ql.EuropeanExercise(today + DAYS)
    )
    option.setPricingEngine(ql.AnalyticHestonEngine(ql.HestonModel(process), 192))
    return option.NPV()


@pytest.mark.parametrize(
    "parameters",
    [
        {"volatility": 0.3, "kappa": 2.0, "theta": 0.06, "xi": 0.4, "rho": -0.7},
        {"volatility": 0.2, "kappa": 0.5, "theta": 0.04, "xi": 1.0, "rho": -0.9},  # often at zero variance
        {"volatility": 0.2, "kappa": 1.5, "theta": 0.09, "xi": 0.3, "rho": 0.5},
    ],
)
def test_heston_gives_the_prices_of_its_characteristic_function(parameters):
    # Over 800,000 paths the bias of 64 steps a year was within its standard error, 1/4 of this test's.
    model = Heston(dt=1 / MOVES, drift=RATE, **parameters)

    ends = model.sample(SPOT, MOVES + 1, paths(PATHS)).prices[:, -1]

    for strike in STRIKES:
        assert_call_price(ends, strike, heston_call(strike, model))
