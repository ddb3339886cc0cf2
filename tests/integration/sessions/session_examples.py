"""Sessions to store and to serve."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

from actors.calendars import Calendars
from actors.sessions.host import SessionHost
from actors.sessions.messages import Answer, Call
from actors.sessions.residents import ResidentSessions
from actors.sessions.simulation_cache import SimulationCache
from adapters.redis.session_store import RedisSessionStore
from optionchain.expirations import DailyRule, MonthlyRule, Schedule
from optionchain.models import GeometricBrownian, MarketModel, model_from_wire
from optionchain.observing import Unobserved
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.ports import SessionStore
from optionchain.session import Advance, Command, Create, Session, SessionKind, handle
from tests.callers import on_behalf_of

StoreFactory = Callable[..., RedisSessionStore]

START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
NOW = datetime(2026, 1, 5, 15, 0, 0, 123456, tzinfo=UTC)
PARAMETERS = SimulationParameters(
    symbol="SPX",
    steps=6,
    initial_price=5000.0,
    volatility=0.2,
    method=GeometricBrownian(dt=0.004, drift=0.05, volatility=0.2),
    expirations=SingleExpiration(30.0),
    seed=2**64 - 1,
    start_at=START,
    chain_size=1,
)
ROLLING = replace(
    PARAMETERS,
    expirations=Schedule(
        timezone="America/New_York",
        expiration_time=time(16),
        rules=(
            DailyRule(rule_id="daily", target_count=2),
            MonthlyRule(rule_id="monthly", target_count=3, weekday="Fri"),
        ),
    ),
)
MARKET_MODELS: tuple[MarketModel, ...] = tuple(
    model_from_wire({name: {"dt": 0.004, **fields}})
    for name, fields in {
        "Brownian": {"drift": 0.05, "volatility": 0.2},
        "GeometricBrownian": {"drift": 0.05, "volatility": 0.2},
        "LogReturns": {"expected_return": 0.1, "volatility": 0.2, "autocorrelation": -0.1},
        "MeanReverting": {"volatility": 0.2, "speed": 2.0, "mean": 4900.0},
        "JumpDiffusion": {
            "drift": 0.05,
            "volatility": 0.2,
            "intensity": 3.0,
            "jump_mean": -0.02,
            "jump_volatility": 0.05,
        },
        "Garch": {"drift": 0.05, "volatility": 0.2, "alpha": 0.1, "beta": 0.85},
        "Heston": {"drift": 0.05, "volatility": 0.2, "kappa": 2.0, "theta": 0.04, "xi": 0.5, "rho": -0.7},
        "Custom": {"drift": 0.05, "volatility": 0.2, "vov": 0.3, "vol_speed": 2.0, "vol_mean": 0.25},
        "Telegraph": {"drift": 0.05, "volatility": 0.2, "lambda_up": 10.0, "lambda_down": 20.0},
        "Historical": {"timeframe": "Day", "prices": [100.1, 100.2, 99.9, 101.0, 102.5, 0.1 + 0.2]},
    }.items()
)


def new_session(parameters: SimulationParameters = PARAMETERS, **fields: Any) -> Session:
    """A session that was never stored."""
    values: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "owner": "owner",
        "kind": SessionKind.CHAIN,
        "parameters": parameters,
        "created_at": NOW,
        "updated_at": NOW,
        "version": 1,
    }
    return Session(**{**values, **fields})


def after(session: Session, *commands: Command) -> Session:
    """What becomes of a session."""
    for command in commands:
        changed = handle(session, command, NOW).session
        assert changed is not None
        session = changed
    return session


def new_host(store: SessionStore, **options: Any) -> SessionHost:
    """A host with an empty memory, as after its process was killed."""
    values: dict[str, Any] = {
        "residents": ResidentSessions(max_sessions=100, max_idle_seconds=600.0),
        "cache": SimulationCache(path_bytes=1 << 20, snapshot_bytes=1 << 20),
        "calendars": Calendars(Unobserved(), patience_seconds=8.0),
        "observer": Unobserved(),
        "max_waiting": 100,
        "max_batch": 50,
        "max_answer_contracts": 100,
        "clock": lambda: NOW,
    }
    return SessionHost(store, **{**values, **options})


async def ask(host: SessionHost, session: Session, *commands: Command, **identity: Any) -> list[Answer]:
    """Have a host serve commands on a session, in one batch."""
    context = on_behalf_of(identity.pop("owner", session.owner))
    who = {"context": context, "kind": session.kind, **identity}
    return await host.execute([Call(session.id, command=command, **who) for command in commands])


async def created(host: SessionHost, session: Session) -> Session:
    """The session, stored through the host."""
    (answer,) = await ask(host, session, Create(session))
    assert isinstance(answer, bytes), answer
    return session


def advance(**options: Any) -> Advance:
    """A step with an identity of its own."""
    return Advance(uuid.uuid4().hex, **options)
