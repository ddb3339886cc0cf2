"""Quotas as callers meet them: what is refused, with which words, and what it does not touch."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.redis.quotas import RedisQuotas
from adapters.settings import MongoSettings
from cluster.commands.demo import PARAMETERS as DEMO
from cluster.quotas.keeping import CONTRACT, Quotas
from cluster.quotas.limits import HeldLimits
from cluster.quotas.settings import QuotaSettings
from optionchain.access.quotas import Quota
from serve_app.bodies.simulations import EXAMPLE as SIMULATION
from tests.integration.http.in_process_service import BOB, Service, service
from tests.integration.sweeps.sweep_services import Here, sweeping
from tests.recording import Recording
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio
CHAIN, SIMULATIONS, SWEEPS = "/api/v1/chain", "/api/v2/simulations", "/api/v1/sweeps"
BASE = {**DEMO, "steps": 10, "seed": 7}
SWEPT = {**BASE, "method": {"GeometricBrownian": {"dt": 0.00274, "drift": 0.03, "volatility": 0.2}}}
SWEEP = {"base": SWEPT, "measures": ["terminal_price"], "paths": 100, "grid": {"volatility": [0.1, 0.2]}}


class NothingSet:
    """Nobody has quotas of its own."""

    async def listed(self, *, limit: int) -> list[Any]:
        return []


@asynccontextmanager
async def limited(
    server: RedisServer, others: dict[str, Any] | None = None, **limits: int
) -> AsyncIterator[tuple[Service, Quotas]]:
    """A service where tenants may take so much, beside other services."""
    prefix, settings = secrets.token_hex(4), QuotaSettings(enabled=True, **limits)
    counts, observer = RedisQuotas(server.open(), prefix=prefix), Recording()
    held: Any = HeldLimits(NothingSet(), settings)  # type: ignore[arg-type]
    setting: Any = None  # nobody sets them here
    quotas = Quotas(held, counts, setting, max_tenants=10, observer=observer)
    try:
        async with service(server, prefix, {"quotas": quotas, **(others or {})}) as running:
            yield running, quotas
    finally:
        await counts.close()


async def made(caller: httpx.AsyncClient, path: str = CHAIN, **changes: Any) -> str:
    answer = await caller.post(path, json={**(BASE if path == CHAIN else SIMULATION), **changes})
    assert answer.status_code == 201, answer.text
    session_id: str = answer.json()["id"]
    return session_id


async def test_one_session_more_than_may_be_alive_is_refused_until_one_is_deleted(
    server: RedisServer,
) -> None:
    async with limited(server, sessions=2) as (running, _), running.client() as alice:
        first = await made(alice)
        await made(alice, SIMULATIONS)

        refused = await alice.post(CHAIN, json=BASE)

        assert refused.status_code == 403
        assert "Retry-After" not in refused.headers
        said = refused.json()
        assert said["quota"] == "sessions"
        assert said["error"].startswith(
            "the quota sessions (2) has no room for this: delete one, or wait until one expires, at "
        )
        instant = said["error"].removesuffix(" the first").rpartition(" ")[2]
        assert datetime.fromisoformat(instant) > datetime.now(UTC)
        async with running.client(BOB) as bob:
            await made(bob)
        await alice.delete(CHAIN, params={"sessionid": first})
        await made(alice)


async def test_a_keyed_creation_that_comes_again_is_the_same_session(server: RedisServer) -> None:
    async with limited(server, sessions=1) as (running, _), running.client() as alice:
        key = {"Idempotency-Key": "k1"}
        first = await alice.post(CHAIN, json=BASE, headers=key)

        again = await alice.post(CHAIN, json=BASE, headers=key)

        assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
        assert (await alice.post(CHAIN, json=BASE, headers={"Idempotency-Key": "k2"})).status_code == 403


@pytest.mark.parametrize(("path", "step"), [(CHAIN, "/step"), (SIMULATIONS, "/{id}/step")])
async def test_steps_are_refused_when_as_many_contracts_were_served(
    path: str, step: str, server: RedisServer
) -> None:
    async with limited(server, contracts_per_second=1) as (running, _), running.client() as alice:
        session_id = await made(alice, path)
        query = {"sessionid": session_id} if path == CHAIN else {}
        at = path + step.format(id=session_id)

        served = await alice.post(at, params=query)
        refused = await alice.post(at, params=query)

        assert served.status_code == 200
        assert refused.status_code == 429
        assert refused.json()["quota"] == "contracts_per_second"
        contracts = _contracts(served.json())
        # A second's worth is free, and what was served beyond that runs off at one a second.
        assert contracts / 2 <= int(refused.headers["Retry-After"]) <= contracts
        assert "again in " in refused.json()["error"]
        # The cursor stays, and what shows no contracts is answered.
        shown = await alice.get(f"{path}/sessions" if path == CHAIN else f"{path}/{session_id}")
        assert shown.status_code == 200
        async with running.client(BOB) as bob:
            peek = path if path == CHAIN else f"{path}/{await made(bob, path)}/snapshot"
            his_query = {"sessionid": await made(bob)} if path == CHAIN else {}
            assert (await bob.get(peek, params=his_query)).status_code == 200
        assert running.observer.counts["http.rejected"] == 0


def _contracts(snapshot: dict[str, Any]) -> int:
    chains = snapshot.get("chains") or snapshot.get("snapshot", snapshot).get("chains") or [snapshot]
    return sum(len(each["contracts"]) for each in chains)


@pytest.mark.parametrize("greeks", ["none", "all"])
@pytest.mark.parametrize("path", [CHAIN, SIMULATIONS])
async def test_contracts_are_counted_as_they_are_written(path: str, greeks: str, server: RedisServer) -> None:
    async with limited(server) as (running, _), running.client() as alice:
        session_id = await made(alice, path)
        query = {"greeks": greeks} | ({"sessionid": session_id} if path == CHAIN else {})
        at = path if path == CHAIN else f"{path}/{session_id}/snapshot"

        answer = await alice.get(at, params=query)

        assert answer.content.count(CONTRACT) == _contracts(answer.json()) > 10


async def test_a_stream_pauses_where_a_step_is_refused(server: RedisServer) -> None:
    async with limited(server, contracts_per_second=1_000) as (running, _), running.client() as alice:
        session_id = await made(alice, SIMULATIONS, steps=6)
        began = datetime.now(UTC)

        stream = await alice.get(f"{SIMULATIONS}/{session_id}/stream")

        events = [line for line in stream.text.splitlines() if line.startswith("event: snapshot")]
        seconds = (datetime.now(UTC) - began).total_seconds()
        assert len(events) == 6
        served = stream.content.count(CONTRACT)
        assert served > 2_500  # far more than may be served at once
        assert served <= 1_000 * (seconds + 1.0) + 2 * 100 + served / 6


async def test_rows_of_exports_count_until_the_day_is_over(server: RedisServer) -> None:
    async with limited(server, export_rows_per_day=15) as (running, quotas), running.client() as alice:
        session_id = await made(alice)
        asked = {"sessionid": session_id, "dataset": "underlying", "format": "csv"}
        assert (await alice.get(f"{CHAIN}/export", params=asked)).status_code == 200

        refused = await alice.get(f"{CHAIN}/export", params=asked)
        fits = await alice.get(f"{CHAIN}/export", params=asked | {"from_step": 5})
        never = await alice.get(f"{CHAIN}/export", params=asked | {"dataset": "option_chains"})

        assert (refused.status_code, refused.json()["quota"]) == (429, "export_rows_per_day")
        assert 0 < int(refused.headers["Retry-After"]) <= 86_400
        assert fits.status_code == 200
        assert (never.status_code, never.json()["quota"]) == (403, "export_rows_per_day")
        assert "ask for less, or an administrator to raise it" in never.json()["error"]
        assert await used(running, quotas, Quota.EXPORT_ROWS) == 15


async def used(running: Service, quotas: Quotas, quota: Quota) -> int:
    services: Any = running.app._app._app.state.services
    return (await quotas.used(services.store, "alice"))[quota]


async def test_an_export_that_is_refused_for_another_reason_counts_nothing(server: RedisServer) -> None:
    async with limited(server, export_rows_per_day=1_000_000) as (running, quotas), running.client() as alice:
        session_id = await made(alice)
        while True:  # until no place is left
            try:
                running.producers._places.take("alice")
            except Exception:
                break

        refused = await alice.get(f"{CHAIN}/export", params={"sessionid": session_id})

        assert refused.status_code == 503
        assert await used(running, quotas, Quota.EXPORT_ROWS) == 0


async def test_prices_of_sweeps_count_once_for_each_sweep(
    server: RedisServer, mongo_there: MongoSettings, tmp_path: Path
) -> None:
    with sweeping(mongo_there, tmp_path) as world:
        others = {"sweeps": Here(world.open())}
        async with (
            limited(server, others, sweep_prices_per_day=3_000) as (running, quotas),
            running.client() as alice,
        ):
            first = await alice.post(SWEEPS, json=SWEEP)
            again = await alice.post(SWEEPS, json=SWEEP)
            another = await alice.post(SWEEPS, json={**SWEEP, "base": {**SWEPT, "seed": 8}})

            assert (first.status_code, again.status_code) == (202, 202)
            assert first.json()["id"] == again.json()["id"]
            # 2 scenarios of 100 paths of 10 steps are 2,000 prices.
            assert await used(running, quotas, Quota.SWEEP_PRICES) == 2_000
            assert (another.status_code, another.json()["quota"]) == (429, "sweep_prices_per_day")


async def test_where_quotas_are_off_nothing_is_counted_and_the_routes_say_so(server: RedisServer) -> None:
    prefix = secrets.token_hex(4)
    async with service(server, prefix) as running, running.client() as alice:
        await made(alice)

        answer = await alice.get("/api/v1/quotas")

        assert answer.status_code == 409
        assert "OCS_QUOTA_ENABLED" in answer.json()["error"]
        client = server.open()
        assert not await client.keys(f"{prefix}:quota:*")
        await client.aclose()


async def test_refusals_are_told(server: RedisServer) -> None:
    async with limited(server, sessions=1) as (running, quotas), running.client() as alice:
        await made(alice)
        await alice.post(CHAIN, json=BASE)

        observer: Any = quotas._observer
        assert observer.labels[-1] == ("quota.refused", {"quota": "sessions"})
