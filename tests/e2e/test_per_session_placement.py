"""An instance with an actor, and so a process, for each session, with limits of requests instead of keys; and its end
when its Ray head was killed."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from optionchain_client import Client
from tests.clusters import PARAMETERS, Cluster, create, step
from tests.e2e.simulations import SIMULATIONS, simulate
from tests.waiting import eventually

# Enough for the tests that are not about it.
BURST = 1000


@pytest.fixture(scope="module")
def isolated() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="optionchain-e2e-") as folder:
        cluster = Cluster(
            Path(folder),
            session={
                "placement": "per-session",
                "sweep_seconds": 1.0,
                "keep_steps": True,
                "keep_seconds": 0.05,
            },
            auth={"enabled": False},
            rate={"per_minute": 60, "burst": BURST},
            http={
                "max_ongoing_requests": 4,
                "max_queued_requests": 1,
                "max_streams": 1,
                "heartbeat_seconds": 0.05,
            },
        )
        with cluster.running():
            yield cluster


def test_a_session_lives_and_dies_in_a_process_of_its_own(isolated: Cluster) -> None:
    with isolated.client() as api:
        first = create(api)["id"]
        second = create(api)["id"]
        actors = isolated.session_actors()
        assert len(actors) == 2
        assert step(api, first).json()["session_info"]["current_step"] == 1

        for actor in actors:
            actor.kill()
        answer = step_until_served(api, first)
        assert answer.json()["session_info"]["current_step"] == 2

        for session_id in (first, second):
            assert api.delete("/api/v1/chain", params={"sessionid": session_id}).status_code == 200
        eventually(lambda: isolated.session_actors() == [], "the actors of deleted sessions have ended")


def test_what_was_served_is_read_back_after_the_session_is_gone(isolated: Cluster) -> None:
    with isolated.client() as api:
        session = create(api)
        here = {"sessionid": session["id"]}
        served = step(api, session["id"], count=3).json()["snapshots"]
        changed = api.patch("/api/v1/chain", params=here, json={"initial_price": 90.0}).json()
        step(api, session["id"])
        api.delete("/api/v1/chain", params=here)

        def results() -> list[dict[str, Any]]:
            answer = api.get(f"/api/v1/results/{session['id']}")
            return answer.json()["data"] if answer.status_code == 200 else []

        eventually(lambda: [each["served_steps"] for each in results()] == [3, 1], "all steps are kept")
        first, second = results()
        again = create(api, **first["parameters"])
        unknown = api.get(f"/api/v1/results/{again['id']}")

    assert first["prices"] == [snapshot["price"] for snapshot in served]
    assert first["parameters"] == session["parameters"] == again["parameters"]
    assert (second["parameters"], second["prices"]) == (changed["parameters"], [90.0])
    assert unknown.status_code == 404


@contextmanager
def calling_from(address: str, cluster: Cluster) -> Iterator[httpx.Client]:
    """A caller with an address of its own; all of 127.0.0.0/8 is this machine."""
    transport = httpx.HTTPTransport(local_address=address)
    with httpx.Client(transport=transport, base_url=cluster.state.base_url, timeout=30.0) as client:
        yield client


def step_until_served(api: httpx.Client, session_id: str) -> httpx.Response:
    while (answer := step(api, session_id)).status_code == 503:
        assert answer.headers["Retry-After"]
    assert answer.status_code == 200
    return answer


def test_without_authentication_no_key_is_needed(isolated: Cluster) -> None:
    assert isolated.state.api_key is None
    answer = httpx.get(f"{isolated.state.base_url}/api/v1/chain/sessions", trust_env=False)

    assert answer.status_code == 200


def test_each_address_has_a_limit_whatever_it_says_about_itself(isolated: Cluster) -> None:
    with calling_from("127.0.0.2", isolated) as greedy, calling_from("127.0.0.3", isolated) as modest:
        # Whoever asks faster than the rate is refused in the end.
        while (answer := greedy.get("/api/v1/chain/sessions")).status_code == 200:
            continue
        forged = greedy.get("/api/v1/chain/sessions", headers={"X-Forwarded-For": "203.0.113.7"})

        assert (answer.status_code, answer.headers["X-RateLimit-Limit"]) == (429, str(BURST))
        assert answer.headers["Retry-After"] == "1"
        assert int(forged.headers["X-RateLimit-Remaining"]) < BURST - 1
        assert modest.get("/api/v1/chain/sessions").headers["X-RateLimit-Remaining"] == str(BURST - 1)
        assert "X-RateLimit-Limit" not in greedy.get("/health").headers


def test_the_client_waits_until_it_may_ask_again(isolated: Cluster) -> None:
    with calling_from("127.0.0.4", isolated) as http:
        while http.get("/api/v1/chain/sessions").status_code == 200:
            continue

        with Client(isolated.state.base_url, http=http).session(**PARAMETERS) as session:
            assert session.step().step == 0


def test_a_stream_that_waits_is_kept_alive_and_its_place_freed_when_its_reader_leaves(
    isolated: Cluster,
) -> None:
    with isolated.client() as api:
        path = f"{SIMULATIONS}/{simulate(api)['id']}/stream"

        with api.stream("GET", path, params={"interval_seconds": 3600}) as waiting:
            lines = waiting.iter_lines()
            heartbeats = [line for line in itertools.islice(lines, 12) if line == ":"]
            refused = api.get(path)

        assert len(heartbeats) >= 2
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert "no room" in refused.json()["error"]
        eventually(lambda: api.get(path).status_code == 200, "the place of the reader who left is free")


@pytest.mark.anyio
async def test_a_replica_that_is_full_says_so_as_every_error_is_said(isolated: Cluster) -> None:
    transport = httpx.AsyncHTTPTransport(local_address="127.0.0.5")
    refused: list[httpx.Response] = []

    async with httpx.AsyncClient(transport=transport, base_url=isolated.state.base_url, timeout=30.0) as many:
        while not refused:
            answers = await asyncio.gather(*(many.get("/ready") for _ in range(100)))
            refused = [answer for answer in answers if b"dependencies" not in answer.content]

    for answer in refused:
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/json")
        assert answer.headers["Retry-After"] == "1"
        assert answer.headers["X-Request-Id"]
        assert answer.json() == {"error": "the service has no room for more requests right now: try again"}


def test_down_leaves_nothing_when_ray_was_killed(isolated: Cluster) -> None:
    for process in isolated.named("gcs_server", "raylet"):
        process.kill()

    down = isolated.run("down")

    assert down.returncode == 0, down.stderr
    isolated.check_nothing_is_left()
    assert isolated.run("down").stdout.strip() == "Nothing was running."
