"""What pricing, quoting and encoding cost, as ratios in one run: a busy machine slows both sides of each."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from itertools import cycle

import numpy as np
import orjson

from optionchain.arrays import Floats
from optionchain.chains import OptionChain, build_chain
from optionchain.draws.philox import PhiloxDraws
from optionchain.expirations import DailyRule, Expiration, MonthlyRule, Schedule, WeeklyRule, YearlyRule
from optionchain.models import GeometricBrownian
from optionchain.numerics import compile_kernels
from optionchain.parameters import SimulationParameters
from optionchain.pricing.black_scholes import DAYS_PER_YEAR, value_contracts
from optionchain.pricing.kernel import BLOCK, VALUED, price_with_numpy
from optionchain.simulation import simulate
from optionchain.surfaces import Quadratic, Sabr, Smile, Ssvi, Surface
from optionchain.wire.contracts import v1_contracts, v2_chains
from optionchain.wire.snapshots import snapshot_body
from proving.bench.american import american_options
from proving.bench.by_hand import DIVIDEND_YIELD as _DIVIDEND_YIELD
from proving.bench.by_hand import RATE as _RATE
from proving.bench.by_hand import SPOT as _SPOT
from proving.bench.by_hand import value_by_hand
from proving.bench.quantlib import european, value_one_by_one
from proving.bench.timing import fastest

_CONTRACTS = 25 * BLOCK
# A chain of HTTP v1, a snapshot of fifteen expirations, a block that stays in cache, and one that does not.
_SIZES = {"61": 61, "915": 915, "4096": 4096, "one_expiry": _CONTRACTS}
# What gcc makes of the same formulas with its vector functions, which do not give the same bytes everywhere, and which
# no machine of ours can exceed: measured with the prototype, where today's NumPy kernel made 11 to 16 million.
_LIMIT_STRIKES_PER_SECOND = 57e6
_STEPS = 10_000
_QUOTE_TIME = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
_EXPIRATIONS = tuple(
    Expiration(expires_at=_QUOTE_TIME + timedelta(days=days), labels=("rolling",))
    for days in (0.3, 2, 4, 25, 53, 81, 109, 144, 172, 200, 235, 263, 291, 326, 354)
)
_MODEL = GeometricBrownian(dt=1 / 365, drift=0.05, volatility=0.2)
_ROLLING = Schedule(
    timezone="America/New_York",
    expiration_time=time_of_day(16),
    rules=(
        DailyRule(rule_id="daily", target_count=3),
        WeeklyRule(rule_id="weekly", target_count=4, weekdays=("Fri",)),
        MonthlyRule(rule_id="monthly", target_count=6, weekday="Fri"),
        YearlyRule(rule_id="yearly", target_count=2, weekday="Fri"),
    ),
)
# The eleven numbers of a contract in a snapshot.
_SHOWN = (
    "strikes",
    "call_bid",
    "call_ask",
    "call_mid",
    "call_delta",
    "put_bid",
    "put_ask",
    "put_mid",
    "put_delta",
    "implied_volatilities",
    "gamma",
)


def run() -> dict[str, float]:
    """Measure kernels, American options, a snapshot of 15 expirations and a step of one, and independent libraries.

    Returns:
        ``*_per_second`` and ``*_microseconds`` are for orientation; the ``*_ratio`` are what is promised.
        A kernel's is our speed over that of formulas written by hand with NumPy, a snapshot's its time over that
        of the kernel plus one orjson dump of the same numbers, a path's its time over that of its normals plus
        one cumulative sum.
    """
    compile_kernels()
    limit = {"prototype_limit_strikes_per_second": _LIMIT_STRIKES_PER_SECOND}
    return (
        _kernels()
        | limit
        | american_options()
        | _snapshots()
        | _smiles()
        | _paths()
        | _independent_libraries()
    )


def _kernels() -> dict[str, float]:
    rng = np.random.default_rng(1)
    results: dict[str, float] = {}
    for name, contracts in _SIZES.items():
        strikes, volatilities = rng.uniform(70.0, 130.0, contracts), rng.uniform(0.1, 0.6, contracts)
        calls = max(_CONTRACTS // (8 * contracts), 1)
        ours, by_hand = fastest(
            partial(_value, strikes, 0.5, volatilities),
            partial(value_by_hand, strikes, 0.5, volatilities),
            calls=calls,
        )
        results[f"kernel_{name}_ratio"] = by_hand / ours
        results[f"kernel_{name}_strikes_per_second"] = contracts / ours
    strikes, volatilities = rng.uniform(70.0, 130.0, _CONTRACTS), rng.uniform(0.1, 0.6, _CONTRACTS)
    years = rng.uniform(0.02, 2.0, _CONTRACTS)
    ours, by_hand = fastest(
        partial(_value, strikes, years, volatilities), partial(value_by_hand, strikes, years, volatilities)
    )
    return results | {
        "kernel_many_expiries_ratio": by_hand / ours,
        "kernel_many_expiries_strikes_per_second": _CONTRACTS / ours,
        "kernel_without_compiler_ratio": _without_compiler(),
    }


def _without_compiler() -> float:
    """The speed of plain NumPy on the same formulas over that of formulas by hand."""
    rng = np.random.default_rng(2)
    offsets, terms = np.array([0, _CONTRACTS]), np.array([[_SPOT], [0.5], [_RATE], [_DIVIDEND_YIELD]])
    columns = np.array([rng.uniform(70.0, 130.0, _CONTRACTS)] * VALUED)
    columns[1] = rng.uniform(0.1, 0.6, _CONTRACTS)
    plain, by_hand = fastest(
        partial(price_with_numpy, offsets, terms, columns),
        partial(value_by_hand, columns[0].copy(), 0.5, columns[1].copy()),
        repetitions=5,
    )
    return by_hand / plain


def _snapshots() -> dict[str, float]:
    chain = _chain(_EXPIRATIONS, _SPOT)
    years = chain.per_contract(chain.days_to_expiration / DAYS_PER_YEAR)
    numbers = np.column_stack([getattr(chain, name) for name in _SHOWN])
    # Never the same chain twice in a row: a session's price moves with every step.
    spots = cycle(_MODEL.sample(_SPOT, 500, PhiloxDraws(3)).prices[0].tolist())

    def floor() -> None:
        _value(chain.strikes, years, chain.implied_volatilities)
        orjson.dumps(numbers.ravel(), option=orjson.OPT_SERIALIZE_NUMPY)

    snapshot, bare, step = fastest(
        lambda: v2_chains(_chain(_EXPIRATIONS, next(spots))),
        floor,
        lambda: v1_contracts(_chain(_EXPIRATIONS[:1], next(spots))),
        calls=20,
    )
    return {
        "snapshot_to_floor_ratio": snapshot / bare,
        "snapshot_floor_microseconds": 1e6 * bare,
        "snapshot_microseconds": 1e6 * snapshot,
        "step_of_61_strikes_microseconds": 1e6 * step,
    }


def _smiles() -> dict[str, float]:
    """The cost of chains of each smile family over those of the parabola that all have by default."""
    families: dict[str, Smile] = {
        "ssvi": Ssvi(rho=-0.7, eta=1.1),
        "quadratic": Quadratic(),
        "sabr": Sabr(rho=-0.5, nu=0.8),
    }
    results = {}
    for name, family in families.items():
        surface = Surface(smile=family)
        for label, expirations in (("61", _EXPIRATIONS[3:4]), ("915", _EXPIRATIONS)):
            plain, smiled = fastest(
                partial(_chain, expirations, _SPOT),
                partial(_chain, expirations, _SPOT, surface),
                calls=20 if name == "ssvi" else 2,
            )
            results[f"{name}_chain_of_{label}_ratio"] = smiled / plain
    return results


def _paths() -> dict[str, float]:
    """A 10,000-step path against its random numbers and one cumulative sum; its last snapshots against its first."""
    parameters = SimulationParameters(
        symbol="BENCH",
        steps=_STEPS,
        initial_price=_SPOT,
        volatility=0.2,
        method=_MODEL,
        expirations=_ROLLING,
        seed=7,
        start_at=_QUOTE_TIME,
    )
    simulation = simulate(parameters)
    generator = np.random.Generator(np.random.Philox(key=[7, 0]))
    floor, path = fastest(
        lambda: np.cumsum(generator.standard_normal(_STEPS)),
        lambda: _MODEL.sample(_SPOT, _STEPS, PhiloxDraws(7)),
    )
    # Several days at each end, so that no answer is one that is remembered.
    first, last = fastest(
        lambda: [snapshot_body(simulation, step) for step in range(20)],
        lambda: [snapshot_body(simulation, step) for step in range(_STEPS - 20, _STEPS)],
    )
    return {
        "path_to_floor_ratio": path / floor,
        "path_microseconds": path * 1e6,
        "last_to_first_snapshot_ratio": last / first,
    }


def _independent_libraries() -> dict[str, float]:
    """How many times faster than each installed library we give both prices, both deltas, gamma and vega."""
    years, strikes = 0.5, np.linspace(70.0, 130.0, 1000)
    volatilities = np.linspace(0.3, 0.2, strikes.size)
    results = {}
    for name, prepare in (("quantlib", european), ("py_vollib", _py_vollib)):
        try:
            value_one = prepare(years)
        except ImportError:
            continue
        ours, theirs = fastest(
            partial(_value, strikes, years, volatilities),
            partial(value_one_by_one, value_one, strikes.tolist(), volatilities.tolist()),
            repetitions=9,
        )
        results[f"{name}_speedup_ratio"] = theirs / ours
    return results


def _py_vollib(years: float) -> Callable[[float, float], object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it is renamed to vollib
        from py_vollib.black_scholes_merton import black_scholes_merton  # noqa: PLC0415  only for comparison
        from py_vollib.black_scholes_merton.greeks import analytical  # noqa: PLC0415

    def value_one(strike: float, volatility: float) -> list[float]:
        terms = (_SPOT, strike, years, _RATE, volatility, _DIVIDEND_YIELD)
        sides = [
            function(side, *terms) for side in "cp" for function in (black_scholes_merton, analytical.delta)
        ]
        return [*sides, analytical.gamma("c", *terms), analytical.vega("c", *terms)]

    return value_one


def _chain(expirations: tuple[Expiration, ...], spot: float, surface: Surface | None = None) -> OptionChain:
    return build_chain(
        symbol="BENCH",
        quote_time=_QUOTE_TIME,
        spot=spot,
        base_volatility=0.2,
        expirations=expirations,
        chain_size=30,
        strike_interval=1.0,
        risk_free_rate=_RATE,
        dividend_yield=_DIVIDEND_YIELD,
        surface=surface,
    )


def _value(strikes: Floats, years: Floats | float, volatilities: Floats) -> Floats:
    return value_contracts(
        spot=_SPOT,
        strikes=strikes,
        years=years,
        volatilities=volatilities,
        rate=_RATE,
        dividend_yield=_DIVIDEND_YIELD,
    )
