"""Tenants see nothing of each other: whatever takes an id answers to another tenant's as to one that never was."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from serve_app.edge.route_table import Route
from serve_app.routes.table import ROUTES
from tests.clusters import PARAMETERS, create
from tests.e2e.simulations import REQUEST, simulate

CHAIN, SWEEPS, TASKS = "/api/v1/chain", "/api/v1/sweeps", "/api/v1/tasks"
SWEEP = {"base": PARAMETERS, "measures": ["terminal_price"], "paths": 10}
# Due long after every test.
TASK = {"kind": "sweep", "timing": {"at": "2100-01-01T00:00:00Z"}, "parameters": {"sweep": SWEEP}}
# By the beginning of a template, whose things its id names.
OWN = {
    CHAIN: "chain",
    "/api/v2/simulations/{id}": "simulation",
    f"{SWEEPS}/{{id}}": "sweep",
    f"{TASKS}/{{id}}": "task",
    "/api/v1/results/{id}": "chain",
}
# What has no id, and what all tenants share or administrators alone reach.
NO_ID = {("POST", CHAIN), ("GET", f"{CHAIN}/sessions")}
SHARED = (
    "/api/v1/historical",
    "/api/v1/config",
    "/api/v1/keys",
    "/api/v1/denied-tokens",
    "/api/v1/quotas",
    "/swagger-ui",
    "/page",
)
BODIES: dict[str, Any] = {"PUT": PARAMETERS, "PATCH": {"volatility": 0.3}}


def kind(route: Route) -> str | None:
    """Whose things the id of a route names; None where it has none, or they are nobody's own."""
    if (route.method, route.path) in NO_ID or route.path.startswith(SHARED):
        return None
    return next((what for begin, what in OWN.items() if route.path.startswith(begin)), None)


TENANTS = [route for route in ROUTES if kind(route)]


def ask(api: httpx.Client, route: Route, identity: str) -> httpx.Response:
    query = {"sessionid": identity} if route.path.startswith(CHAIN) else {}
    path = route.path.replace("{id}", identity).replace("{run}", f"{identity}@2026-01-05T00:00:00Z")
    return api.request(route.method, path, params=query, json=BODIES.get(route.method))


@pytest.fixture(scope="module")
def things(cluster: Any) -> dict[str, str]:
    """One thing of each kind, of the first tenant."""
    with cluster.client() as api:
        sweep = api.post(SWEEPS, json=SWEEP)
        assert sweep.status_code == 202, sweep.text
        task = api.post(TASKS, json=TASK)
        assert task.status_code == 201, task.text
        return {
            "chain": create(api)["id"],
            "simulation": simulate(api)["id"],
            "sweep": sweep.json()["id"],
            "task": task.json()["id"],
        }


def test_every_route_with_an_id_is_walked_or_shared() -> None:
    left = {
        (route.method, route.path)
        for route in ROUTES
        if "{" in route.path and kind(route) is None and not route.path.startswith(SHARED)
    }

    assert left == set()
    assert len(TENANTS) == 29


@pytest.mark.parametrize("route", TENANTS, ids=lambda route: f"{route.method} {route.path}")
def test_another_tenants_id_is_as_unknown_as_one_that_never_was(
    route: Route, things: dict[str, str], other_api: httpx.Client
) -> None:
    identity, never = things[str(kind(route))], str(uuid.uuid4())

    theirs, unknown = ask(other_api, route, identity), ask(other_api, route, never)

    assert (theirs.status_code, unknown.status_code) == (404, 404)
    assert theirs.text.replace(identity, never) == unknown.text
    assert theirs.headers.keys() == unknown.headers.keys()


def test_nothing_of_it_has_touched_what_is_its_owners(things: dict[str, str], api: httpx.Client) -> None:
    session = api.get(CHAIN, params={"sessionid": things["chain"]})
    simulation = api.get(f"/api/v2/simulations/{things['simulation']}")
    sweep = api.get(f"{SWEEPS}/{things['sweep']}")
    task = api.get(f"{TASKS}/{things['task']}")

    assert [each.status_code for each in (session, simulation, sweep, task)] == [200, 200, 200, 200]
    assert task.json()["state"] == "active"
    assert session.json()["session_info"]["current_step"] == 0
    assert sweep.json()["state"] != "cancelled"


def test_an_idempotency_key_is_a_tenants_own(api: httpx.Client, other_api: httpx.Client) -> None:
    key = {"Idempotency-Key": f"tenants-{uuid.uuid4()}"}

    mine = api.post("/api/v2/simulations", json=REQUEST, headers=key)
    theirs = other_api.post("/api/v2/simulations", json=REQUEST | {"seed": 1}, headers=key)

    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]


def test_lists_have_a_tenants_own_alone(
    things: dict[str, str], api: httpx.Client, other_api: httpx.Client
) -> None:
    for path, what in (
        (f"{CHAIN}/sessions", "chain"),
        ("/api/v2/simulations", "simulation"),
        (SWEEPS, "sweep"),
        (TASKS, "task"),
    ):
        mine, theirs = (
            {each["id"] for each in tenant.get(path, params={"limit": 100}).json()["data"]}
            for tenant in (api, other_api)
        )
        assert things[what] in mine
        assert things[what] not in theirs
