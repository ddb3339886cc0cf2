"""A typed Python client of the OptionChain Simulator's HTTP API, for callers that wait and for coroutines.

::

    with Client("http://127.0.0.1:7070", api_key) as client, client.session(symbol="SPX", ...) as session:
        for snapshot in session.steps():
            print(snapshot.step, snapshot.price)

It needs httpx and stamina, and polars for `to_polars`; nothing of the simulator itself.
"""

from optionchain_client.async_client import AsyncClient
from optionchain_client.async_session import AsyncSession, AsyncSimulation
from optionchain_client.client import Client
from optionchain_client.errors import (
    ApiError,
    Completed,
    Conflict,
    ConnectionFailed,
    Forbidden,
    InvalidInput,
    KeyReused,
    NotFound,
    PreconditionFailed,
    Problem,
    RateLimited,
    ServerError,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from optionchain_client.parameters import (
    Greeks,
    Rule,
    SessionChanges,
    SessionParameters,
    SimulationParameters,
)
from optionchain_client.retry import Retry
from optionchain_client.session import Session, Simulation
from optionchain_client.snapshots import Snapshot, to_polars

__all__ = [
    "ApiError",
    "AsyncClient",
    "AsyncSession",
    "AsyncSimulation",
    "Client",
    "Completed",
    "Conflict",
    "ConnectionFailed",
    "Forbidden",
    "Greeks",
    "InvalidInput",
    "KeyReused",
    "NotFound",
    "PreconditionFailed",
    "Problem",
    "RateLimited",
    "Retry",
    "Rule",
    "ServerError",
    "Session",
    "SessionChanges",
    "SessionParameters",
    "Simulation",
    "SimulationParameters",
    "Snapshot",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "to_polars",
]
