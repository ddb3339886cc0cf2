"""HTTP v2: rolling expirations, immutable parameters, replay."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from optionchain.expirations import tzdb_version
from tests.clusters import Cluster, create
from tests.e2e.simulations import REQUEST, SIMULATIONS, UNKNOWN, simulate
from tests.waiting import eventually


def step(api: httpx.Client, simulation: dict[str, Any], **query: Any) -> httpx.Response:
    return api.post(f"{SIMULATIONS}/{simulation['id']}/step", params=query)


def test_a_new_simulation_echoes_every_replay_input(api: httpx.Client) -> None:
    simulation = simulate(api)

    assert simulation["state"] == "initialized"
    assert simulation["cursor"] == {"current_step": 0, "total_steps": 8}
    parameters = simulation["parameters"]
    assert parameters["seed"] == 2**64 - 1
    assert parameters["effective_start"] == parameters["start_at"] == "2026-01-09T21:30:00Z"
    assert parameters["tzdb_version"] == tzdb_version()
    assert parameters["calendar"] == "weekdays_v1"
    assert parameters["calendar_version"] is None
    assert parameters["expiration_time"] == "17:00:00"
    assert [rule["rule_id"] for rule in parameters["schedules"]] == ["monthlies", "zero_dte"]


def test_the_echo_of_an_exchange_calendar_names_the_release_of_its_holidays(api: httpx.Client) -> None:
    assert simulate(api, calendar="XNYS")["parameters"]["calendar_version"]


def test_a_simulation_made_from_the_echo_of_another_is_the_same_to_the_byte(api: httpx.Client) -> None:
    first = simulate(api, calendar="XNYS", start_at=None, seed=None)
    again = simulate(api, **first["parameters"])

    for _ in range(8):
        bodies = [step(api, each).text.replace(each["id"], "ID") for each in (first, again)]
        assert bodies[0] == bodies[1]
    assert again["parameters"] == first["parameters"]


def test_a_friday_evening_0dte_expires_on_monday(api: httpx.Client) -> None:
    simulation = simulate(api)

    before, after = step(api, simulation, count=2).json()["snapshots"]
    friday = before["chains"][0]
    assert (before["simulated_at"], friday["expires_at"]) == ("2026-01-09T21:30:00Z", "2026-01-09T22:00:00Z")
    assert (friday["labels"], friday["days_to_expiration"]) == (["zero_dte"], 30 / 1440)
    assert after["chains"][0]["expires_at"] == "2026-01-12T22:00:00Z"


def test_a_peek_shows_what_the_step_then_serves(api: httpx.Client) -> None:
    simulation = simulate(api)
    path = f"{SIMULATIONS}/{simulation['id']}"

    peeked, again = api.get(f"{path}/snapshot").json(), api.get(f"{path}/snapshot").json()
    served = step(api, simulation).json()

    assert peeked == again
    assert {key: served[key] for key in ("simulated_at", "underlying", "chains")} == {
        key: peeked[key] for key in ("simulated_at", "underlying", "chains")
    }
    assert (peeked["cursor"]["current_step"], served["cursor"]["current_step"]) == (0, 1)
    assert served["state"] == api.get(path).json()["state"] == "in_progress"


def test_steps_in_bulk_are_one_atomic_advance_whose_last_batch_may_be_short(api: httpx.Client) -> None:
    simulation = simulate(api)

    five = step(api, simulation, count=5, expected_step=0).json()["snapshots"]
    stale = step(api, simulation, count=5, expected_step=0)
    three = step(api, simulation, count=5, expected_step=5).json()["snapshots"]

    assert (len(five), len(three)) == (5, 3)
    assert [snapshot["cursor"]["current_step"] for snapshot in five + three] == list(range(1, 9))
    assert (stale.status_code, stale.json()["current_step"]) == (412, 5)
    assert three[-1]["state"] == "completed"
    assert step(api, simulation, count=5).status_code == 410
    assert api.get(f"{SIMULATIONS}/{simulation['id']}/snapshot").status_code == 410
    assert api.get(f"{SIMULATIONS}/{simulation['id']}").json()["version"] == 3


def test_a_deleted_simulation_is_gone(api: httpx.Client) -> None:
    simulation = simulate(api)
    path = f"{SIMULATIONS}/{simulation['id']}"

    assert api.delete(path).json()["session_id"] == simulation["id"]
    assert api.get(path).status_code == 404
    assert api.delete(path).status_code == 404


def test_each_surface_knows_only_its_own_ids(api: httpx.Client) -> None:
    session, simulation = create(api), simulate(api)

    assert api.get(f"{SIMULATIONS}/{session['id']}").status_code == 404
    assert api.get("/api/v1/chain", params={"sessionid": simulation["id"]}).status_code == 404


def test_the_echo_of_another_release_is_refused_and_says_how_to_go_on(api: httpx.Client) -> None:
    echo = simulate(api, calendar="XNYS")["parameters"]

    for name in ("tzdb_version", "calendar_version"):
        refusal = api.post(SIMULATIONS, json={**echo, name: "1999a"})
        assert (refusal.status_code, refusal.json()["field"]) == (400, name)
        assert echo[name] in refusal.json()["error"]
        assert "leave it out" in refusal.json()["error"]
        without = simulate(api, **{**echo, name: None})
        assert without["parameters"] == echo


def test_another_callers_simulation_does_not_exist(api: httpx.Client, other_api: httpx.Client) -> None:
    simulation = simulate(api)

    assert other_api.get(f"{SIMULATIONS}/{simulation['id']}").status_code == 404
    assert step(other_api, simulation).status_code == 404
    assert simulation["id"] not in other_api.get(SIMULATIONS).text


def test_the_list_shows_the_callers_simulations_and_no_sessions(api: httpx.Client) -> None:
    session, simulation = create(api), simulate(api)

    page = api.get(SIMULATIONS, params={"limit": 1000}).json()

    ids = [each["id"] for each in page["data"]]
    assert simulation["id"] in ids
    assert session["id"] not in ids
    assert page["pagination"]["total"] == len(ids)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"days_to_expiration": 30.0}, "days_to_expiration"),
        ({"steps": 0}, "steps"),
        ({"steps": "8"}, "steps"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"calendar": "XMOON"}, "calendar"),
        ({"expiration_time": "25:00"}, "expiration_time"),
        ({"schedules": []}, "schedules"),
        ({"schedules": [{"rule_id": "a", "kind": "hourly", "target_count": 1}]}, "schedules[0].kind"),
        (
            {"schedules": [{"rule_id": "a", "kind": "daily", "target_count": 257}]},
            "schedules[0].target_count",
        ),
        (
            {"schedules": [{"rule_id": "a", "kind": "daily", "target_count": 1, "weekday": "Fri"}]},
            "schedules[0].weekday",
        ),
        ({"volatility": 0.2}, "volatility"),
        ({"method": {"Historical": {"timeframe": "Day", "prices": [1.0]}}}, "method.Historical.prices"),
        (
            {"method": {"GeometricBrownian": {"dt": 0.004, "drift": 0, "volatility": 0.18, "x": 1}}},
            "method.GeometricBrownian.x",
        ),
        ({"step_interval_seconds": 0}, "step_interval_seconds"),
        ({"step_interval_seconds": None, "time_frame": "Millisecond"}, "time_frame"),
        ({"step_interval_seconds": None, "time_frame": {"Custom": 0.5}}, "time_frame"),
        ({"start_at": "yesterday"}, "start_at"),
        ({"effective_start": "2026-01-09T21:30:01Z"}, "effective_start"),
        ({"calendar_version": "1"}, "calendar_version"),
        ({"rng": "mt19937"}, "rng"),
        (
            {"chain_size": 500, "schedules": [{"rule_id": "a", "kind": "daily", "target_count": 256}]},
            "chain_size",
        ),
    ],
)
def test_an_input_at_fault_is_named(api: httpx.Client, changes: dict[str, Any], field: str) -> None:
    answer = api.post(SIMULATIONS, json={**REQUEST, **changes})

    assert (answer.status_code, answer.json().get("field")) == (400, field), answer.text


@pytest.mark.parametrize(
    ("time_frame", "seconds"),
    [
        ("Second", 1),
        ("Month", 2_592_000),
        ("Quarter", 7_776_000),
        ("Year", 31_536_000),
        ({"Custom": 252}, 125_143),
    ],
)
def test_the_time_frame_gives_the_interval(api: httpx.Client, time_frame: Any, seconds: int) -> None:
    simulation = simulate(api, time_frame=time_frame, step_interval_seconds=None)

    assert simulation["parameters"]["step_interval_seconds"] == seconds


def test_unknown_and_malformed_ids_are_told_apart(api: httpx.Client) -> None:
    assert api.get(UNKNOWN).status_code == 404
    assert api.get(f"{UNKNOWN}/snapshot").status_code == 404
    assert api.post(f"{UNKNOWN}/step").status_code == 404
    malformed = api.get(f"{SIMULATIONS}/seven")
    assert (malformed.status_code, malformed.json()["field"]) == (400, "id")


def test_a_bad_query_names_its_parameter(api: httpx.Client) -> None:
    simulation = simulate(api)

    wrong = (("count", 1001), ("count", 0), ("expected_step", -1), ("greeks", "some"), ("expectedstep", 0))
    for name, value in wrong:
        answer = step(api, simulation, **{name: value})
        assert (answer.status_code, answer.json()["field"]) == (400, name)


def test_a_simulation_outlives_a_restart_of_its_actors(cluster: Cluster, api: httpx.Client) -> None:
    simulation = simulate(api)
    step(api, simulation)
    expected = step(api, simulate(api), count=2).json()["snapshots"][1]

    for actor in cluster.session_actors():
        actor.kill()
    # On a busy machine, a new process takes longer than a caller's patience: 503, and whoever asks again is served.
    eventually(
        lambda: api.get(f"{SIMULATIONS}/{simulation['id']}/snapshot").status_code == 200,
        "the actors are back",
    )
    served = step(api, simulation, expected_step=1)

    assert served.status_code == 200, served.text
    assert served.json()["chains"] == expected["chains"]
