"""The smile: a parabola in log-moneyness within its bounds."""

import math

import numpy as np
import pytest

from optionchain.chains import smile
from optionchain.pricing.hyperbola import hyperbolic


def at(strikes, base=0.2, slope=-0.2, curve=0.4):
    return smile(
        base_volatility=base, spot=100.0, strikes=np.array(strikes), skew_slope=slope, smile_curve=curve
    )


def test_at_the_money_it_is_the_base():
    assert at([100.0]).tolist() == [0.2]


def test_away_from_the_money_it_is_the_parabola():
    moneyness = math.log(1.3)

    assert at([130.0])[0] == pytest.approx(0.2 * (1.0 - 0.2 * moneyness + 0.4 * moneyness**2), rel=1e-15)


def test_a_negative_slope_makes_low_strikes_dearer():
    low, high = at([90.0, 110.0], curve=0.0)

    assert low > 0.2 > high


@pytest.mark.parametrize(("curve", "factor"), [(1e6, 3.0), (-1e6, 0.01)])
def test_the_factor_stays_between_a_hundredth_and_three(curve, factor):
    assert at([50.0, 200.0], curve=curve).tolist() == [0.2 * factor] * 2


def test_a_hyperbola_is_the_root_of_its_variance_and_not_below_the_least_volatility():
    # 0.02 + 0.3 (-0.5 (0.3 - 0.1) + sqrt(0.2² + 0.15²)) = 0.065
    assert hyperbolic(0.3, 0.02, 0.3, -0.5, 0.1, 0.15) == pytest.approx(math.sqrt(0.065), rel=1e-15)
    assert float(hyperbolic(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)) == pytest.approx(1e-4, rel=1e-15)
    assert float(hyperbolic(0.0, 0.25, 0.0, 0.0, 0.0, 0.0)) == 0.5


def test_the_volatility_stays_between_its_own_bounds():
    assert at([200.0], base=4.0, curve=1e6).tolist() == [5.0]
    assert at([200.0], base=1e-3, curve=-1e6).tolist() == [1e-4]
    assert at([100.0], base=0.0).tolist() == [1e-4]
