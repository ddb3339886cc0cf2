"""What American prices are compared with, and on which terms: random contracts, and QuantLib's price of each."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from optionchain.arrays import Floats


def random_terms(contracts: int, seed: int = 5) -> dict[str, Floats]:
    rng = np.random.default_rng(seed)
    spot = np.exp(rng.uniform(0.0, 8.0, contracts))
    volatility = np.exp(rng.uniform(math.log(0.05), math.log(1.5), contracts))
    days = np.rint(np.exp(rng.uniform(0.0, math.log(5 * 365), contracts)))
    deviation = volatility * np.sqrt(days / 365)
    return {
        "spot": spot,
        "strike": spot * np.exp(1.2 * deviation * rng.normal(size=contracts)),
        "expiry_years": days / 365,
        "volatility": volatility,
        "rate": np.where(rng.random(contracts) < 0.1, 0.0, rng.uniform(-0.02, 0.12, contracts)),
        "dividend_yield": np.where(rng.random(contracts) < 0.2, 0.0, rng.uniform(0.0, 0.12, contracts)),
    }


def quantlib() -> Callable[..., float]:
    """QuantLib's price of one option, by its spectral engine with as many points as its digits need."""
    ql = pytest.importorskip("QuantLib")
    today, count = ql.Date(5, 1, 2026), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = today
    spot, rate, dividends, volatility = (ql.SimpleQuote(0.1) for _ in range(4))
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(spot),
        ql.YieldTermStructureHandle(ql.FlatForward(today, ql.QuoteHandle(dividends), count)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, ql.QuoteHandle(rate), count)),
        ql.BlackVolTermStructureHandle(
            ql.BlackConstantVol(today, ql.NullCalendar(), ql.QuoteHandle(volatility), count)
        ),
    )
    # Its own `highPrecisionScheme` has 10 points, and errs by 2e-6 where the boundary bends soon; this one, against
    # 24 points and 60 iterations, by 1e-7.
    scheme = ql.QdFpTanhSinhIterationScheme(16, 30, 1e-12)
    spectral = ql.QdFpAmericanEngine(process, scheme)

    def price(is_call: bool, terms: dict[str, float]) -> float:
        for quote, name in (
            (spot, "spot"),
            (rate, "rate"),
            (dividends, "dividend_yield"),
            (volatility, "volatility"),
        ):
            quote.setValue(terms[name])
        exercise = ql.AmericanExercise(today, today + round(365 * terms["expiry_years"]))
        side = ql.Option.Call if is_call else ql.Option.Put
        option = ql.VanillaOption(ql.PlainVanillaPayoff(side, terms["strike"]), exercise)
        option.setPricingEngine(spectral)
        return float(option.NPV())

    return price


def one(terms: dict[str, Floats], index: int) -> dict[str, float]:
    return {name: float(values[index]) for name, values in terms.items()}
