"""What the benchmarks of sessions share: a private Redis, sessions, and batches of calls."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from pydantic import SecretStr

from actors.sessions.messages import Call
from adapters.settings import RedisSettings
from cluster.instance.embedded_servers import embedded_redis, running
from cluster.instance.ports import free_ports
from optionchain.context import Context, Principal
from optionchain.models import GeometricBrownian
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.session import Advance, Command, Create, Session, SessionKind

OWNER = "bench"
CALLER = Context(Principal(OWNER, OWNER))
NOW = datetime(2026, 1, 5, tzinfo=UTC)
PATIENCE_SECONDS = 60.0
# Commands are named as a replica names its own: they are a part of the checkpoint.
_REPLICA, _NUMBERS = secrets.token_urlsafe(12), count(1_000_000)


@contextmanager
def private_redis(folder: Path) -> Iterator[RedisSettings]:
    """A server of the benchmark's own, as an instance runs one."""
    (port,) = free_ports(1)
    server = embedded_redis(folder, port, uuid.uuid4().hex, fsync=RedisSettings().fsync)
    with running(server, folder, patience_seconds=PATIENCE_SECONDS):
        yield RedisSettings(url=SecretStr(server.url), timeout_seconds=PATIENCE_SECONDS)


def new_sessions(count: int) -> list[Session]:
    """Sessions as the quick start makes them: 30 steps, 61 strikes."""
    return [_new_session(seed) for seed in range(count)]


def calls(sessions: Iterable[Session], command: type[Create] | type[Advance]) -> list[Call]:
    """The same command for each session."""
    return [Call(session.id, CALLER, SessionKind.CHAIN, _command(command, session)) for session in sessions]


def batches(items: Sequence[Call], size: int) -> Iterator[tuple[Call, ...]]:
    """So many at a time."""
    return (tuple(items[first : first + size]) for first in range(0, len(items), size))


def _command(command: type[Create] | type[Advance], session: Session) -> Command:
    return Create(session) if command is Create else Advance(f"{_REPLICA}.{next(_NUMBERS)}")


def _new_session(seed: int) -> Session:
    parameters = SimulationParameters(
        symbol="SPX",
        steps=30,
        initial_price=5000.0,
        volatility=0.2,
        method=GeometricBrownian(dt=0.004, drift=0.05, volatility=0.2),
        expirations=SingleExpiration(30.0),
        seed=seed,
        start_at=NOW,
        risk_free_rate=0.04,
        dividend_yield=0.015,
    )
    return Session(
        id=str(uuid.uuid4()),
        owner=OWNER,
        kind=SessionKind.CHAIN,
        parameters=parameters,
        created_at=NOW,
        updated_at=NOW,
        version=1,
    )
