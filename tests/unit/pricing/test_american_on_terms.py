"""American contracts on terms of their own: what the clock, the rate and a costly share do to their greeks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optionchain.arrays import Floats
from optionchain.pricing.american import AMERICAN, CALL, PUT, PUT_GAMMA, PUT_VEGA, european_columns
from optionchain.pricing.american_on_terms import exercise_on_grid, thetas_by_clock
from optionchain.pricing.exercise_grid import Ahead

YEARS = 0.6
AHEAD = Ahead(
    years=YEARS, curve=np.array([[0.0, 0.06]]), dividend_yield=0.04, dividends=np.array([[0.3, 2.0]])
)
PAID = 2.0 * np.exp(-0.06 * 0.3)
STRIKES = np.array([40.0, 90.0, 100.0, 110.0, 200.0])


def on_grid(ahead: Ahead = AHEAD, spot: float = 100.0, pace: float = 1.0) -> Floats:
    def of_all(value: float) -> Floats:
        return np.full(STRIKES.size, value)

    columns = np.zeros((AMERICAN, STRIKES.size))
    european = european_columns(
        of_all(spot - PAID),
        STRIKES,
        of_all(YEARS),
        of_all(0.25),
        of_all(ahead.short_rate),
        of_all(ahead.dividend_yield),
    )
    columns[:8] = european[:8]
    columns[PUT_GAMMA], columns[PUT_VEGA] = columns[6], columns[7]
    exercise_on_grid(columns, ahead, spot=spot, present_value=PAID, pace=pace)
    return columns


@pytest.mark.parametrize("rows", [CALL, PUT])
def test_a_faster_clock_takes_a_multiple_from_theta_of_the_right(rows: tuple[int, ...]) -> None:
    *_, decay, _ = rows

    slow, twice, thrice = (on_grid(pace=pace)[decay] for pace in (1.0, 2.0, 3.0))

    np.testing.assert_allclose(thrice - slow, 2.0 * (twice - slow), rtol=1e-9, atol=1e-15)
    assert np.abs(twice - slow).max() > 1e-4


@pytest.mark.parametrize("rows", [CALL, PUT])
def test_a_share_that_costs_its_holder_moves_the_price_by_more_than_itself(rows: tuple[int, ...]) -> None:
    price, delta = rows[:2]
    ahead = replace(AHEAD, dividend_yield=-0.05, curve=np.array([[0.0, -0.06]]))

    here, up, down = (on_grid(ahead, spot)[:, [0, -1]] for spot in (100.0, 100.5, 99.5))

    np.testing.assert_allclose(here[delta], up[price] - down[price], atol=2e-4)
    assert np.abs(here[delta]).max() > 1.01


@pytest.mark.parametrize("rows", [CALL, PUT])
def test_a_faster_clock_takes_from_theta_until_expiration(rows: tuple[int, ...]) -> None:
    *_, decay, _ = rows
    columns = np.ones((AMERICAN, 4))

    thetas_by_clock(columns, np.array([0.0, 0.5, 0.5, 0.5]), np.array([2.0, 1.0, 2.0, 3.0]))

    expired, on_average, twice, thrice = columns[decay].tolist()
    assert (expired, on_average) == (1.0, 1.0)
    assert thrice - 1.0 == pytest.approx(2.0 * (twice - 1.0), rel=1e-12)
    assert twice < 1.0
