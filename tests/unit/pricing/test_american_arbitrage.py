"""No chain of American options gives money away: exercise, parity's bounds, verticals, butterflies, calendars."""

from __future__ import annotations

import numpy as np
import pytest

from optionchain import numerics
from optionchain.pricing import american, black_scholes

# Of the strike: what a price may err by.
ROUNDING = 1e-7
STRIKES = np.arange(70.0, 131.0, 6.0)
RATES, YIELDS = [-0.01, 0.0, 0.02, 0.06], [0.0, 0.01, 0.05]
TOGETHER = 5_000


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    numerics.compile_kernels()


def check_chains(chains: int, seed: int) -> None:
    """``[chains, expirations, strikes]`` prices, with one volatility a chain: a smile can be an arbitrage itself."""
    rng = np.random.default_rng(seed)
    size = (chains, 1, 1)
    spot = rng.uniform(80.0, 120.0, size)
    rate, dividend_yield = rng.choice(RATES, size), rng.choice(YIELDS, size)
    years = np.sort(np.exp(rng.uniform(np.log(1 / 365), np.log(2.0), (chains, 2, 1))), axis=1)
    terms = {
        "spot": spot,
        "strike": STRIKES,
        "expiry_years": years,
        "volatility": rng.uniform(0.08, 0.9, size),
        "rate": rate,
        "dividend_yield": dividend_yield,
    }

    value, european = american(**terms), black_scholes(**terms)

    call, put, room = value.call_price, value.put_price, ROUNDING * STRIKES
    assert np.all(call >= np.maximum(european.call_price, spot - STRIKES))
    assert np.all(put >= np.maximum(european.put_price, STRIKES - spot))
    # The bounds of parity, for whoever holds one side and may be exercised against on the other.
    carry, bond = np.exp(-dividend_yield * years), STRIKES * np.exp(-rate * years)
    assert np.all(call - put <= np.maximum(spot, spot * carry) - np.minimum(STRIKES, bond) + room)
    assert np.all(call - put >= np.minimum(spot, spot * carry) - np.maximum(STRIKES, bond) - room)
    width = np.diff(STRIKES)
    rising, falling = np.diff(put, axis=-1), -np.diff(call, axis=-1)
    for vertical in (rising, falling):
        assert vertical.min() >= 0.0
        assert np.all(vertical <= width * np.maximum(np.exp(-rate * years), 1.0) + room[1:])
    for prices in (call, put):
        assert np.all(np.diff(prices, 2, axis=-1) >= -4.0 * room[2:])
        assert np.all(
            np.diff(prices, axis=1) >= -room
        )  # the later one can be exercised whenever the sooner can


def test_a_few_chains_give_no_money_away() -> None:
    check_chains(400, seed=1)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_million_chains_give_no_money_away() -> None:
    for batch in range(1_000_000 // TOGETHER):
        check_chains(TOGETHER, seed=1000 + batch)
