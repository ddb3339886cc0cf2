"""Snapshots as Server-Sent Events: all of them, from any step on, without moving the cursor."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.clusters import create
from tests.e2e.simulations import SIMULATIONS, UNKNOWN, simulate


def stream(
    api: httpx.Client, simulation: dict[str, Any], seen: str | None = None, **query: Any
) -> httpx.Response:
    headers = {} if seen is None else {"Last-Event-ID": seen}
    return api.get(f"{SIMULATIONS}/{simulation['id']}/stream", params=query, headers=headers)


def events(text: str) -> list[dict[str, Any]]:
    """The events of a stream, as a browser reads them."""
    found = []
    for block in text.split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if fields:
            found.append({**fields, "data": json.loads(fields["data"])})
    return found


def test_a_stream_has_every_snapshot_and_then_its_end(api: httpx.Client) -> None:
    simulation = simulate(api)
    path = f"{SIMULATIONS}/{simulation['id']}"

    answer = stream(api, simulation)
    *snapshots, end = events(answer.text)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert api.get(path).json() == simulation
    served = api.post(f"{path}/step", params={"count": 8}).json()["snapshots"]
    assert [each["id"] for each in snapshots] == [str(step) for step in range(8)]
    for step, (event, snapshot) in enumerate(zip(snapshots, served, strict=True)):
        assert event["event"] == "snapshot"
        assert event["data"]["cursor"] == {"current_step": step, "total_steps": 8}
        assert {key: event["data"][key] for key in ("simulated_at", "underlying", "chains")} == {
            key: snapshot[key] for key in ("simulated_at", "underlying", "chains")
        }
    assert (end["event"], end["data"]) == ("end", {"total_steps": 8})


def test_the_first_event_is_the_peek(api: httpx.Client) -> None:
    simulation = simulate(api)

    first = events(stream(api, simulation, greeks="all").text)[0]

    assert (
        first["data"]
        == api.get(f"{SIMULATIONS}/{simulation['id']}/snapshot", params={"greeks": "all"}).json()
    )


def test_a_broken_stream_goes_on_after_the_last_event_seen(api: httpx.Client) -> None:
    simulation = simulate(api)
    whole = events(stream(api, simulation).text)

    resumed = events(stream(api, simulation, seen="4", from_step=0).text)

    assert resumed == whole[5:]
    assert events(stream(api, simulation, from_step=6).text) == whole[6:]


def test_who_saw_the_last_step_need_not_connect_again(api: httpx.Client) -> None:
    assert stream(api, simulate(api), seen="7").status_code == 204


def test_a_paced_stream_sends_its_events_one_by_one(api: httpx.Client) -> None:
    simulation = simulate(api)
    path = f"{SIMULATIONS}/{simulation['id']}/stream"

    with api.stream("GET", path, params={"interval_seconds": 3600}) as answer:
        first = next(answer.iter_lines())

    assert first == "event: snapshot"


@pytest.mark.parametrize(
    ("seen", "query", "field"),
    [
        ("8", {}, "Last-Event-ID"),
        ("seven", {}, "Last-Event-ID"),
        ("9" * 5000, {}, "Last-Event-ID"),
        (None, {"from_step": 8}, "from_step"),
        (None, {"from_step": -1}, "from_step"),
        (None, {"interval_seconds": 3601}, "interval_seconds"),
        (None, {"greeks": "some"}, "greeks"),
        (None, {"from": 3}, "from"),
    ],
)
def test_a_wrong_input_is_named(
    api: httpx.Client, seen: str | None, query: dict[str, Any], field: str
) -> None:
    answer = stream(api, simulate(api), seen, **query)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_what_is_unknown_or_of_the_other_surface_has_no_stream(
    api: httpx.Client, other_api: httpx.Client
) -> None:
    assert api.get(f"{UNKNOWN}/stream").status_code == 404
    assert stream(api, create(api)).status_code == 404
    assert stream(other_api, simulate(api)).status_code == 404
