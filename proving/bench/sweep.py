"""What a sweep costs against NumPy written by hand, and against the other ways to use all cores.

The work is a year of 252 steps, and on the first day of each month a chain of 21 strikes: call, put, both deltas,
gamma and vega of each. Everything is compared on the same work in one run.

Usage: ``optionchain bench sweep``, or ``python -m proving.bench.sweep SCENARIOS CONTRACTS`` for other sizes.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from scipy.special import ndtr

from optionchain.arrays import Floats
from optionchain.measures import PathBlock, terminal_price
from optionchain.models import GeometricBrownian
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.sweeps import InProcess, Silent, Sweep, SweepResult
from optionchain.sweeps.blocks import run_blocks
from optionchain.sweeps.definition import DEFAULT_QUANTILES
from optionchain.sweeps.engine import Engine

SCENARIOS, PATHS, STEPS = 3000, 100, 252
MONTH, CHAIN_SIZE = 21, 10
SPOT, RATE, DRIFT, SEED = 100.0, 0.03, 0.05, 7
EXPIRY_DAYS = 400.0
WORKERS = 2
DAYS_PER_YEAR = 365.0


def run(scenarios: int = SCENARIOS, contracts: float = 1e9) -> dict[str, float]:
    """Measure.

    Args:
        scenarios: Of 100 paths each, of what is compared.
        contracts: Of the large sweep.

    Returns:
        ``*_ratio`` is the speed of a way over that of NumPy by hand in one process; the rest is for orientation.
    """
    few = np.linspace(0.1, 0.6, min(scenarios, 200))
    # By the processor's seconds, which do not depend on who else uses the machine; several workers need the wall's.
    hand, alone = _fastest(partial(by_hand, few), partial(_compute, few), clock=time.process_time)
    figures = {
        "one_process_ratio": hand / alone,
        "contracts_per_second": _contracts(few.size) / alone,
        "by_hand_contracts_per_second": _contracts(few.size) / hand,
    }
    return figures | _workers(np.linspace(0.1, 0.6, scenarios), contracts) | _block() | _growth()


def definition(volatilities: Floats, *, paths: int = PATHS, steps: int = STEPS) -> Sweep:
    """The sweep that is measured."""
    base = SimulationParameters(
        symbol="BENCH",
        steps=steps,
        initial_price=SPOT,
        volatility=0.2,
        risk_free_rate=RATE,
        method=GeometricBrownian(dt=1 / STEPS, drift=DRIFT, volatility=0.2),
        expirations=SingleExpiration(days=EXPIRY_DAYS),
        seed=SEED,
        start_at=datetime(2026, 1, 5, tzinfo=UTC),
        chain_size=CHAIN_SIZE,
        strike_interval=1.0,
    )
    return Sweep(
        base=base,
        measures=[terminal_price, monthly_chains],
        grid={"volatility": volatilities.tolist()},
        paths=paths,
    )


def monthly_chains(block: PathBlock) -> Floats:
    """The sum of the prices of all contracts of each month's first chain."""
    total = np.zeros(block.paths)
    for chains in block.chains_at(range(0, block.steps, MONTH)):
        total += (chains.call_mid[:, 0] + chains.put_mid[:, 0]).sum(axis=1)
    return total


def by_hand(volatilities: Floats, paths: int = PATHS) -> list[Floats]:
    """The same numbers as one would write them for this case alone."""
    dt = 1 / STEPS
    offsets = np.arange(-CHAIN_SIZE, CHAIN_SIZE + 1)
    rows = []
    for volatility in volatilities.tolist():
        normals = np.random.default_rng(SEED).standard_normal((paths, STEPS - 1))
        prices = np.empty((paths, STEPS))
        prices[:, 0] = 0.0
        np.cumsum(
            normals * (volatility * math.sqrt(dt)) + (DRIFT - volatility**2 / 2) * dt, 1, out=prices[:, 1:]
        )
        np.exp(prices, out=prices)
        prices *= SPOT
        total = np.zeros(paths)
        for step in range(0, STEPS, MONTH):
            years = (EXPIRY_DAYS - step) / DAYS_PER_YEAR
            spots = prices[:, step, None]
            call, put = _chain_by_hand(spots, np.floor(spots + 0.5) + offsets, years, volatility)[:2]
            total += (call + put).sum(axis=1)
        rows.append(np.array([_statistics(prices[:, -1]), _statistics(total)]))
    return rows


def _chain_by_hand(spots: Floats, strikes: Floats, years: float, base: float) -> tuple[Floats, ...]:
    moneyness = np.log(strikes / spots)
    volatility = base * np.clip(1.0 + moneyness * (-0.2 + 0.4 * moneyness), 0.01, 3.0)
    deviation = volatility * math.sqrt(years)
    d1 = (RATE * years - moneyness) / deviation + 0.5 * deviation
    call_delta = ndtr(d1)
    bond = strikes * math.exp(-RATE * years)
    call = spots * call_delta - bond * ndtr(d1 - deviation)
    put = call - spots + bond
    density = np.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
    gamma = density / (spots * deviation)
    vega = spots * density * (0.01 * math.sqrt(years))
    return call, put, call_delta, call_delta - 1.0, gamma, vega


def _statistics(values: Floats) -> Floats:
    deviation = values.std(ddof=1)
    moments = [values.mean(), deviation, deviation / math.sqrt(values.size), values.min(), values.max()]
    return np.concatenate([moments, np.quantile(values, DEFAULT_QUANTILES)])


def _compute(volatilities: Floats) -> None:
    definition(volatilities).run(engine=InProcess(), observer=Silent())


def _workers(volatilities: Floats, contracts: float) -> dict[str, float]:
    """One and two workers of a Ray that runs already, and is warm; and other ways to use two cores."""
    import ray  # noqa: PLC0415  heavy

    from cluster.sweeps.ray_engine import OnRay  # noqa: PLC0415

    # Ray's own workers and a sweep's give way to others, the rivals do not: on a busy machine that is not their speed.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112  Ray writes it so
    ray.init(address="local", num_cpus=WORKERS, include_dashboard=False, log_to_driver=False)
    try:
        # As many workers as there are CPUs is what an engine uses unless told otherwise.
        engines = [OnRay(workers=1, niceness=0), OnRay(niceness=0)]
        runs = [partial(definition(volatilities).run, engine=engine, observer=Silent()) for engine in engines]
        hand, one, two = _fastest(partial(by_hand, volatilities), *runs, repetitions=3)
        large = _large(engines[-1], contracts)
    finally:
        ray.shutdown()
    ratios = large | {"one_worker_ratio": hand / one, "two_workers_ratio": hand / two}
    return ratios | {f"{name}_ratio": hand / seconds for name, seconds in _rivals(volatilities).items()}


def _large(engine: Engine, contracts: float) -> dict[str, float]:
    """So many contracts in one sweep, and the most memory that a worker or the driver had for it."""
    scenarios = math.ceil(contracts / _contracts(1))
    one = definition(np.linspace(0.1, 0.6, scenarios))
    watched = replace(one, measures=[*one.measures, peak_megabytes])
    results: list[SweepResult] = []
    seconds = _seconds(lambda: results.append(watched.run(engine=engine, observer=Silent())))
    return {
        "large_contracts": float(_contracts(scenarios)),
        "large_scenarios": float(scenarios),
        "large_seconds": seconds,
        "large_worker_peak_megabytes": float(results[0].to_polars()["peak_megabytes_max"].max()),  # type: ignore[arg-type]
        "large_driver_peak_megabytes": _peak_megabytes(),
    }


def peak_megabytes(block: PathBlock) -> Floats:
    """The most memory that the process of the block has had until now."""
    return np.full(block.paths, _peak_megabytes())


def _contracts(scenarios: int) -> int:
    """Calls and puts of the whole work."""
    return 2 * scenarios * PATHS * len(range(0, STEPS, MONTH)) * (2 * CHAIN_SIZE + 1)


def _rivals(volatilities: Floats) -> dict[str, float]:
    """Seconds of other ways to do the same on two cores, where they are installed; QuantLib's loop is on one."""
    seconds = {}
    for name, measure in (("joblib", _joblib), ("dask", _dask), ("quantlib", _quantlib)):
        try:
            seconds[name] = measure(volatilities)
        except ImportError:
            continue
    return seconds


def _joblib(volatilities: Floats) -> float:
    import joblib  # noqa: PLC0415  only for comparison

    with joblib.Parallel(n_jobs=2) as parallel:
        chunks = np.array_split(volatilities, 16)
        parallel(joblib.delayed(by_hand)(chunk[:1]) for chunk in chunks)
        return _seconds(lambda: parallel(joblib.delayed(by_hand)(chunk) for chunk in chunks))


def _dask(volatilities: Floats) -> float:
    from dask import compute, delayed  # noqa: PLC0415  only for comparison

    tasks = [delayed(by_hand)(chunk) for chunk in np.array_split(volatilities, 16)]
    return _seconds(lambda: compute(*tasks, scheduler="processes", num_workers=2))


def _quantlib(volatilities: Floats) -> float:
    """A loop over contracts of QuantLib's analytic engine, timed on a few and multiplied."""
    from proving.bench.quantlib import european as prepare  # noqa: PLC0415

    value_one = prepare(1.0)
    some = 2000
    strikes = np.linspace(80.0, 120.0, some).tolist()
    seconds = _seconds(lambda: [value_one(strike, 0.2) for strike in strikes])
    return seconds / some * _contracts(volatilities.size) / 2


def _block() -> dict[str, float]:
    """What a block costs that has nothing to do."""
    blocks = 2000
    one = Sweep(
        base=definition(np.array([0.2]), steps=2).base,
        measures=[terminal_price],
        grid={"method.drift": np.linspace(0.0, 0.1, blocks).tolist()},
        paths=1,
    )
    return {
        "block_overhead_microseconds": 1e6
        * _seconds(lambda: run_blocks(one, 0, blocks), time.process_time)
        / blocks
    }


def _growth() -> dict[str, float]:
    """How many times more four times as many of each cost: 4 is linear."""

    def seconds(scenarios: int = 25, paths: int = 400, steps: int = 252) -> float:
        one = definition(np.linspace(0.1, 0.6, scenarios), paths=paths, steps=steps)
        return _fastest(lambda: one.run(engine=InProcess(), observer=Silent()), clock=time.process_time)[0]

    base = seconds()
    return {
        "growth_with_4_times_the_scenarios": seconds(scenarios=100) / base,
        "growth_with_4_times_the_paths": seconds(paths=1600) / base,
        "growth_with_a_quarter_of_the_steps": base / seconds(steps=63),
    }


def _peak_megabytes() -> float:
    """The most that this process has had; a kilobyte is macOS's byte."""
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _seconds(function: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    function()
    return clock() - start


def _fastest(
    *functions: Callable[[], Any], repetitions: int = 5, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Seconds of each, the best of some repetitions that take turns."""
    best = [math.inf] * len(functions)
    for _ in range(repetitions):
        best = [min(fastest, _seconds(each, clock)) for fastest, each in zip(best, functions, strict=True)]
    return best


if __name__ == "__main__":
    print(json.dumps(run(*(int(float(size)) for size in sys.argv[1:])), indent=2))
