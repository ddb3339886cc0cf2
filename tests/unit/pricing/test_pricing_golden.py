"""The prices, d1 and d2 that the tests of the reference service assert."""

import numpy as np
import pytest
from scipy.special import ndtri

from optionchain.pricing import black_scholes


def vectors(golden, function):
    found = [vector for vector in golden.values() if vector["inputs"].get("fn") == function]
    assert found
    return found


def test_the_reference_has_the_same_prices(golden):
    for vector in vectors(golden, "bs_price"):
        inputs = vector["inputs"]

        value = black_scholes(
            spot=inputs["S"],
            strike=inputs["K"],
            expiry_years=inputs["days"] / 365,
            volatility=inputs["sigma"],
            rate=inputs["r"],
            dividend_yield=inputs["q"],
        )

        price = float(value.call_price if inputs["style"] == "call" else value.put_price)
        assert price == pytest.approx(vector["expected"], abs=vector["tolerance"]), vector["name"]


def test_the_reference_has_the_same_d1_and_d2(golden):
    for vector in vectors(golden, "d1_d2"):
        inputs = vector["inputs"]
        years = inputs.get("T_years", inputs.get("days", 0) / 365)

        value = black_scholes(
            spot=inputs["S"],
            strike=inputs["K"],
            expiry_years=years,
            volatility=inputs["sigma"],
            rate=inputs["b"],
        )

        # Without dividends N(d1) is the call's delta, and N(d2) what its bonds are worth over the strike's value.
        bonds = value.call_delta * inputs["S"] - value.call_price
        found = {
            "d1": ndtri(value.call_delta),
            "d2": ndtri(bonds / (inputs["K"] * np.exp(-inputs["b"] * years))),
        }
        for name, expected in vector["expected"].items():
            assert float(found[name]) == pytest.approx(expected, abs=vector["tolerance"]), vector["name"]
