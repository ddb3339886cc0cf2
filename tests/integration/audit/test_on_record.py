"""What the service puts on record, over HTTP, and who may read it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from adapters.mongo.audit import MongoAudit
from adapters.mongo.connection import open_mongo
from adapters.settings import MongoSettings
from cluster.audit.settings import AuditSettings
from cluster.audit.trail import Trail
from tests.integration.http.in_process_service import ALICE, BOB, Service, service
from tests.recording import Recording
from tests.servers import RedisServer, redis_server
from tests.waiting import until

pytestmark = pytest.mark.anyio

AUDIT = "/api/v1/audit"


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(Path(tmp_path_factory.mktemp("redis"))) as server:
        yield server


@pytest.fixture
async def running(mongo: MongoSettings, redis: RedisServer) -> AsyncIterator[Service]:
    client = open_mongo(mongo)
    audit = MongoAudit(client, mongo.database)
    trail = Trail(audit, AuditSettings(write_seconds=0.02, gather_seconds=0.02), observer=Recording())
    async with service(redis, "audit", {"record": trail, "audit": audit}) as running:
        yield running
    await trail.close()
    await client.close()


@pytest.fixture
async def admin(running: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with running.client(ALICE) as admin:
        yield admin


async def recorded(admin: httpx.AsyncClient, count: int, **query: str) -> list[dict]:
    async def enough() -> list[dict]:
        found = (await admin.get(AUDIT, params=query)).json()["data"]
        return found if len(found) >= count else []

    return await until(enough, f"{count} entries are on record")


async def test_an_act_of_an_administrator_is_on_record_however_it_ends(admin: httpx.AsyncClient) -> None:
    # This service has no configurations: to save one fails as a bug does.
    await admin.put(
        "/api/v1/config/simulator", json={}, headers={"X-Request-Id": "mine", "X-Forwarded-For": "192.0.2.9"}
    )

    [entry] = await recorded(admin, 1)
    del entry["at"]
    assert entry == {
        "action": "PUT /api/v1/config/{name}",
        "target": "/api/v1/config/simulator",
        "tenant": "alice",
        "subject": "alice",
        "address": "127.0.0.1",
        "status": 500,
        "request_id": "mine",
        "times": 1,
    }


async def test_failed_sign_ins_and_denials_are_on_record(running: Service, admin: httpx.AsyncClient) -> None:
    async with running.client("wrong-key-0123456789") as stranger, running.client(BOB) as bob:
        for _ in range(3):
            await stranger.get("/api/v1/chain/sessions")
        await bob.put("/api/v1/config/simulator", json={})
        await bob.get(AUDIT)

    entries = await recorded(admin, 3)
    assert {(each["status"], each["tenant"], each["action"]) for each in entries} == {
        (401, "", "GET /api/v1/chain/sessions"),
        (403, "bob", "PUT /api/v1/config/{name}"),
        (403, "bob", "GET /api/v1/audit"),
    }
    [signed_in] = [each for each in await recorded(admin, 1, status="403") if "audit" in each["action"]]
    assert signed_in["subject"] == "bob"


async def test_nothing_else_is(running: Service, admin: httpx.AsyncClient) -> None:
    async with running.client(BOB) as bob:
        await bob.get("/api/v1/chain/sessions")
        await bob.post("/api/v1/chain", json={})
        await bob.get("/nowhere")
    await admin.get("/api/v1/config")
    await admin.put("/api/v1/config/last", json={})

    entries = await recorded(admin, 1)
    assert [each["target"] for each in entries] == ["/api/v1/config/last"]


async def test_what_a_caller_makes_up_is_harmless_and_short(
    running: Service, admin: httpx.AsyncClient
) -> None:
    async with running.client(None) as nobody:
        await nobody.get("/api/v1/config/a%0d%0ab%00%1b[31m%e2%80%ae" + "x" * 400)

    [entry] = await recorded(admin, 1)
    assert entry["target"].isprintable()
    assert len(entry["target"]) <= 200


@pytest.mark.parametrize(
    "query", [{"since": "yesterday"}, {"status": "7"}, {"colour": "red"}, {"limit": "0"}]
)
async def test_a_wrong_query_is_named(query: dict[str, str], admin: httpx.AsyncClient) -> None:
    answer = await admin.get(AUDIT, params=query)

    assert (answer.status_code, answer.json()["field"]) == (400, next(iter(query)))
