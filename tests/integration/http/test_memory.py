"""The largest cheap request to each route takes little memory: what it asks for is bounded before it is built."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from pydantic import SecretStr
from starlette.types import ASGIApp

from actors.calendars import Calendars
from actors.shared_services import RayConfigurations, RayHistory
from adapters.mongo.connection import open_mongo
from adapters.mongo.quotas import MongoQuotas
from adapters.mongo.tasks import MongoScheduler
from adapters.redis.quotas import RedisQuotas
from adapters.settings import MongoSettings
from cluster.commands.demo import PARAMETERS as DEMO
from cluster.quotas.keeping import Quotas
from cluster.quotas.limits import HeldLimits, LimitService
from cluster.quotas.settings import QuotaSettings
from cluster.settings import Settings
from cluster.tasks.service import TaskService
from optionchain.observing import Unobserved
from serve_app.bodies.simulations import EXAMPLE as SIMULATION
from serve_app.routes.table import ROUTES
from tests.integration.history import mongo_servers
from tests.integration.history.world import Here as Shared
from tests.integration.history.world import World
from tests.integration.http.in_process_service import ALICE, service
from tests.integration.identity.replicas import replica_of
from tests.integration.sweeps.sweep_services import Here, Sweeping
from tests.servers import RedisServer

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is Linux's to tell"),
]

MOST_BYTES = 4 << 20
# Of one request: its body, some copies of it, and what is made of it.
MOST_MEGABYTES = 64.0
CHAIN_PARAMETERS = {**DEMO, "steps": 5}
CHAIN, SIMULATIONS = "/api/v1/chain", "/api/v2/simulations"


class Asked(NamedTuple):
    """A request: the row of the table, and what is sent."""

    name: str
    method: str
    route: str
    body: Callable[[], bytes] = lambda: b""
    query: str = ""
    names: dict[str, str] = {}  # noqa: RUF012  never changed


def many(unit: bytes, before: bytes = b"[", after: bytes = b"]") -> Callable[[], bytes]:
    """As many units as fit, between two ends."""
    room = MOST_BYTES - len(before) - len(after) - 1
    return lambda: before + (unit * (room // len(unit))).rstrip(b",") + after


def listed(field: str, unit: bytes, count: int) -> Callable[[], bytes]:
    """A simulation with a list in place of a field."""
    rest = orjson.dumps({name: value for name, value in SIMULATION.items() if name != field})[:-1]
    return lambda: rest + b',"%b":[' % field.encode() + (unit * count)[:-1] + b"]}"


def within(document: dict[str, Any], **changes: Any) -> Callable[[], bytes]:
    return lambda: orjson.dumps(document | changes)


def bombs(method: str, route: str, query: str = "", **names: str) -> list[Asked]:
    """Bodies of JSON that take many times their size when they are read."""
    wide = {
        "empty objects": many(b"{},", b'{"symbol":[', b"]}"),
        "empty lists": many(b"[],", b'{"symbol":[', b"]}"),
        "small numbers": many(b"1e1,", b'{"symbol":[', b"]}"),
        "short names": lambda: b"{" + b",".join(b'"%x":1' % each for each in range(330_000)) + b"}",
        "depth": lambda: b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        "texts": many(b'"ab",', b'{"symbol":[', b"]}"),
        "lists": many(b"[],", b"[", b"]"),
    }
    return [
        Asked(f"{name}, {method} {route}", method, route, body=body, query=query, names=names)
        for name, body in wide.items()
    ]


RULE = {"rule_id": "d", "kind": "daily", "target_count": 256}
WIDE = {
    "chain_size": 500,
    "strike_interval": 0.01,
    "schedules": [{**RULE, "rule_id": f"r{number}"} for number in range(16)],
}
ASKED = [
    *bombs("POST", CHAIN),
    *bombs("PUT", CHAIN, "sessionid=00000000-0000-4000-8000-000000000000"),
    *bombs("PATCH", CHAIN, "sessionid=00000000-0000-4000-8000-000000000000"),
    *bombs("POST", SIMULATIONS),
    *bombs("POST", "/api/v1/sweeps"),
    *bombs("PUT", "/api/v1/config/{name}", name="kept"),
    *bombs("PUT", "/api/v1/historical/{asset}/{date}", asset="SPX", date="2024-01-02"),
    *bombs("POST", "/api/v1/keys"),
    *bombs("POST", "/api/v1/keys/{id}/rotate", id="none"),
    *bombs("POST", "/api/v1/denied-tokens"),
    *bombs("PUT", "/api/v1/quotas/{tenant}", tenant="desk"),
    *bombs("POST", "/api/v1/sign-in"),
    *bombs("POST", "/api/v1/tasks"),
    *(
        Asked(f"{field} of {unit.decode()}", "POST", SIMULATIONS, listed(field, unit, room))
        for field in ("schedules", "method", "symbol", "seed")
        for unit, room in ((b"{},", 40_000), (b"0,", 120_000), (b'"a",', 120_000))
    ),
    Asked(
        "prices",
        "POST",
        CHAIN,
        lambda: orjson.dumps(
            CHAIN_PARAMETERS | {"method": {"Historical": {"timeframe": "Day", "prices": [[]] * 50_000}}}
        ),
    ),
    Asked("steps", "POST", CHAIN, within(CHAIN_PARAMETERS, steps=10_000, chain_size=500)),
    Asked("rules", "POST", SIMULATIONS, within(SIMULATION, **WIDE)),
    Asked("steps", "POST", SIMULATIONS, within(SIMULATION, steps=10_000, chain_size=500)),
    Asked(
        "many rules",
        "POST",
        SIMULATIONS,
        lambda: orjson.dumps(SIMULATION | {"schedules": [RULE] * 60_000}),
    ),
]


def megabytes(kind: str) -> float:
    """VmHWM, the peak, or VmRSS of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(kind):
            return int(line.split()[1]) / 1024
    raise AssertionError(kind)


@pytest.fixture(scope="module")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoSettings]:
    with mongo_servers.secantus(Path(tmp_path_factory.mktemp("secantus")) / "data") as uri:
        yield MongoSettings(uri=SecretStr(uri), database="memory", timeout_seconds=20)


@pytest.fixture
async def app(
    server: RedisServer, prefix: str, mongo: MongoSettings, tmp_path: Path
) -> AsyncIterator[ASGIApp]:
    world = World(mongo, server)
    sweeps = Sweeping(mongo, tmp_path)
    others: dict[str, Any] = {
        "history": RayHistory(Shared(world.history)),
        "configurations": RayConfigurations(Shared(world.config)),
        "sweeps": Here(sweeps.open()),
    }
    async with replica_of(mongo, server) as known, open_mongo(mongo) as client:
        scheduler = MongoScheduler(client, mongo.database, most_of_owner=100)
        tasks = TaskService(scheduler, Calendars(Unobserved(), patience_seconds=30.0), Settings())
        others |= {"keys": known.service, "denials": known.denial_service, "tasks": tasks}
        limits, set_limits = QuotaSettings(enabled=True), MongoQuotas(client, mongo.database)
        counts = RedisQuotas(server.open(), prefix=prefix)
        others["quotas"] = Quotas(
            HeldLimits(set_limits, limits),
            counts,
            LimitService(set_limits, known.telling, limits),
            max_tenants=10,
            observer=Unobserved(),
        )
        async with service(server, prefix, others) as running:
            yield running.app
        await counts.close()
    sweeps.close()
    await world.aclose()


def settled_megabytes() -> float:
    """What this process has when it has given back what it can; its peak begins anew."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return megabytes("VmRSS")


async def status_of(app: ASGIApp, asked: Asked, body: bytes) -> int:
    """Send a request, and keep nothing of its answer."""
    status = 0
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop()

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    path = asked.route.format(**asked.names)
    headers = {"x-api-key": ALICE, "content-type": "application/json", "content-length": str(len(body))}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": asked.method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": asked.query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
        "root_path": "",
    }
    await app(scope, receive, send)
    return status


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked.name}-{asked.method}{asked.route}")
async def test_it_takes_little_memory(asked: Asked, app: ASGIApp) -> None:
    body = asked.body()
    await status_of(app, asked, b"{}")
    before = settled_megabytes()

    status = await status_of(app, asked, body)

    assert status in (201, 400, 404, 413)
    assert megabytes("VmHWM") - before < MOST_MEGABYTES


def test_every_route_that_takes_a_body_is_tried() -> None:
    tried = {(asked.method, asked.route) for asked in ASKED}

    # Files go to a disk, piece by piece.
    with_body = {
        (route.method, route.path)
        for route in ROUTES
        if route.method in ("POST", "PUT", "PATCH") and not route.takes_files
    }
    reads_none = ("/step", "/sign-in/codes", "/pause", "/resume", "/run", "/requeue")
    none_read = {(method, path) for method, path in with_body if path.endswith(reads_none)}
    assert with_body - none_read == tried
