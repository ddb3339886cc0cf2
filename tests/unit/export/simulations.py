"""Parameters for tests of exports: every kind of expirations, ladders and clocks."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from optionchain.expirations import DailyRule, MonthlyRule, Schedule, WeeklyRule, YearlyRule
from optionchain.models import GeometricBrownian, Heston, Historical
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.time_frame import TimeFrame

SCHEDULE = Schedule(
    timezone="America/New_York",
    expiration_time=time(17),
    rules=(
        DailyRule(rule_id="zero_dte", target_count=1),
        WeeklyRule(rule_id="weeklies", target_count=3, weekdays=("Mon", "Wed", "Fri")),
        MonthlyRule(rule_id="monthlies", target_count=4, weekday="Fri"),
    ),
)
HOLIDAYS = Schedule(
    timezone="America/New_York",
    expiration_time=time(16),
    calendar="XNYS",
    rules=(
        WeeklyRule(rule_id="w", target_count=4, weekdays=("Thu", "Fri")),
        YearlyRule(rule_id="y", target_count=2, weekday="Fri"),
    ),
)


def parameters(**changes: Any) -> SimulationParameters:
    values: dict[str, Any] = {
        "symbol": "SPX",
        "steps": 40,
        "initial_price": 5000.0,
        "volatility": 0.18,
        "method": GeometricBrownian(dt=0.004, drift=0.05, volatility=0.18),
        "expirations": SCHEDULE,
        "seed": 42,
        "start_at": datetime(2026, 1, 5, 14, 30, tzinfo=UTC),
        "chain_size": 4,
        "risk_free_rate": 0.04,
        "dividend_yield": 0.012,
    }
    return SimulationParameters(**{**values, **changes})


SERIES = Schedule(
    timezone="America/New_York",
    calendar="XNYS",
    rules=(
        MonthlyRule(
            rule_id="spx", target_count=2, weekday="Fri", settlement="AM", root="SPX", last_trade_sessions=1
        ),
        WeeklyRule(rule_id="spxw", target_count=2, weekdays=("Fri",), settlement="PM", root="SPXW"),
        DailyRule(rule_id="unsaid", target_count=1),
    ),
)


VARIETY = {
    "rolling daily": parameters(),
    "rolling every hour over a weekend": parameters(
        step_interval=timedelta(hours=1), start_at=datetime(2026, 1, 9, 12, tzinfo=UTC)
    ),
    "leaps of a month": parameters(step_interval=timedelta(days=31)),
    "an exchange with holidays": parameters(
        expirations=HOLIDAYS, start_at=datetime(2026, 3, 25, 13, tzinfo=UTC)
    ),
    "a given interval of tenths": parameters(strike_interval=0.1, initial_price=50.05),
    "strikes that would be negative": parameters(strike_interval=1000.0, chain_size=8),
    "a cheap underlying": parameters(initial_price=0.37),
    "one expiration, the last snapshot after it": parameters(expirations=SingleExpiration(20.5)),
    "one strike": parameters(chain_size=0),
    "steps of a microsecond": parameters(
        step_interval=timedelta(microseconds=1), expirations=SingleExpiration(1e-9)
    ),
    "prices halfway between two strikes": parameters(
        method=Historical(timeframe=TimeFrame.DAY, prices=(0.15, 0.25, 0.35, 2.45, 0.05)),
        steps=5,
        strike_interval=0.1,
    ),
    "a pinned ladder": parameters(strike_interval=5.0, strike_ladder="pinned"),
    "spreads that widen": parameters(
        spread_proportional=0.02,
        spread_moneyness_widening=0.5,
        spread_tenor_widening=0.1,
        spread_tick=0.05,
    ),
    "stochastic volatility": parameters(
        method=Heston(dt=0.004, drift=0.05, volatility=0.18, kappa=2.0, theta=0.04, xi=0.6, rho=-0.7)
    ),
}
