"""Greeks of the second order: against derivatives of the price with forty digits, and their limits."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from optionchain.pricing import black_scholes
from optionchain.pricing.black_scholes import dividend_rho
from optionchain.pricing.second_order import SecondOrder, alpha

TERMS = [
    # spot, strike, years, volatility, rate, dividend yield
    (100.0, 100.0, 0.25, 0.2, 0.05, 0.02),
    (100.0, 80.0, 1.5, 0.35, 0.01, 0.0),
    (100.0, 130.0, 0.08, 0.6, -0.01, 0.03),
    (5000.0, 5100.0, 1 / 365, 0.15, 0.04, 0.012),
    (0.3, 0.25, 3.0, 1.2, 0.1, 0.05),
]


def exact(side: str) -> Any:
    """The price of a side as a function of spot, years, volatility and dividend yield."""

    def price(strike: float, rate: float) -> Any:
        sign = 1 if side == "call" else -1

        def of(spot: Any, years: Any, volatility: Any, dividend_yield: Any) -> Any:
            total = volatility * mpmath.sqrt(years)
            d1 = (mpmath.log(spot / strike) + (rate - dividend_yield) * years) / total + total / 2
            forward = spot * mpmath.exp(-dividend_yield * years) * mpmath.ncdf(sign * d1)
            return sign * (forward - strike * mpmath.exp(-rate * years) * mpmath.ncdf(sign * (d1 - total)))

        return of

    return price


def ours(
    terms: tuple[float, ...],
) -> tuple[SecondOrder, Any]:
    spot, strike, years, volatility, rate, dividend_yield = terms
    value = black_scholes(
        spot=spot,
        strike=strike,
        expiry_years=years,
        volatility=volatility,
        rate=rate,
        dividend_yield=dividend_yield,
    )
    second = SecondOrder(
        spot=spot,
        strikes=np.array(strike),
        years=years,
        volatilities=np.array(volatility),
        rate=rate,
        dividend_yield=dividend_yield,
        gamma=value.gamma,
        vega=value.vega,
    )
    return second, value


@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize("side", ["call", "put"])
def test_each_is_the_derivative_that_it_says(side: str, terms: tuple[float, ...]) -> None:
    second, value = ours(terms)
    spot, strike, years, volatility, rate, dividend_yield = terms
    delta = getattr(value, f"{side}_delta")
    with mpmath.workdps(40):
        price, point = exact(side)(strike, rate), (spot, years, volatility, dividend_yield)
        expected = {
            "rho_d": mpmath.diff(price, point, (0, 0, 0, 1)) / 100,
            "vanna": mpmath.diff(price, point, (1, 0, 1, 0)) / 100,
            "vomma": mpmath.diff(price, point, (0, 0, 2, 0)) / 100**2,
            "veta": -mpmath.diff(price, point, (0, 1, 1, 0)) / 100 / 365,
            "charm": -mpmath.diff(price, point, (1, 1, 0, 0)) / 365,
            "color": -mpmath.diff(price, point, (2, 1, 0, 0)) / 365,
        }

    found = {
        "rho_d": dividend_rho(delta=delta, spot=spot, years=years),
        "vanna": second.vanna(),
        "vomma": second.vomma(),
        "veta": second.veta(),
        "charm": second.charm(delta),
        "color": second.color(),
    }

    for name, number in found.items():
        assert float(number) == pytest.approx(float(expected[name]), rel=1e-9, abs=1e-15), name


@pytest.mark.parametrize(("years", "volatility"), [(0.0, 0.2), (0.5, 0.0), (0.0, 0.0)])
@pytest.mark.parametrize("strike", [90.0, 100.0])
def test_nothing_changes_at_expiry_or_where_nothing_moves(
    strike: float, years: float, volatility: float
) -> None:
    second, value = ours((100.0, strike, years, volatility, 0.05, 0.02))

    changes = (second.vanna(), second.vomma(), second.veta(), second.charm(value.call_delta), second.color())
    assert [float(change) for change in changes] == [0.0] * 5


def test_alpha_is_gamma_for_theta_and_not_defined_where_nothing_decays() -> None:
    found = alpha(np.array([0.02, 0.02, 1e300]), np.array([-0.04, 0.0, 1e-300]))

    assert found[0] == -0.5
    assert np.isnan(found[1:]).all()
