"""A typed Python client of the OptionChain Simulator's HTTP API, for callers that wait and for coroutines.

::

    with Client("http://127.0.0.1:7070", api_key) as client, client.session(symbol="SPX", ...) as session:
        for snapshot in session.steps():
            print(snapshot.step, snapshot.price)

It needs httpx and stamina; and for frames polars, or pandas with pyarrow. It imports nothing of the simulator itself.
"""

from optionchain_client.asynchronous.client import AsyncClient
from optionchain_client.asynchronous.configurations import AsyncConfigurations
from optionchain_client.asynchronous.history import AsyncHistory
from optionchain_client.asynchronous.quotas import AsyncQuotas
from optionchain_client.asynchronous.sessions import AsyncSession, AsyncSimulation
from optionchain_client.asynchronous.sweeps import AsyncSweep
from optionchain_client.asynchronous.tasks import AsyncTasks
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
    SweepFailed,
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
    SweepBase,
    SweepDefinition,
    TaskDefinition,
)
from optionchain_client.retry import Retry
from optionchain_client.snapshots import Snapshot, to_pandas, to_polars
from optionchain_client.synchronous.client import Client
from optionchain_client.synchronous.configurations import Configurations
from optionchain_client.synchronous.history import History
from optionchain_client.synchronous.quotas import Quotas
from optionchain_client.synchronous.sessions import Session, Simulation
from optionchain_client.synchronous.sweeps import Sweep
from optionchain_client.synchronous.tasks import Tasks

__version__ = "0.1.0"

__all__ = [
    "ApiError",
    "AsyncClient",
    "AsyncConfigurations",
    "AsyncHistory",
    "AsyncQuotas",
    "AsyncSession",
    "AsyncSimulation",
    "AsyncSweep",
    "AsyncTasks",
    "Client",
    "Completed",
    "Configurations",
    "Conflict",
    "ConnectionFailed",
    "Forbidden",
    "Greeks",
    "History",
    "InvalidInput",
    "KeyReused",
    "NotFound",
    "PreconditionFailed",
    "Problem",
    "Quotas",
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
    "Sweep",
    "SweepBase",
    "SweepDefinition",
    "SweepFailed",
    "TaskDefinition",
    "Tasks",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "__version__",
    "to_pandas",
    "to_polars",
]
