"""Sweeps over HTTP, with the service of sweeps behind the routes and no actor between them."""

from __future__ import annotations

import httpx
import orjson
import pytest

from optionchain.sweeps.tables import FORMATS
from tests.asgi import service_of
from tests.integration.sweeps.sweep_services import Here, sweeping
from tests.unit.sweeps.sweep_documents import SMALL


@pytest.fixture
def api(tmp_path, mongo_there):
    with sweeping(mongo_there, tmp_path) as world:
        app = service_of("first", sweeps=Here(world.open()), history=None)
        yield httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def finished(api, identity):
    async with api.stream("GET", f"/api/v1/sweeps/{identity}/events") as stream:
        return [orjson.loads(line[6:]) async for line in stream.aiter_lines() if line.startswith("data: ")]


@pytest.mark.anyio
async def test_the_routes_start_follow_and_fetch_a_sweep(api):
    started = await api.post("/api/v1/sweeps", json=SMALL)
    identity = started.json()["id"]
    events = await finished(api, identity)

    assert started.status_code == 202
    assert started.headers["location"] == f"/api/v1/sweeps/{identity}"
    assert events[-1]["state"] == "completed"
    assert (await api.get(f"/api/v1/sweeps/{identity}")).json() == events[-1]
    for style, kind in ((name, each.media_type) for name, each in FORMATS.items()):
        table = await api.get(f"/api/v1/sweeps/{identity}/results", params={"format": style})
        assert (table.status_code, table.headers["content-type"]) == (200, kind)
    assert (await api.delete(f"/api/v1/sweeps/{identity}")).json()["state"] == "completed"
    definition = (await api.get(f"/api/v1/sweeps/{identity}/definition")).json()
    assert definition == SMALL
    assert (await api.post("/api/v1/sweeps", json=definition)).json()["id"] == identity


@pytest.mark.anyio
async def test_the_routes_list_a_callers_sweeps_the_latest_first(api):
    mine = [
        (await api.post("/api/v1/sweeps", json=SMALL | {"seed": seed})).json()["id"] for seed in (1, 2, 3)
    ]
    for identity in mine:
        await finished(api, identity)

    async def page(number, key):
        query = {"limit": 2, "page": number}
        return (await api.get("/api/v1/sweeps", params=query, headers={"x-api-key": key})).json()

    first, second, theirs = await page(1, "first"), await page(2, "first"), await page(1, "second")
    wrong = await api.get("/api/v1/sweeps", params={"limit": 0})

    assert [each["id"] for each in first["data"] + second["data"]] == mine[::-1]
    assert first["data"][0] == (await api.get(f"/api/v1/sweeps/{mine[-1]}")).json()
    assert second["pagination"] == {"total": 3, "page": 2, "limit": 2, "pages": 2}
    assert theirs == {"data": [], "pagination": {"total": 0, "page": 1, "limit": 2, "pages": 0}}
    assert (wrong.status_code, wrong.json()["field"]) == (400, "limit")


@pytest.mark.anyio
async def test_the_routes_answer_errors_with_our_statuses(api):
    wrong = await api.post("/api/v1/sweeps", json=SMALL | {"grid": {"volatilty": [1]}})
    unknown = await api.get("/api/v1/sweeps/00000000-0000-0000-0000-000000000000")
    malformed = await api.get("/api/v1/sweeps/abc")
    mine = (await api.post("/api/v1/sweeps", json=SMALL)).json()["id"]
    theirs = [
        (await api.get(f"/api/v1/sweeps/{mine}{part}", headers={"x-api-key": "second"})).status_code
        for part in ("", "/definition")
    ]

    assert (wrong.status_code, wrong.json()["field"]) == (400, "grid.volatilty")
    assert [unknown.status_code, malformed.status_code, *theirs] == [404, 400, 404, 404]
