"""What happens to every request before a handler sees it, and what the observer hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from cluster.api_keys import parse_keys
from optionchain.access.roles import CALLER, GIVEN_ROLES, GRANTS, Permission
from serve_app.edge.frequent import FrequentRoutes
from serve_app.edge.outermost import HeaderBytes, Outermost, forget, take, under_way, unreadable
from serve_app.routes.table import ROUTES
from tests.integration.http.in_process_service import ALICE, BOB, Service, service
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio


KEY_OF_ROLE = {role: f"key-of-{role}-0123456789" for role in (*GIVEN_ROLES, CALLER)}
KEYS_OF_ROLES = ",".join(
    f"{role}{'' if role == CALLER else f':{role}'}={key}" for role, key in KEY_OF_ROLE.items()
)


@pytest.fixture
async def with_roles(server: RedisServer, prefix: str) -> AsyncIterator[Service]:
    """A service with a key of every role."""
    async with service(server, prefix, auth={"keys": KEYS_OF_ROLES}) as running:
        yield running


def requests(running: Service) -> list[Any]:
    """The requests that the observer was told of."""
    return [each for each in running.observer.ended if each.name == "http.request"]


async def test_a_body_that_does_not_come_is_refused_in_time(
    server: RedisServer, prefix: str, parameters: dict[str, Any]
) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b'{"symbol":'
        await asyncio.Event().wait()

    async with service(server, prefix, http={"body_seconds": 0.1}) as running, running.client() as api:
        answer = await api.post("/api/v1/chain", content=slow(), headers={"Content-Type": "application/json"})

        assert answer.status_code == 408
        assert answer.json() == {
            "error": "the request did not come within 0.1 seconds: send it faster",
            "field": "body",
        }
        assert ("http.rejected", {"kind": "too_slow"}) in running.observer.labels


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_request_is_one_operation_of_its_route(
    running: Service, api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    session_id = (await api.post("/api/v1/chain", json=parameters)).json()["id"]

    await api.post("/api/v1/chain/step", params={"sessionid": session_id}, headers={"traceparent": TRACE})

    created, stepped = requests(running)
    assert created.facts == {"route": "/api/v1/chain", "method": "POST", "status": 201}
    assert stepped.facts == {"route": "/api/v1/chain/step", "method": "POST", "status": 200}
    assert stepped.context.principal.tenant == "alice"
    assert stepped.context.trace == TRACE
    assert stepped.seconds > 0


@pytest.mark.parametrize(
    ("method", "path", "facts"),
    [
        (
            "GET",
            "/api/v2/simulations/7",
            {"route": "/api/v2/simulations/{id}", "status": 400, "error": "InvalidInput"},
        ),
        ("GET", "/nowhere/7", {"route": "unknown", "status": 404, "error": "UnknownPath"}),
        (
            "PURGE",
            "/api/v1/chain",
            {"route": "unknown", "status": 405, "error": "WrongMethod", "method": "unknown"},
        ),
        ("GET", "/health", {"route": "/health", "status": 200}),
    ],
)
async def test_the_names_that_are_told_are_those_of_the_table(
    method: str, path: str, facts: dict[str, Any], running: Service, api: httpx.AsyncClient
) -> None:
    await api.request(method, path)

    (operation,) = requests(running)
    assert operation.facts == {"method": method, **facts}


async def test_rejects_are_counted_by_kind(running: Service, api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/v1/chain", content=b"x" * (5 << 20))

    assert answer.status_code == 413
    assert running.observer.labels == [("http.rejected", {"kind": "too_large"})]


async def test_a_full_queue_is_told_from_an_outage(
    server: RedisServer, prefix: str, parameters: dict[str, Any]
) -> None:
    async with service(server, prefix, http={"max_streams": 1}) as running, running.client() as api:
        session_id = (await api.post("/api/v1/chain", json=parameters)).json()["id"]
        # A place that somebody has, and gives back when nobody holds it any more.
        taken = await running.producers.start("bob", lambda: iter([b""]))
        answer = await api.get("/api/v1/chain/export", params={"sessionid": session_id})
        await taken.aclose()

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert ("http.rejected", {"kind": "overloaded"}) in running.observer.labels


async def test_a_bug_is_answered_without_details_and_told_as_a_failure(
    running: Service, api: httpx.AsyncClient
) -> None:
    # This service has no history: whatever asks it fails as a bug does.
    answer = await api.get("/api/v1/historical/assets")

    assert (answer.status_code, answer.json()) == (500, {"error": "Internal server error"})
    operation, error = running.observer.failure("http.request")
    assert operation.facts["status"] == 500
    assert isinstance(error, AttributeError)


async def test_open_streams_are_told_as_a_level(
    running: Service, api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    session_id = (await api.post("/api/v1/chain", json=parameters)).json()["id"]

    answer = await api.get("/api/v1/chain/export", params={"sessionid": session_id, "format": "csv"})

    assert answer.status_code == 200
    # The level went up and down again.
    assert [name for name, _ in running.observer.labels].count("http.streams") == 2
    assert running.observer.levels["http.streams"] == 0


@pytest.mark.parametrize("route", list(ROUTES), ids=lambda route: f"{route.method} {route.path}")
async def test_who_may_call_is_what_the_table_says(route: Any, with_roles: Service) -> None:
    path = route.path.replace("{version}/{file}", "0/main.js")
    path = path.replace("{id}", "7").replace("{file}", "favicon.png")
    statuses = {}
    for role, key in {None: None, **KEY_OF_ROLE}.items():
        async with with_roles.client(key) as api:
            statuses[role] = (await api.request(route.method, path)).status_code

    is_public = route.permission is Permission.PUBLIC
    assert (statuses.pop(None) == 401) is not is_public
    for role, status in statuses.items():
        if is_public or route.permission in GRANTS[role]:
            assert status not in (401, 403, 404, 405), role
        else:
            assert status == 403, role


async def test_who_may_not_is_told_who_may(with_roles: Service) -> None:
    async with with_roles.client(KEY_OF_ROLE["viewer"]) as viewer:
        step = await viewer.post("/api/v1/chain/step")
        system = await viewer.get("/api/v1/system")
        save = await viewer.put("/api/v1/config/simulator", json={})

    assert step.json() == {"error": "this needs one of the roles admin, researcher, trader"}
    assert system.json() == {"error": "this needs one of the roles admin, operator"}
    assert save.json() == {"error": "this needs the role admin"}


@pytest.mark.parametrize("path", ["/page", "/healthy", "/docsx", "/x//health", "/api/health", "/api-docs"])
async def test_an_unknown_path_needs_a_key_to_be_told_so(path: str, running: Service) -> None:
    async with running.client(None) as nobody, running.client(BOB) as caller:
        assert (await nobody.get(path)).status_code == 401
        assert (await caller.get(path)).status_code == 404


async def test_a_wrong_method_names_the_right_ones(running: Service, api: httpx.AsyncClient) -> None:
    answer = await api.request("DELETE", "/api/v1/historical/SPX/prices")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET"
    assert answer.json() == {"error": "Method Not Allowed: this path knows GET"}


async def test_a_path_with_a_slash_too_many_says_so(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/v1/config/")

    assert answer.json() == {"error": "Not Found: did you mean /api/v1/config?"}


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_a_probe_may_ask_for_the_head_alone(path: str, running: Service) -> None:
    async with running.client(None) as nobody:
        assert (await nobody.head(path)).status_code == 200


async def test_any_byte_in_a_credential_makes_a_wrong_credential(server: RedisServer, prefix: str) -> None:
    answers = []
    unpaused = {"keys": KEYS_OF_ROLES, "longest_pause_seconds": 0}
    async with service(server, prefix, auth=unpaused) as running, running.client(None) as nobody:
        for byte in range(256):
            basic = b"Basic " + bytes([byte])
            for header in (
                (b"authorization", basic),
                (b"authorization", bytes([byte])),
                (b"x-api-key", basic),
            ):
                answer = await nobody.get("/api/v1/chain/sessions", headers=[header])
                answers.append((answer.status_code, type(answer.json()["error"])))

    assert set(answers) == {(401, str)}


async def test_who_guesses_keys_is_paused_and_a_key_that_works_is_not(
    server: RedisServer, prefix: str
) -> None:
    auth = {"keys": KEYS_OF_ROLES, "free_failures": 3}
    [key, *_] = parse_keys(KEYS_OF_ROLES)
    path = "/api/v1/chain/sessions"
    async with service(server, prefix, auth=auth) as running, running.client(None) as guesser:
        without = [(await guesser.get(path)).status_code for _ in range(10)]
        guesses = [
            await guesser.get(path, headers={"X-API-Key": f"made-up-0123456789-{n}"}) for n in range(5)
        ]
        known = await guesser.get(path, headers={"X-API-Key": key})

    assert without == [401] * 10, "who has no key guesses none"
    assert [each.status_code for each in guesses] == [401, 401, 401, 429, 429]
    assert guesses[-1].headers["Retry-After"] == "1"
    assert known.status_code in (200, 403)
    assert running.observer.counts["access.paused"] == 1


async def test_any_byte_in_any_other_header_is_answered_in_json(running: Service) -> None:
    names = (
        "traceparent",
        "x-request-id",
        "idempotency-key",
        "last-event-id",
        "if-match",
        "content-length",
        "content-type",
        "prefer",
        "x-forwarded-for",
        "serve_multiplexed_model_id",
    )
    app = HeaderBytes(running.app)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as api:
        for name in names:
            for byte in (0, 9, 10, 13, 32, 34, 61, 127, 128, 0xC3, 0xE9, 255):
                headers = [(b"x-api-key", ALICE.encode()), (name.encode(), bytes([byte, byte]))]
                answer = await api.post("/api/v2/simulations/7/step", headers=headers)

                assert 400 <= answer.status_code < 500, (name, byte)
                assert isinstance(answer.json()["error"], str)
                assert "\\x" not in answer.json()["error"]


def test_the_header_that_is_no_utf_8_is_named() -> None:
    assert unreadable([(b"accept", b"*/*"), (b"x-request-id", b"\xe9")]) == "x-request-id"
    assert unreadable([(b"traceparent", "é".encode()), (b"x-request-id", b"7")]) is None
    assert unreadable([(b"x-api-key", b"\xe9")]) is None, "it is a wrong key, and that is for us to say"


async def test_a_refused_header_is_answered_under_an_identity(running: Service) -> None:
    transport = httpx.ASGITransport(HeaderBytes(running.app))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as api:
        nameless = await api.get("/health", headers=[(b"x-request-id", b"\xe9")])
        named = await api.get("/health", headers=[(b"x-request-id", b"mine"), (b"tracestate", b"\xe9")])

    assert nameless.headers["X-Request-Id"].isascii()
    assert named.headers["X-Request-Id"] == "mine"
    assert named.json() == {"error": "Validation Error: tracestate: must be UTF-8", "field": "tracestate"}


async def test_every_answer_names_the_process_that_gave_it(api: httpx.AsyncClient, running: Service) -> None:
    async with running.client(None) as nobody:
        answers = [
            await nobody.get("/health"),
            await nobody.get("/api/v1/chain/sessions"),
            await nobody.get("/nowhere"),
            await api.get("/api/v1/chain/sessions"),
            await api.get("/swagger-ui/"),
        ]

    assert [answer.status_code for answer in answers] == [200, 401, 401, 200, 200]
    [identity] = {answer.headers["x-ocs-instance"] for answer in answers}
    assert len(identity) == 32


async def test_a_replay_and_the_bytes_of_an_export_are_counted(
    running: Service, api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    headers = {"Idempotency-Key": "once"}
    first, again = [await api.post("/api/v1/chain", json=parameters, headers=headers) for _ in range(2)]
    export = await api.get("/api/v1/chain/export", params={"sessionid": first.json()["id"]})

    assert again.content == first.content
    assert running.observer.counts["http.replayed"] == 1
    assert running.observer.counts["http.exported"] == len(export.content) > 1000
    assert running.observer.levels["http.streams"] == 0


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """In the place of Ray Serve."""
    await PlainTextResponse("by Ray Serve")(scope, receive, send)


@asynccontextmanager
async def outermost(running: Service, max_requests: int = 10) -> AsyncIterator[httpx.AsyncClient]:
    """What a caller of a replica meets, with a shortcut for its frequent routes."""
    take(FrequentRoutes(running.app, ROUTES, max_requests=max_requests))
    transport = httpx.ASGITransport(Outermost(nothing))
    try:
        async with httpx.AsyncClient(
            transport=transport, base_url="http://service", headers={"X-API-Key": ALICE}
        ) as api:
            yield api
    finally:
        forget()


async def test_a_frequent_route_is_served_before_ray_serve_and_as_within(
    running: Service, api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    async with outermost(running) as direct:
        created = await direct.post("/api/v1/chain", json=parameters, headers={"X-Request-Id": "mine"})
        query = {"sessionid": created.json()["id"]}
        within, without = (
            await api.get("/api/v1/chain", params=query),
            await direct.get("/api/v1/chain", params=query),
        )
        refused = await direct.get("/api/v1/chain", params=query, headers={"X-API-Key": "wrong"})

    assert (created.status_code, created.headers["X-Request-Id"]) == (201, "mine")
    assert without.content == within.content
    assert len(without.headers["X-Request-Id"]) == 36
    assert (refused.status_code, "X-Request-Id" in refused.headers) == (401, True)
    told = {"route": "/api/v1/chain", "method": "POST", "status": 201, "request_id": "mine"}
    assert requests(running)[0].facts == told
    assert requests(running)[2].facts["request_id"] == without.headers["X-Request-Id"], "one identity"


@pytest.mark.parametrize(
    "path", ["/api/v2/simulations/7/stream", "/api/v1/chain/export", "/nowhere", "/-/healthz"]
)
async def test_every_other_request_is_ray_serves(path: str, running: Service) -> None:
    async with outermost(running) as direct:
        assert (await direct.get(path)).text == "by Ray Serve"


async def test_a_replica_without_a_shortcut_leaves_all_to_ray_serve() -> None:
    transport = httpx.ASGITransport(Outermost(nothing))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as api:
        assert (await api.get("/health")).text == "by Ray Serve"


@pytest.mark.parametrize("is_frequent", [True, False])
async def test_a_request_counts_as_under_way_until_it_is_answered(is_frequent: bool) -> None:
    seen: list[int] = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(under_way.number)
        await nothing(scope, receive, send)

    class Shortcut:
        async def serve(self, scope: Scope, receive: Receive, send: Send) -> bool:
            if is_frequent:
                await answer(scope, receive, send)
            return is_frequent

    take(Shortcut())
    transport = httpx.ASGITransport(Outermost(answer))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as api:
            await api.get("/health")
    finally:
        forget()

    assert (seen, under_way.number) == ([1], 0)


async def test_more_requests_than_may_be_under_way_are_refused_and_room_is_given_back(
    running: Service,
) -> None:
    async with outermost(running, max_requests=1) as direct:
        served = [await direct.get("/health") for _ in range(3)]
        async with outermost(running, max_requests=0) as full:
            refused = await full.get("/health")

    assert [answer.status_code for answer in served] == [200, 200, 200]
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert refused.json()["error"].startswith("the service has no room")
