"""What American options cost, beside QuantLib's spectral engine."""

from __future__ import annotations

import time
from functools import partial

import numpy as np

from optionchain import numerics
from optionchain.pricing import american
from proving.bench import quantlib
from proving.bench.by_hand import DIVIDEND_YIELD, RATE, SPOT
from proving.bench.timing import fastest


def american_options() -> dict[str, float]:
    """American options of fifteen expirations with a smile, all greeks of each; QuantLib gives the price alone."""
    strikes = np.tile(np.linspace(70.0, 130.0, 61), 15)
    years = np.repeat(np.linspace(0.02, 1.5, 15), 61)
    volatilities = 0.2 - 0.1 * numerics.log(strikes / SPOT)
    terms = partial(
        american, spot=SPOT, strike=strikes, expiry_years=years, rate=RATE, dividend_yield=DIVIDEND_YIELD
    )
    first = time.perf_counter()
    terms(volatility=volatilities)
    first = time.perf_counter() - first
    (later,) = fastest(partial(terms, volatility=volatilities), repetitions=200)
    results = {
        "american_contracts_per_second": 2 * strikes.size / later,
        "american_first_chain_milliseconds": 1e3 * first,
    }
    try:
        value_one = quantlib.american(0.5)
    except ImportError:
        return results
    some, smile = strikes[:61].tolist(), volatilities[:61].tolist()
    ours, theirs = fastest(
        partial(
            american,
            spot=SPOT,
            strike=strikes[:61],
            expiry_years=0.5,
            volatility=volatilities[:61],
            rate=RATE,
            dividend_yield=DIVIDEND_YIELD,
        ),
        partial(quantlib.value_one_by_one, value_one, some, smile),
        repetitions=3,
    )
    return results | {
        "quantlib_american_prices_per_second": 2 * len(some) / theirs,
        "quantlib_american_speedup_ratio": theirs / ours,
    }
