"""QuantLib as Python users have it, one contract at a time: what our prices are measured against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from optionchain.pricing.black_scholes import DAYS_PER_YEAR
from proving.bench.by_hand import DIVIDEND_YIELD, RATE, SPOT


def value_one_by_one(
    value_one: Callable[[float, float], object], strikes: list[float], volatilities: list[float]
) -> None:
    for strike, volatility in zip(strikes, volatilities, strict=True):
        value_one(strike, volatility)


def european(years: float) -> Callable[[float, float], object]:
    ql, process, quoted, expiry = _process(years)
    engine, exercise = ql.AnalyticEuropeanEngine(process), ql.EuropeanExercise(expiry)

    def value_one(strike: float, volatility: float) -> list[float]:
        quoted.setValue(volatility)
        values = []
        for side in (ql.Option.Call, ql.Option.Put):
            option = ql.VanillaOption(ql.PlainVanillaPayoff(side, strike), exercise)
            option.setPricingEngine(engine)
            values += [option.NPV(), option.delta()]
        return [*values, option.gamma(), option.vega()]

    return value_one


def american(years: float) -> Callable[[float, float], object]:
    """Its spectral engine at the accuracy that it calls high."""
    ql, process, quoted, expiry = _process(years)
    engine = ql.QdFpAmericanEngine(process, ql.QdFpAmericanEngine.highPrecisionScheme())
    exercise = ql.AmericanExercise(ql.Settings.instance().evaluationDate, expiry)

    def value_one(strike: float, volatility: float) -> list[float]:
        quoted.setValue(volatility)
        values = []
        for side in (ql.Option.Call, ql.Option.Put):
            option = ql.VanillaOption(ql.PlainVanillaPayoff(side, strike), exercise)
            option.setPricingEngine(engine)
            values.append(option.NPV())
        return values

    return value_one


def _process(years: float) -> tuple[Any, Any, Any, Any]:
    """QuantLib, its Black-Scholes process, the quote of the process's volatility, and the date of expiry."""
    import QuantLib as ql  # noqa: N813, PLC0415  only for comparison

    today, count = ql.Date(5, 1, 2026), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = today
    quoted = ql.SimpleQuote(0.2)
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(SPOT)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, DIVIDEND_YIELD, count)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, RATE, count)),
        ql.BlackVolTermStructureHandle(
            ql.BlackConstantVol(today, ql.NullCalendar(), ql.QuoteHandle(quoted), count)
        ),
    )
    return ql, process, quoted, today + round(DAYS_PER_YEAR * years)
