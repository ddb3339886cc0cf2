"""Sessions for tests that need no server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from actors.sessions.simulation_cache import SimulationCache
from optionchain.expirations import Schedule, YearlyRule
from optionchain.models import GeometricBrownian
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.session import Session, SessionKind
from optionchain.simulation import Simulation
from optionchain.wire.snapshots import snapshot_body

NOW = datetime(2026, 1, 5, tzinfo=UTC)
PARAMETERS = SimulationParameters(
    symbol="SPX",
    steps=10,
    initial_price=100.0,
    volatility=0.2,
    method=GeometricBrownian(dt=0.004, drift=0.05, volatility=0.2),
    expirations=SingleExpiration(30.0),
    seed=1,
    start_at=NOW,
    chain_size=1,
)


def session(name: str, parameters: SimulationParameters = PARAMETERS, written: datetime = NOW) -> Session:
    return Session(
        id=name,
        owner="owner",
        kind=SessionKind.CHAIN,
        parameters=parameters,
        created_at=NOW,
        updated_at=written,
        version=1,
    )


# Once the expiration of 2026 is over, that of 2028 is listed: so far ahead, at such a rate, a put costs more than
# quotes can express. Steps 0 and 1 come before, step 2 after.
ROLLING_TOO_FAR = replace(
    PARAMETERS,
    initial_price=1e5,
    method=GeometricBrownian(dt=0.004, drift=0.0, volatility=0.0),
    expirations=Schedule(
        timezone="UTC",
        expiration_time=time(16),
        rules=(YearlyRule(rule_id="yearly", target_count=2, weekday="Fri"),),
    ),
    start_at=datetime(2026, 7, 1, tzinfo=UTC),
    step_interval=timedelta(days=100),
    steps=5,
    risk_free_rate=-10.0,
)


def roomy() -> SimulationCache:
    return SimulationCache(path_bytes=1 << 20, snapshot_bytes=1 << 20)


def bodies(one: Session, steps: Sequence[int]) -> list[bytes]:
    return [snapshot_body(Simulation(one.parameters), step) for step in steps]
