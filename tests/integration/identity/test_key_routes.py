"""Keys over HTTP: who may make them, what is shown of them, and what they open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from optionchain.access.api_keys import is_secret
from tests.integration.http.in_process_service import Service, service
from tests.integration.identity.replicas import FIXED, Replica
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio
Opened = Callable[..., Awaitable[Replica]]

KEYS = "/api/v1/keys"


@pytest.fixture
async def running(redis: RedisServer, replica: Opened) -> AsyncIterator[Service]:
    one = await replica()
    others = {"authentication": one.held, "keys": one.service}
    async with service(redis, "key-routes", others) as running:
        yield running


@pytest.fixture
async def admin(running: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with running.client(FIXED) as admin:
        yield admin


async def test_a_key_is_shown_once_and_opens_what_its_roles_may(
    running: Service, admin: httpx.AsyncClient
) -> None:
    made = await admin.post(KEYS, json={"owner": "desk", "roles": ["viewer"], "note": "dashboards"})
    body = made.json()

    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    assert is_secret(body["key"])
    async with running.client(body["key"]) as viewer:
        assert (await viewer.get("/api/v1/chain/sessions")).status_code == 200
        assert (await viewer.post("/api/v1/chain", json={})).status_code == 403
        assert (await viewer.get(KEYS)).status_code == 403
    listed, shown = (await admin.get(KEYS)).json(), (await admin.get(f"{KEYS}/{body['id']}")).json()
    varying = {"last_used_at": None}
    assert shown | varying == {name: value for name, value in body.items() if name != "key"}
    assert [each | varying for each in listed["data"]] == [shown | varying]
    assert body["key"] not in str(listed)
    assert (shown["owner"], shown["roles"], shown["created_by"]) == ("desk", ["viewer"], "owner")


async def test_a_key_may_be_narrowed_to_some_of_what_its_roles_permit(
    running: Service, admin: httpx.AsyncClient
) -> None:
    made = await admin.post(KEYS, json={"owner": "desk", "roles": ["researcher"], "scopes": ["read"]})
    rotated = await admin.post(f"{KEYS}/{made.json()['id']}/rotate")

    for each in (made.json() | {"key": rotated.json()["key"]}, rotated.json()):
        assert (each["roles"], each["scopes"]) == (["researcher"], ["read"])
        async with running.client(each["key"]) as reader:
            assert (await reader.get("/api/v1/chain/sessions")).status_code == 200
            assert (await reader.post("/api/v1/chain", json={})).status_code == 403
            caller = (await reader.get("/api/v1/caller")).json()
            assert caller["permissions"] == ["identify", "read"]


async def test_a_revoked_key_is_as_unknown_as_any(running: Service, admin: httpx.AsyncClient) -> None:
    made = (await admin.post(KEYS, json={"owner": "desk", "roles": ["trader"]})).json()

    revoked = await admin.delete(f"{KEYS}/{made['id']}")

    assert revoked.json()["revoked_at"] is not None
    assert (await admin.delete(f"{KEYS}/{made['id']}")).json() == revoked.json()
    async with running.client(made["key"]) as former, running.client("never-was-a-key-1234") as stranger:
        answers = [await each.get("/api/v1/chain/sessions") for each in (former, stranger)]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


async def test_a_key_is_replaced_with_and_without_an_overlap(
    running: Service, admin: httpx.AsyncClient
) -> None:
    first = (await admin.post(KEYS, json={"owner": "desk", "roles": ["trader"]})).json()

    second = (await admin.post(f"{KEYS}/{first['id']}/rotate", json={"overlap_seconds": 60})).json()
    third = (await admin.post(f"{KEYS}/{second['id']}/rotate")).json()

    statuses = []
    for made in (first, second, third):
        async with running.client(made["key"]) as caller:
            statuses.append((await caller.get("/api/v1/chain/sessions")).status_code)
    assert statuses == [200, 401, 200]
    assert (second["replaces"], third["replaces"]) == (first["id"], second["id"])
    assert (await admin.get(f"{KEYS}/{first['id']}")).json()["expires_at"] is not None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"roles": ["viewer"]}, "owner"),
        ({"owner": "desk"}, "roles"),
        ({"owner": "desk", "roles": ["root"]}, "roles"),
        ({"owner": {"$ne": ""}, "roles": ["viewer"]}, "owner"),
        ({"owner": "de\x00sk", "roles": ["viewer"]}, "owner"),
        ({"owner": "desk", "roles": ["viewer"], "scope": []}, "scope"),
        ({"owner": "desk", "roles": ["viewer"], "scopes": ["trade"]}, "scopes"),
        ({"owner": "desk", "roles": ["viewer"], "scopes": ["identify"]}, "scopes"),
        ({"owner": "desk", "roles": ["viewer"], "expires_at": "tomorrow"}, "expires_at"),
        ({"owner": "desk", "roles": ["viewer"], "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ],
)
async def test_a_wrong_input_is_named(body: dict, field: str, admin: httpx.AsyncClient) -> None:
    answer = await admin.post(KEYS, json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_an_unknown_key_is_not_found(admin: httpx.AsyncClient) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/rotate")):
        answer = await admin.request(method, f"{KEYS}/nothing{path}")
        assert (answer.status_code, answer.json()) == (404, {"error": "API key not found: nothing"})


async def test_keys_are_found_wherever_they_are_presented(running: Service, admin: httpx.AsyncClient) -> None:
    key = (await admin.post(KEYS, json={"owner": "desk", "roles": ["viewer"]})).json()["key"]

    async with running.client(None) as client:
        for options in ({"headers": {"Authorization": f"Bearer {key}"}}, {"auth": ("anybody", key)}):
            assert (await client.get("/api/v1/chain/sessions", **options)).status_code == 200
