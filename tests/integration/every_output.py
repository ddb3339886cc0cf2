"""Prints a digest of every kind of number that the domain computes: ``python every_output.py [compiled]``.

Without `compiled` numba must be off (``NUMBA_DISABLE_JIT=1``) or not installed.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np

from optionchain import numerics
from optionchain.chains import COLUMNS, build_chain, quote, smile
from optionchain.draws import Factor, PhiloxDraws
from optionchain.draws.antithetic import AntitheticDraws
from optionchain.draws.sobol import SobolDraws
from optionchain.expirations import DailyRule, Expiration, MonthlyRule, Schedule
from optionchain.export import Export, Format, Layout
from optionchain.measures import (
    average_price,
    call_payoff,
    iron_condor,
    max_drawdown,
    realised_volatility,
    sample_block,
    short_straddle,
    total_return,
)
from optionchain.models import MARKET_MODELS, model_from_wire
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.pricing import black_scholes, implied_volatility
from optionchain.simulation import simulate
from optionchain.wire.snapshots import Moment, snapshot_bodies, snapshot_body

START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
GENERATOR = np.random.default_rng(5)
COMMON = {"dt": 0.01, "drift": 0.05, "volatility": 0.3}
MODELS: dict[str, dict[str, Any]] = {
    "Brownian": COMMON,
    "Custom": COMMON | {"vov": 0.4, "vol_speed": 2.0, "vol_mean": 0.3},
    "Garch": COMMON | {"alpha": 0.1, "beta": 0.85},
    "GeometricBrownian": COMMON,
    "Heston": COMMON | {"kappa": 1.5, "theta": 0.04, "xi": 0.9, "rho": -0.6},
    "Historical": {"timeframe": "Day", "prices": (100.0 + GENERATOR.normal(0, 1.0, 60).cumsum()).tolist()},
    "JumpDiffusion": COMMON | {"intensity": 20.0, "jump_mean": -0.03, "jump_volatility": 0.1},
    "LogReturns": {"dt": 0.01, "expected_return": 0.05, "volatility": 0.2, "autocorrelation": 0.2},
    "MeanReverting": {"dt": 0.01, "volatility": 0.3, "speed": 2.0, "mean": 110.0},
    "Telegraph": COMMON | {"lambda_up": 5.0, "lambda_down": 9.0, "vol_multiplier_down": 0.5},
}
PARAMETERS = SimulationParameters(
    symbol="ACME",
    steps=50,
    initial_price=100.0,
    volatility=0.2,
    method=model_from_wire({"Heston": MODELS["Heston"]}),
    expirations=Schedule(
        timezone="America/New_York",
        expiration_time=time(16),
        rules=(
            DailyRule(rule_id="daily", target_count=2),
            MonthlyRule(rule_id="monthly", target_count=3, weekday="Fri"),
        ),
    ),
    seed=11,
    start_at=START,
    chain_size=9,
    risk_free_rate=0.04,
    dividend_yield=0.01,
)


def outputs() -> Iterator[tuple[str, Any]]:
    """A name and numbers, or bytes, for everything that a client or a statistic may see."""
    yield from _functions()
    yield from _paths()
    yield from _chains()
    yield from _statistics()
    for format in Format:
        yield f"export {format}", b"".join(Export(parameters=PARAMETERS, format=format).pieces())
    table = Export(
        parameters=replace(PARAMETERS, strike_interval=1.0), format=Format.PARQUET, layout=Layout.IRONCONDOR
    )
    yield "export ironcondor", b"".join(table.pieces())


def _functions() -> Iterator[tuple[str, Any]]:
    numbers = np.concatenate([GENERATOR.normal(0.0, 20.0, 5000), [0.0, -0.0, 40.0, -40.0, 800.0, -800.0]])
    positive = np.abs(numbers * numbers * numbers)
    uniforms = GENERATOR.uniform(0.0, 1.0, 5000)
    for function, argument in (
        (numerics.exp, numbers),
        (numerics.expm1, numbers / 10.0),
        (numerics.log, positive),
        (numerics.log1p, positive),
        (numerics.ndtr, numbers),
        (numerics.log_ndtr, numbers),
        (numerics.ndtri, uniforms * uniforms * uniforms),
    ):
        yield f"function {str(function.__doc__)[:40]}", function(argument)
    strikes = np.linspace(50.0, 200.0, 500)
    terms = {"spot": 100.0, "strike": strikes, "expiry_years": GENERATOR.uniform(0, 2, 500), "rate": 0.03}
    values = black_scholes(volatility=GENERATOR.uniform(0.0, 1.0, 500), dividend_yield=0.01, **terms)
    for name in values.__slots__:
        yield f"black_scholes {name}", getattr(values, name)
    for price in (values.call_price, 0.999 * values.call_price):
        yield (
            "implied_volatility",
            implied_volatility(price, option_type="call", dividend_yield=0.01, **terms),
        )
    near = implied_volatility(
        np.linspace(1e-9, 99.0, 500), spot=100.0, strike=100.0, expiry_years=1.0, option_type="call"
    )
    yield "implied_volatility at the money", near
    yield "smile", smile(base_volatility=0.2, spot=97.3, strikes=strikes, skew_slope=-0.3, smile_curve=0.5)
    yield "quotes", np.stack(quote(GENERATOR.uniform(0.0, 50.0, 5000), 0.03))


def _paths() -> Iterator[tuple[str, Any]]:
    assert set(MODELS) == set(MARKET_MODELS) - {"Recorded"}
    for name, parameters in MODELS.items():
        model = model_from_wire({name: parameters})
        for draws in (PhiloxDraws(3, paths=2), PhiloxDraws(3, paths=40), AntitheticDraws(3, paths=40)):
            path = model.sample(100.0, 60, draws)
            yield f"path {name} {draws}", path.prices
            yield f"volatility {name} {draws}", path.volatilities
    yield (
        "path Sobol",
        model_from_wire({"Heston": MODELS["Heston"]}).sample(100.0, 60, SobolDraws(3, paths=64)).prices,
    )
    yield "normals", PhiloxDraws(3, paths=300).normals(Factor.PRICE, 300)


def _chains() -> Iterator[tuple[str, Any]]:
    expirations = [
        Expiration(expires_at=START + timedelta(days=days), labels=()) for days in (0, 0.3, 30, 700)
    ]
    chain = build_chain(
        symbol="ACME",
        quote_time=START,
        spot=103.7,
        base_volatility=0.35,
        expirations=expirations,
        risk_free_rate=-0.02,
        dividend_yield=0.03,
    )
    for column in COLUMNS:
        yield f"chain {column.name}", column.of(chain)
    simulation = simulate(PARAMETERS)
    yield "snapshots", b"".join(snapshot_bodies([Moment(simulation, step, "all") for step in range(50)]))
    single = simulate(replace(PARAMETERS, expirations=SingleExpiration(20.0)))
    yield "snapshots of v1", b"".join(snapshot_body(single, step, "all") for step in range(20))


def _statistics() -> Iterator[tuple[str, Any]]:
    block = sample_block(PARAMETERS, PhiloxDraws(11, paths=30))
    for chains in block.chains_at([0, 20]):
        for column in COLUMNS[:2] + COLUMNS[4:6]:
            yield f"chains of paths {column.name}", column.of(chains)
    for measure in (average_price, max_drawdown, realised_volatility, total_return, call_payoff(100.0)):
        yield "measure", measure(block)
    for strategy in (iron_condor(days=10.0, roll=True), short_straddle(days=20.0, hedge=True, fill="mid")):
        earned = strategy(block)
        yield f"strategy {strategy.name}", earned
        yield f"moments {strategy.name}", np.array([earned.mean(), earned.std(ddof=1), earned.sum()])


if __name__ == "__main__":
    assert numerics.compile_kernels() == (sys.argv[1:] == ["compiled"])
    found: dict[str, str] = {}
    for name, numbers in outputs():
        content = numbers if isinstance(numbers, bytes) else np.ascontiguousarray(numbers).tobytes()
        found[f"{len(found)} {name}"] = hashlib.sha256(content).hexdigest()
    print(json.dumps(found))
