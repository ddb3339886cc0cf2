"""A small simulation and sweeps of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optionchain import (
    GeometricBrownian,
    MonthlyRule,
    Schedule,
    SimulationParameters,
    SingleExpiration,
    WeeklyRule,
)
from optionchain.draws.philox import PhiloxDraws
from optionchain.measures import PathBlock, max_drawdown, sample_block, terminal_price
from optionchain.sweeps import InProcess, Silent, Sweep, SweepResult

# A calendar day a step, and a drift of the rate: what is bought at the model's price is worth it on average.
BASE = SimulationParameters(
    symbol="SPX",
    steps=31,
    initial_price=100.0,
    volatility=0.2,
    risk_free_rate=0.03,
    method=GeometricBrownian(dt=1 / 365, drift=0.03, volatility=0.2),
    expirations=SingleExpiration(days=30.0),
    seed=7,
    start_at=datetime(2026, 1, 5, 21, tzinfo=UTC),
    chain_size=20,
    strike_interval=1.0,
    skew_slope=0.0,
    smile_curve=0.0,
)
SCHEDULE = Schedule(
    timezone="America/New_York",
    expiration_time=time(16),
    rules=(
        WeeklyRule(rule_id="weekly", target_count=3, weekdays=("Fri",)),
        MonthlyRule(rule_id="monthly", target_count=2, weekday="Fri"),
    ),
)
ROLLING = replace(BASE, expirations=SCHEDULE, steps=100)


def block(parameters: SimulationParameters = BASE, paths: int = 64, *, first_path: int = 0) -> PathBlock:
    draws = PhiloxDraws(parameters.seed, first_path=first_path, paths=paths)
    return sample_block(parameters, draws, first_path=first_path)


def sweep(**changes: Any) -> Sweep:
    defaults: dict[str, Any] = {
        "base": BASE,
        "measures": [terminal_price, max_drawdown],
        "grid": {"volatility": [0.1, 0.3], "method.drift": [0.0, 0.1, 0.2]},
        "paths": 200,
    }
    return Sweep(**(defaults | changes))


def run(one: Sweep, **options: Any) -> SweepResult:
    return one.run(engine=InProcess(), observer=Silent(), **options)


def above(limit: float) -> Callable[[PathBlock], NDArray[np.float64]]:
    """A measure of one's own: whether a path ends above a price."""

    def is_above(block: PathBlock) -> NDArray[np.float64]:
        return (block.prices[:, -1] > limit).astype(float)

    return is_above
