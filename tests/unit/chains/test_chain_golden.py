"""The ladders, smiles and quotes that the tests of the reference service assert."""

import numpy as np
import pytest

from optionchain.chains import central_multiple, smile, strike_intervals
from tests.unit.chains.chain_examples import NOW, chain, expiring


def vectors(golden, function):
    found = [vector for vector in golden.values() if vector["inputs"].get("fn") == function]
    assert found
    return [(vector["inputs"], vector["expected"], vector["tolerance"]) for vector in found]


def test_the_reference_chooses_the_same_intervals(golden):
    for inputs, expected, _ in vectors(golden, "strike_step"):
        [interval] = strike_intervals(
            spot=inputs["S"],
            volatility=inputs["iv"],
            expiry_years=np.array([inputs["days"] / 365]),
            chain_size=inputs["total_strikes"] // 2,
            deviations=inputs["k"],
        )

        assert interval == expected


def test_the_reference_rounds_to_the_same_centre(golden):
    for inputs, expected, _ in vectors(golden, "round_to_interval"):
        assert central_multiple(inputs["price"], inputs["interval"]) * inputs["interval"] == expected


def test_the_reference_has_the_same_smile(golden):
    for inputs, expected, tolerance in vectors(golden, "skewed_vol"):
        [volatility] = smile(
            base_volatility=inputs["base"],
            spot=inputs["S"],
            strikes=np.array([float(inputs["K"])]),
            skew_slope=inputs["slope"],
            smile_curve=inputs["curve"],
        )

        assert volatility == pytest.approx(expected, abs=tolerance)


def test_the_reference_quotes_the_same_chain(golden):
    for inputs, expected, _ in vectors(golden, "build_chain"):
        quoted = chain(
            quote_time=NOW,
            expirations=expiring(inputs["days"]),
            spot=inputs["S"],
            base_volatility=inputs["iv"],
            chain_size=inputs["chain_size"],
            strike_interval=inputs["strike_interval"],
            skew_slope=inputs["skew_slope"],
            smile_curve=inputs["smile_curve"],
            spread=inputs["spread"],
            risk_free_rate=inputs["r"],
            dividend_yield=inputs["q"],
        )

        assert quoted.strikes.size == expected["n_strikes"]
        for row, contract in ((0, expected["first"]), (-1, expected["last"])):
            assert quoted.strikes[row] == contract.pop("strike")
            assert {field: getattr(quoted, field)[row] for field in contract} == contract
