"""Sessions for tests that need no server."""

from __future__ import annotations

from datetime import UTC, datetime

from optionchain.models import GeometricBrownian
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.session import Session, SessionKind

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
