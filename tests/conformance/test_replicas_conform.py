"""What a client sees where several replicas answer, and that one alone gives the same: the public suite's `replication`
and `persistence`."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conformance.reference_simulation import market

STEPS = 8
INSTANCE = "X-OCS-Instance"
CSV = {"dataset": "option_chains", "format": "csv", "greeks": "all"}


def test_every_answer_names_who_gave_it(open_simulation: Any, api: httpx.Client) -> None:
    simulation = open_simulation()
    simulation.step()
    paths = (
        *("/health", "/ready", "/metrics", simulation.path, f"{simulation.path}/snapshot"),
        f"{simulation.path}/export?dataset=underlying&format=csv",
        *("/api/v2/simulations/not-a-uuid", "/api/v9/nothing"),
    )

    named = {path: api.get(path).headers.get(INSTANCE) for path in paths}

    assert all(named.values()), named


def test_a_new_simulation_is_seen_by_every_replica(open_simulation: Any, api: httpx.Client) -> None:
    path = open_simulation(steps=STEPS).path

    assert [api.get(path).status_code for _ in range(16)] == [200] * 16


def test_a_walk_serves_each_step_once_whoever_answers(open_simulation: Any) -> None:
    simulation = open_simulation(steps=STEPS)

    cursors = [simulation.step().json()["cursor"]["current_step"] for _ in range(STEPS)]

    assert cursors == list(range(1, STEPS + 1))
    assert simulation.step().status_code == 410


def test_two_walks_of_one_seed_are_one_whoever_answers(open_simulation: Any) -> None:
    first, second = (open_simulation(steps=STEPS, seed=4242) for _ in range(2))

    answers = [(first.step(), second.step()) for _ in range(STEPS)]

    assert all(market(left.json()) == market(right.json()) for left, right in answers)
    assert all(answer.headers[INSTANCE] for pair in answers for answer in pair)


def test_an_export_is_the_same_to_the_byte_whoever_writes_it(open_simulation: Any) -> None:
    simulation = open_simulation(steps=STEPS, seed=31_337)
    simulation.walked(STEPS)

    assert len({simulation.export(**CSV).content for _ in range(16)}) == 1


def test_a_replica_says_of_each_dependency_whether_it_is_up(anonymous: httpx.Client) -> None:
    answer = anonymous.get("/ready")
    body = answer.json()

    assert {"redis", "mongodb"} <= {each["name"] for each in body["dependencies"]}
    for each in body["dependencies"]:
        reasons = {"up": (None,), "down": ("unreachable", "timed out")}[each["status"]]
        assert each.get("reason") in reasons
    assert (answer.status_code, body["status"]) in ((200, "ready"), (503, "not_ready"))
    if all(each["status"] == "up" for each in body["dependencies"]):
        assert answer.status_code == 200


def test_steps_that_were_served_are_exported_as_those_that_were_not(open_simulation: Any) -> None:
    served, fresh = (open_simulation(steps=STEPS, seed=8191) for _ in range(2))
    served.walked(STEPS)

    for dataset in ("underlying", "option_chains"):
        query = {"dataset": dataset, "format": "csv"}
        assert served.export(**query).content == fresh.export(**query).content


@pytest.mark.parametrize("half", [STEPS // 2])
def test_a_walk_in_two_passes_is_the_walk_in_one(open_simulation: Any, half: int) -> None:
    paused, straight = (open_simulation(steps=STEPS, seed=777) for _ in range(2))

    first = paused.walked(half)
    expected = straight.walked(STEPS)
    paused.view()

    assert first + paused.walked(STEPS - half) == expected
