"""The HTTP service in the process of a test: real routes, edge, sessions and Redis, and no Ray between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import SecretStr

from actors.calendars import Calendars
from actors.configuration.live import LiveConfiguration
from actors.sessions.gateway import SessionGateway
from actors.sessions.host import SessionHost
from actors.sessions.messages import Answer, Call
from actors.sessions.placement import parse_placement
from actors.sessions.residents import ResidentSessions
from actors.sessions.simulation_cache import SimulationCache
from adapters.redis.allowances import RedisAllowances
from adapters.redis.idempotency import RedisAnswers
from adapters.redis.one_time import RedisOneTime
from adapters.redis.session_store import RedisSessionStore
from adapters.settings import RateSettings
from cluster.api_keys import KnownKeys, parse_keys
from cluster.identity.sign_in_codes import SignInCodes
from cluster.settings import Settings
from optionchain.errors import NotFound
from optionchain.observing import Observer, Observers
from optionchain.ports import Cached
from serve_app.asgi import build_asgi
from serve_app.edge.boundary import Edge
from serve_app.edge.on_record import Unrecorded
from serve_app.handling.streaming import Producers
from serve_app.services import Services, SignIn
from tests.recording import Recording
from tests.servers import RedisServer

ALICE, BOB = "alice-key-0123456789", "bob-key-0123456789ab"
KEYS = SecretStr(f"alice:admin={ALICE},bob={BOB}")


class HostTransport:
    """Carries calls to a host in the same process."""

    def __init__(self, host: SessionHost) -> None:
        self._host = host

    async def send(self, actor_name: str, call: Call) -> Answer:
        return await self._host.submit(call)

    def close(self) -> None:
        return


@dataclass
class Service:
    """What a test sees of the service."""

    app: Edge
    observer: Recording
    producers: Producers

    def client(self, key: str | None = ALICE, **options: Any) -> httpx.AsyncClient:
        headers = {} if key is None else {"X-API-Key": key}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://service", headers=headers, **options)


async def no_configuration() -> Cached:
    raise NotFound("configuration", "simulator")


@asynccontextmanager
async def service(
    server: RedisServer,
    prefix: str,
    others: Mapping[str, Any] | None = None,
    *,
    observer: Observer | None = None,
    **groups: dict[str, Any],
) -> AsyncIterator[Service]:
    """A service over a real Redis.

    Args:
        server: Where its sessions are.
        prefix: Of its keys.
        others: Services beside sessions; without them, their routes fail as a bug does.
        observer: Told beside the one that records.
        groups: Settings by group.
    """
    settings = Settings(**{"auth": {"keys": KEYS}, **groups})
    store = RedisSessionStore(server.open(), prefix=prefix)
    answers = RedisAnswers(server.open(), prefix=prefix, max_bytes=65_536)
    one_time = RedisOneTime(server.open(), prefix=prefix)
    allowances = None
    if settings.rate.per_minute:
        allowances = RedisAllowances(server.open(), RateSettings(**settings.rate.model_dump()), prefix=prefix)
    recording = Recording()
    told: Observer = Observers((observer, recording)) if observer else recording
    calendars = Calendars(told, patience_seconds=8.0)
    host = SessionHost(
        store,
        residents=ResidentSessions(max_sessions=100, max_idle_seconds=600.0),
        cache=SimulationCache(path_bytes=1 << 20, snapshot_bytes=1 << 20),
        calendars=calendars,
        observer=told,
        max_waiting=1000,
        max_batch=50,
        max_answer_contracts=10_000,
        clock=lambda: datetime.now(UTC),
    )
    gateway = SessionGateway(
        parse_placement("shards:1"),
        HostTransport(host),
        max_waiting=1000,
        timeout_seconds=8.0,
        observer=told,
    )
    given: defaultdict[str, Any] = defaultdict(lambda: None, others or {})
    services = Services(
        gateway=gateway,
        store=store,
        calendars=calendars,
        answers=answers,
        allowances=allowances,
        strangers=None,
        authentication=given["authentication"]
        or KnownKeys(parse_keys(settings.auth.keys.get_secret_value())),
        sign_in=SignIn(
            SignInCodes(one_time, settings.auth.code_seconds),
            issuer=settings.auth.oidc_issuer,
            client_id=settings.auth.oidc_client_id,
        ),
        keys=given["keys"],
        denials=given["denials"],
        quotas=given["quotas"],
        record=given["record"] or Unrecorded(),
        audit=given["audit"],
        observer=told,
        dependencies={"redis": store},
        helpers={},
        producers=Producers(settings.http, told),
        limits=settings.limits,
        is_strict=settings.http.strict,
        links=settings.http.named_links,
        stores=given["stores"],
        history=given["history"],
        configurations=given["configurations"],
        live_configuration=LiveConfiguration(no_configuration, max_age_seconds=60.0),
        sweeps=given["sweeps"],
        tasks=given["tasks"],
        metrics=given["metrics"],
        report=given["report"],
    )
    try:
        yield Service(build_asgi(settings, services), recording, services.producers)
    finally:
        await store.close()
        await answers.close()
        await one_time.close()
        if allowances is not None:
            await allowances.close()
