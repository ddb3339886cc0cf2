"""Quotas that administrators set while the service runs: over HTTP, by the client and on the command line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from playwright.async_api import async_playwright, expect
from pydantic import SecretStr
from typer.testing import CliRunner

from adapters.mongo.connection import open_mongo
from adapters.settings import MongoSettings
from cluster.commands import quotas as commands
from cluster.commands.demo import PARAMETERS
from cluster.identity.opening import open_identity
from cluster.instance.ports import free_ports
from cluster.instance.problem import InstanceProblem
from cluster.quotas.keeping import Quotas
from cluster.quotas.opening import open_quotas
from cluster.settings import Settings
from optionchain.access.quotas import Quota
from optionchain_client import AsyncClient, Conflict, Forbidden, NotFound
from tests.browsing import launching
from tests.integration.http.in_process_service import ALICE, BOB, Service, service
from tests.recording import Recording
from tests.servers import RedisServer
from tests.waiting import until

pytestmark = pytest.mark.anyio
QUOTAS, CHAIN = "/api/v1/quotas", "/api/v1/chain"
NONE = dict.fromkeys(quota.value for quota in Quota)


@dataclass
class Process:
    """A process that counts."""

    quotas: Quotas
    service: Service


@asynccontextmanager
async def process(mongo: MongoSettings, redis: RedisServer, **limits: int) -> AsyncIterator[Process]:
    """A process as it is opened, with limits of its settings."""
    settings = Settings(
        redis={"url": SecretStr(redis.url), "prefix": mongo.database},
        mongo=mongo.model_dump(),
        auth={"keys": f"alice:admin={ALICE},bob={BOB}"},
        quota={"enabled": True, **limits},
    )
    client, observer = open_mongo(settings.mongo), Recording()
    identity = open_identity(settings, client, observer)
    opened = open_quotas(settings, client, identity, observer)
    assert opened is not None
    others = {
        "authentication": identity.authentication,
        "quotas": opened,
    }
    async with service(redis, mongo.database, others) as running:
        yield Process(opened, running)
    await identity.close()
    await opened.close()
    await client.close()


async def test_where_they_are_off_there_are_none(mongo: MongoSettings, redis: RedisServer) -> None:
    settings = Settings(redis={"url": SecretStr(redis.url)}, mongo=mongo.model_dump())
    client = open_mongo(settings.mongo)
    identity = open_identity(settings, client, Recording())

    assert open_quotas(settings, client, identity, Recording()) is None

    await identity.close()
    await client.close()


async def test_what_is_set_is_in_force_in_every_process_within_a_second(
    mongo: MongoSettings, redis: RedisServer
) -> None:
    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(process(mongo, redis)) for _ in range(2)]
        async with one.service.client(ALICE) as alice, other.service.client(BOB) as bob:
            shown = await alice.put(f"{QUOTAS}/bob", json={"sessions": 1, "export_rows_per_day": 50})
            held: Any = other.quotas._limits

            await until(
                lambda: held.of("bob", Quota.SESSIONS) == 1, "the other knows of it", patience_seconds=1.0
            )

            body = shown.json()
            assert body["own"] == NONE | {"sessions": 1, "export_rows_per_day": 50}
            assert body["limits"]["sweep_prices_per_day"] == 0
            assert body["used"] == NONE | dict.fromkeys(
                ("sessions", "export_rows_per_day", "sweep_prices_per_day", "storage_bytes"), 0
            )
            assert (await bob.post(CHAIN, json=PARAMETERS)).status_code == 201
            assert (await bob.post(CHAIN, json=PARAMETERS)).status_code == 403
            assert (await alice.get(f"{QUOTAS}/bob")).json()["used"]["sessions"] == 1
            assert (await alice.get(QUOTAS)).json() == {
                "data": [{name: body[name] for name in ("tenant", "limits", "own")}]
            }


async def test_who_has_none_of_its_own_has_those_of_the_settings(
    mongo: MongoSettings, redis: RedisServer
) -> None:
    async with process(mongo, redis, sessions=1, storage_bytes=7) as one:
        async with one.service.client(ALICE) as alice:
            assert (await alice.get(f"{QUOTAS}/bob")).json()["limits"]["sessions"] == 1

            # 0 is no limit for this one; of the others the settings count.
            set_one = (await alice.put(f"{QUOTAS}/bob", json={"sessions": 0})).json()
            removed = (await alice.delete(f"{QUOTAS}/bob")).json()
            again = await alice.delete(f"{QUOTAS}/bob")

        assert set_one["limits"] == dict.fromkeys(NONE, 0) | {"storage_bytes": 7}
        assert removed["limits"]["sessions"] == 1
        assert removed["own"] == NONE
        assert again.status_code == 404


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("bob", {"sessions": -1}, "sessions"),
    ("bob", {"sessions": 1.5}, "sessions"),
    ("bob", {"sessions": "1"}, "sessions"),
    ("bob", {"contracts_per_second": 10**10}, "contracts_per_second"),
    ("bob", {"session": 1}, "session"),
    ("a b", {}, "tenant"),
    ("{bob}:x", {}, "tenant"),
]


async def test_a_wrong_input_is_named(mongo: MongoSettings, redis: RedisServer) -> None:
    async with process(mongo, redis) as one, one.service.client(ALICE) as alice:
        for tenant, body, field in WRONG:
            refused = await alice.put(f"{QUOTAS}/{tenant}", json=body)

            assert (refused.status_code, refused.json().get("field")) == (400, field)
        assert (await alice.get(QUOTAS)).json() == {"data": []}


async def test_as_many_tenants_have_quotas_as_may(mongo: MongoSettings, redis: RedisServer) -> None:
    async with process(mongo, redis, max_tenants=1) as one, one.service.client(ALICE) as alice:
        assert (await alice.put(f"{QUOTAS}/bob", json={"sessions": 1})).status_code == 200

        assert (await alice.put(f"{QUOTAS}/bob", json={"sessions": 2})).status_code == 200
        assert (await alice.put(f"{QUOTAS}/eve", json={"sessions": 1})).json()["field"] == "tenant"


async def test_the_client_sets_them(mongo: MongoSettings, redis: RedisServer) -> None:
    async with process(mongo, redis) as one, one.service.client(None) as http:
        api = AsyncClient("http://service", ALICE, http=http)

        shown = await api.quotas.set("bob", sessions=3, contracts_per_second=1_000)

        assert shown["own"]["sessions"] == 3
        assert await api.quotas.get("bob") == shown
        assert [each["tenant"] for each in await api.quotas.listed()] == ["bob"]
        await api.quotas.remove("bob")
        with pytest.raises(NotFound):
            await api.quotas.remove("bob")
        with pytest.raises(TypeError, match="did you mean sessions"):
            await api.quotas.set("bob", session=3)  # type: ignore[call-arg]
        with pytest.raises(Forbidden):
            await AsyncClient("http://service", BOB, http=http).quotas.listed()


async def test_the_client_is_told_that_they_are_off(redis: RedisServer) -> None:
    async with service(redis, "off") as running, running.client(None) as http:
        with pytest.raises(Conflict, match="OCS_QUOTA_ENABLED"):
            await AsyncClient("http://service", ALICE, http=http).quotas.listed()


async def test_the_commands_set_and_show_them(mongo: MongoSettings, redis: RedisServer) -> None:
    [port] = free_ports(1)
    at = ["--url", f"http://127.0.0.1:{port}", "--key", ALICE]

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(commands.app, [*arguments, *at], env={"COLUMNS": "200", "TERM": "dumb"})
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    async with process(mongo, redis, storage_bytes=5_000) as one, listening(one.service, port):
        shown = await asyncio.to_thread(run, "set", "bob", "sessions=1000", "export_rows_per_day=0")
        assert "sessions │ 0 │ 1,000 │ an administrator" in shown
        assert "export_rows_per_day │ 0 │ none │ an administrator" in shown
        assert "storage_bytes │ 0 │ 5,000 │ the settings" in shown
        assert await asyncio.to_thread(run, "show", "bob") == shown
        assert "bob │ 1,000 │ none │ none │ none │ 5,000" in await asyncio.to_thread(run, "list")
        assert "sessions │ 0 │ none │ the settings" in await asyncio.to_thread(run, "remove", "bob")


async def test_the_page_shows_what_the_own_tenant_has_taken(mongo: MongoSettings, redis: RedisServer) -> None:
    [port] = free_ports(1)
    async with (
        process(mongo, redis, sessions=4) as one,
        listening(one.service, port),
        one.service.client() as alice,
        async_playwright() as driver,
    ):
        (await alice.post(CHAIN, json=PARAMETERS)).raise_for_status()
        browser = await driver.chromium.launch(**launching(driver.chromium.executable_path))
        page = await browser.new_page()
        await page.goto(f"http://127.0.0.1:{port}/#/system")
        await page.get_by_label("API key").fill(ALICE)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        quotas = page.locator("section", has=page.get_by_role("heading", name="Quotas of alice"))
        await expect(quotas).to_contain_text("sessions1 of 4")
        await expect(quotas).to_contain_text("storage bytes0 of any")
        await browser.close()


@asynccontextmanager
async def listening(running: Service, port: int) -> AsyncIterator[None]:
    """The service at a port."""
    config = uvicorn.Config(running.app, port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started, "the service listens")
    yield
    server.should_exit = True
    await serving


@pytest.mark.parametrize("text", ["sessions", "sessions=", "sessions=-1", "session=1", "sessions=1.5"])
def test_a_quota_that_is_none_is_refused_before_anybody_is_asked(text: str) -> None:
    with pytest.raises(InstanceProblem, match="write QUOTA=LIMIT"):
        commands.set_quotas("bob", [text], url="http://nobody.invalid")
