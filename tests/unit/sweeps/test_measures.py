import math
from dataclasses import replace

import numpy as np
import pytest

from optionchain.errors import InvalidInput
from optionchain.measures import (
    average_price,
    call_payoff,
    max_drawdown,
    put_payoff,
    realised_volatility,
    terminal_price,
    total_return,
    touch_probability,
)
from optionchain.measures.path_block import PathBlock
from optionchain.pricing import black_scholes
from tests.unit.sweeps.sweep_examples import BASE, block

PRICES = np.array([[100.0, 120.0, 90.0, 108.0], [100.0, 100.0, 100.0, 100.0], [100.0, 80.0, 60.0, 50.0]])
GIVEN = PathBlock(parameters=BASE, first_path=0, prices=PRICES, volatilities=np.full_like(PRICES, 0.2))


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (terminal_price, [108.0, 100.0, 50.0]),
        (total_return, [0.08, 0.0, -0.5]),
        (average_price, [104.5, 100.0, 72.5]),
        (max_drawdown, [0.25, 0.0, 0.5]),
        (touch_probability(1.2), [1.0, 0.0, 0.0]),
        (touch_probability(0.9), [1.0, 0.0, 1.0]),
    ],
)
def test_a_measure_of_given_paths_is_what_one_computes_by_hand(measure, expected):
    np.testing.assert_allclose(measure(GIVEN), expected, rtol=1e-14)


def test_realised_volatility_is_annualised_by_the_models_steps():
    returns = np.diff(np.log(PRICES[0]))

    np.testing.assert_allclose(
        realised_volatility(GIVEN)[0], np.std(returns, ddof=1) * math.sqrt(365), rtol=1e-14
    )


def test_the_realised_volatility_of_many_paths_is_the_models():
    measured = realised_volatility(block(replace(BASE, steps=366, expirations=BASE.expirations), 400))

    # The standard deviation of a sample of n normals is low by 1 / (4 n): n is 30 here, as the expiry is near.
    assert measured.mean() == pytest.approx(0.2 * (1 - 1 / 120), abs=4 * measured.std() / 20)


@pytest.mark.parametrize(("payoff", "side"), [(call_payoff, "call_price"), (put_payoff, "put_price")])
def test_the_mean_payoff_under_a_drift_of_the_rate_is_the_black_scholes_price(payoff, side):
    payoffs = payoff(1.02)(block(paths=40_000))

    price = getattr(
        black_scholes(spot=100.0, strike=102.0, expiry_years=30 / 365, volatility=0.2, rate=0.03), side
    )
    assert abs(payoffs.mean() - price) < 4 * payoffs.std() / 200


def test_the_probability_of_touching_is_that_of_the_reflection_principle():
    fine = replace(
        BASE, method=replace(BASE.method, dt=1 / 3650, drift=0.02), steps=301, time_frame=BASE.time_frame
    )
    fine = replace(fine, step_interval=BASE.interval / 10)
    touched = touch_probability(1.05)(block(fine, 20_000))

    # Log price without drift; the barrier of discrete steps is 0.5826 deviations further (Broadie et al. 1997).
    barrier = math.log(1.05) + 0.5826 * 0.2 * math.sqrt(1 / 3650)
    law = math.erfc(barrier / (0.2 * math.sqrt(300 / 3650)) / math.sqrt(2))
    assert abs(touched.mean() - law) < 4 * math.sqrt(law * (1 - law) / 20_000)


@pytest.mark.parametrize("level", [0.0, -1.0, math.nan, "high"])
def test_a_level_that_is_not_positive_is_refused(level):
    with pytest.raises(InvalidInput, match="level"):
        touch_probability(level)
