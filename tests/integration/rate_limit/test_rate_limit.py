"""Requests over a caller's limit are refused: by the owner of a key, and by address where there is none."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.redis.allowances import RedisAllowances
from adapters.settings import RateSettings
from cluster.api_keys import KnownKeys, OpenToAll, parse_keys
from cluster.http_settings import networks_of
from optionchain.context import Principal
from optionchain.observing import Unobserved
from optionchain.ports import Authentication
from serve_app.edge.boundary import Edge, Guards
from serve_app.edge.client_address import Networks
from serve_app.routes.table import ROUTES
from tests.servers import RedisServer, redis_server

pytestmark = pytest.mark.anyio
LIMIT = 2
ALICE, OTHER_OF_ALICE, BOB = "alice-key-0123456789", "alice-key-9876543210", "bob-key-0123456789ab"
KEYS = f"alice={ALICE},alice={OTHER_OF_ALICE},bob={BOB}"
PATH = "/api/v1/chain"


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("hello")(scope, receive, send)


@pytest.fixture
async def allowances(server: RedisServer) -> AsyncIterator[RedisAllowances]:
    settings = RateSettings(per_minute=1, burst=LIMIT)
    allowances = RedisAllowances(server.open(), settings, prefix=secrets.token_hex(4))
    yield allowances
    await allowances.close()


def limited(
    allowances: RedisAllowances, *, keys: bool = True, authentication: Authentication | None = None
) -> ASGIApp:
    return Edge(
        hello,
        Guards(
            routes=ROUTES,
            authentication=authentication or (KnownKeys(parse_keys(KEYS)) if keys else OpenToAll()),
            allowances=allowances,
            strangers=allowances,
            observer=Unobserved(),
            max_body_bytes=1024,
        ),
    )


async def statuses(
    app: ASGIApp,
    times: int = LIMIT + 1,
    *,
    key: str | None = None,
    address: str = "203.0.113.7",
    path: str = PATH,
) -> list[int]:
    headers = {"X-API-Key": key} if key else {}
    transport = httpx.ASGITransport(app, client=(address, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://service", headers=headers) as api:
        return [(await api.get(path)).status_code for _ in range(times)]


async def test_the_keys_of_one_owner_count_together_wherever_they_are_used(
    allowances: RedisAllowances,
) -> None:
    app = limited(allowances)

    assert await statuses(app, key=ALICE) == [200, 200, 429]
    assert await statuses(app, 1, key=OTHER_OF_ALICE, address="198.51.100.1") == [429]
    assert await statuses(app, key=BOB) == [200, 200, 429]


class Counting:
    """An `Authentication` that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self._keys = KnownKeys(parse_keys(KEYS))

    async def principal(self, secret: str | None) -> Principal | None:
        self.asked += 1
        return await self._keys.principal(secret)


async def test_a_caller_is_looked_up_once_a_request(allowances: RedisAllowances) -> None:
    authentication = Counting()
    app = limited(allowances, authentication=authentication)

    assert await statuses(app, 2, key=ALICE) == [200, 200]
    assert await statuses(app, 1, path="/health") == [200]
    assert authentication.asked == 2


async def test_who_guesses_keys_is_counted_by_address(allowances: RedisAllowances) -> None:
    app = limited(allowances)

    guesses = [(await statuses(app, 1, key=f"guess-{number}"))[0] for number in range(3)]

    assert guesses == [401, 401, 429]
    assert await statuses(app, 1, address="203.0.113.8") == [401]
    assert await statuses(app, 1, key=ALICE) == [200]


async def test_without_keys_each_address_has_a_limit_of_its_own(allowances: RedisAllowances) -> None:
    app = limited(allowances, keys=False)

    assert await statuses(app, key=ALICE) == [200, 200, 429]
    assert await statuses(app, address="203.0.113.8") == [200, 200, 429]


async def test_the_addresses_of_one_customer_of_ipv6_count_together(allowances: RedisAllowances) -> None:
    app = limited(allowances, keys=False)

    same = [(await statuses(app, 1, address=f"2001:db8:0:1::{host}"))[0] for host in (1, 2, 3)]

    assert same == [200, 200, 429]
    assert await statuses(app, 1, address="2001:db8:0:2::1") == [200]


async def test_an_address_of_ipv4_is_the_same_in_the_words_of_ipv6(allowances: RedisAllowances) -> None:
    app = limited(allowances, keys=False)

    same = [(await statuses(app, 1, address=f"{prefix}203.0.113.7"))[0] for prefix in ("", "::ffff:", "")]

    assert same == [200, 200, 429]
    assert await statuses(app, 1, address="::ffff:203.0.113.8") == [200]


async def test_strangers_have_a_limit_of_their_own_and_known_callers_none(
    allowances: RedisAllowances,
) -> None:
    app = Edge(
        hello,
        Guards(
            routes=ROUTES,
            authentication=KnownKeys(parse_keys(KEYS)),
            allowances=None,
            strangers=allowances,
            observer=Unobserved(),
            max_body_bytes=1024,
        ),
    )

    assert await statuses(app) == [401, 401, 429]
    assert await statuses(app, key="made-up-0123456789") == [429] * 3, "an address is one stranger"
    assert await statuses(app, 5, key=ALICE) == [200] * 5
    assert await statuses(app, 1, address="203.0.113.8") == [401]


@pytest.mark.parametrize(
    ("allowed", "denied", "address", "status"),
    [
        ("", "", "203.0.113.7", 200),
        ("203.0.113.0/24", "", "203.0.113.7", 200),
        ("203.0.113.0/24", "", "198.51.100.1", 403),
        ("203.0.113.0/24", "203.0.113.7", "203.0.113.7", 403),
        ("", "203.0.113.0/24,2001:db8::/32", "2001:db8::1", 403),
        ("", "203.0.113.7", "::ffff:203.0.113.7", 403),
        ("203.0.113.0/24", "", "not an address", 403),
    ],
)
async def test_from_where_one_may_call(allowed: str, denied: str, address: str, status: int) -> None:
    app = Edge(
        hello,
        Guards(
            routes=ROUTES,
            authentication=KnownKeys(parse_keys(KEYS)),
            allowances=None,
            observer=Unobserved(),
            max_body_bytes=1024,
            networks=Networks(networks_of(allowed), networks_of(denied)),
        ),
    )

    assert await statuses(app, 1, key=ALICE, address=address) == [status]
    assert await statuses(app, 1, address=address, path="/health") == [200], "a probe may come from anywhere"


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_probes_are_never_refused(allowances: RedisAllowances, path: str) -> None:
    app = limited(allowances)

    assert await statuses(app, 5, path=path) == [200] * 5


async def test_a_refusal_says_when_to_come_back_and_every_answer_what_remains(
    allowances: RedisAllowances,
) -> None:
    transport = httpx.ASGITransport(limited(allowances))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://service", headers={"X-API-Key": ALICE}
    ) as api:
        answers = [await api.get(PATH) for _ in range(3)]

    first, _, refused = (answer.headers for answer in answers)
    assert (first["X-RateLimit-Limit"], first["X-RateLimit-Remaining"]) == ("2", "1")
    assert first["X-RateLimit-Reset"] == "60"
    assert refused["X-RateLimit-Remaining"] == "0"
    assert 60 < int(refused["X-RateLimit-Reset"]) <= 120
    seconds = int(refused["Retry-After"])
    assert 1 <= seconds <= 60
    assert answers[2].json() == {"error": f"rate limit exceeded: try again in {seconds} seconds"}


async def test_a_body_over_the_limit_counts_too(allowances: RedisAllowances) -> None:
    transport = httpx.ASGITransport(limited(allowances))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://service", headers={"X-API-Key": ALICE}
    ) as api:
        answers = [await api.post(PATH, content=b"x" * 2000) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [413, 413, 429]


async def test_without_redis_nobody_is_refused(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        allowances = RedisAllowances(server.open(), RateSettings(per_minute=1, burst=1))
        app = limited(allowances)
        assert await statuses(app, 2, key=ALICE) == [200, 429]

    assert await statuses(app, 5, key=ALICE) == [200] * 5
    await allowances.close()
