"""A keyed request that is sent again has its effect once and gets its first answer again."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx
import pytest
import redis

from tests.clusters import PARAMETERS, Cluster, create

KEY = "Idempotency-Key"


def keyed_step(api: httpx.Client, key: str, session_id: str, **query: object) -> httpx.Response:
    return api.post("/api/v1/chain/step", params={"sessionid": session_id, **query}, headers={KEY: key})


def current_step(api: httpx.Client, session_id: str) -> int:
    peek = api.get("/api/v1/chain", params={"sessionid": session_id})
    step: int = peek.json()["session_info"]["current_step"]
    return step


def advance(api: httpx.Client, session_id: str, steps: int) -> None:
    for _ in range(steps):
        assert api.post("/api/v1/chain/step", params={"sessionid": session_id}).status_code == 200


def forget_answers(cluster: Cluster) -> None:
    """As if the replica had died after the command and before its answer was kept."""
    with redis.Redis.from_url(cluster.state.redis_url) as store:
        for key in store.scan_iter(match="*:answer:*"):
            store.hdel(key, "answer")


@pytest.fixture
def key() -> str:
    return str(uuid4())


def test_a_repeated_creation_creates_one_session(api: httpx.Client, key: str) -> None:
    first, second = (api.post("/api/v1/chain", json=PARAMETERS, headers={KEY: key}) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"


def test_a_repeated_creation_without_a_seed_has_the_seed_of_the_first(api: httpx.Client, key: str) -> None:
    body = {**PARAMETERS, "seed": None}

    first, second = (api.post("/api/v1/chain", json=body, headers={KEY: key}).json() for _ in range(2))

    assert first["parameters"]["seed"] == second["parameters"]["seed"]


def test_a_repeated_step_is_served_once(api: httpx.Client, key: str) -> None:
    session_id = create(api)["id"]

    first, second = (keyed_step(api, key, session_id, expected_step=0) for _ in range(2))

    assert first.status_code == 200
    assert first.content == second.content
    assert current_step(api, session_id) == 1


def test_the_first_answer_outlives_later_steps_and_the_session(api: httpx.Client, key: str) -> None:
    session_id = create(api)["id"]
    first = keyed_step(api, key, session_id)
    # More than a session remembers.
    advance(api, session_id, 20)

    assert keyed_step(api, key, session_id).content == first.content
    assert current_step(api, session_id) == 21
    api.delete("/api/v1/chain", params={"sessionid": session_id})
    assert keyed_step(api, key, session_id).content == first.content


def test_a_step_whose_answer_was_never_kept_is_served_once_all_the_same(
    cluster: Cluster, api: httpx.Client, key: str
) -> None:
    session_id = create(api)["id"]
    first = keyed_step(api, key, session_id, expected_step=0)
    forget_answers(cluster)

    second = keyed_step(api, key, session_id, expected_step=0)

    assert first.content == second.content
    assert current_step(api, session_id) == 1


def test_a_creation_whose_answer_was_never_kept_creates_one_session_all_the_same(
    cluster: Cluster, api: httpx.Client, key: str
) -> None:
    body = {**PARAMETERS, "seed": None}
    first = api.post("/api/v1/chain", json=body, headers={KEY: key})
    forget_answers(cluster)

    second = api.post("/api/v1/chain", json=body, headers={KEY: key})

    assert first.content == second.content


def test_a_creation_whose_answer_was_never_kept_does_not_bring_a_deleted_session_back(
    cluster: Cluster, api: httpx.Client, key: str
) -> None:
    session_id = api.post("/api/v1/chain", json=PARAMETERS, headers={KEY: key}).json()["id"]
    forget_answers(cluster)
    assert api.delete("/api/v1/chain", params={"sessionid": session_id}).status_code == 200

    again = api.post("/api/v1/chain", json=PARAMETERS, headers={KEY: key})

    assert again.status_code == 409
    assert api.get("/api/v1/chain", params={"sessionid": session_id}).status_code == 404


def test_requests_with_one_key_at_the_same_time_are_one(
    cluster: Cluster, api: httpx.Client, key: str
) -> None:
    session_id = create(api)["id"]

    async def race() -> list[bytes]:
        async with cluster.async_client() as many:
            url, headers = f"/api/v1/chain/step?sessionid={session_id}", {KEY: key}
            answers = await asyncio.gather(*(many.post(url, headers=headers) for _ in range(12)))
        return [answer.content for answer in answers]

    assert len(set(asyncio.run(race()))) == 1
    assert current_step(api, session_id) == 1


def test_a_key_belongs_to_one_request(api: httpx.Client, key: str) -> None:
    api.post("/api/v1/chain", json=PARAMETERS, headers={KEY: key})

    other = api.post("/api/v1/chain", json={**PARAMETERS, "steps": 7}, headers={KEY: key})

    assert (other.status_code, other.json()["field"]) == (422, KEY)


def test_a_key_belongs_to_one_session(api: httpx.Client, key: str) -> None:
    first, second = create(api)["id"], create(api)["id"]
    keyed_step(api, key, first)

    assert keyed_step(api, key, second).status_code == 422
    assert current_step(api, second) == 0


def test_another_callers_key_is_another_key(api: httpx.Client, other_api: httpx.Client, key: str) -> None:
    mine = api.post("/api/v1/chain", json=PARAMETERS, headers={KEY: key}).json()
    theirs = other_api.post("/api/v1/chain", json={**PARAMETERS, "steps": 7}, headers={KEY: key})

    assert theirs.status_code == 201
    assert theirs.json()["id"] != mine["id"]


def test_a_refusal_is_not_kept(api: httpx.Client, key: str) -> None:
    session_id = create(api)["id"]

    refused = keyed_step(api, key, session_id, expected_step=1)
    advance(api, session_id, 1)
    served = keyed_step(api, key, session_id, expected_step=1)

    assert (refused.status_code, served.status_code) == (412, 200)


def test_a_long_answer_is_made_again_however_late(api: httpx.Client, key: str) -> None:
    session_id = create(api, steps=60, days_to_expiration=90.0, chain_size=100)["id"]

    first, second = (keyed_step(api, key, session_id, count=20) for _ in range(2))
    assert first.content == second.content
    assert current_step(api, session_id) == 20

    advance(api, session_id, 20)
    assert keyed_step(api, key, session_id, count=20).content == first.content
    assert current_step(api, session_id) == 40


def test_a_step_whose_answer_was_never_kept_is_served_once_however_late(
    cluster: Cluster, api: httpx.Client, key: str
) -> None:
    session_id = create(api)["id"]
    first = keyed_step(api, key, session_id)
    forget_answers(cluster)
    # More than a session remembers of commands without a key.
    advance(api, session_id, 20)

    second = keyed_step(api, key, session_id)

    assert (second.status_code, second.content) == (200, first.content)
    assert current_step(api, session_id) == 21


def test_a_step_of_parameters_that_were_changed_is_not_served_again(
    cluster: Cluster, api: httpx.Client, key: str
) -> None:
    session_id = create(api)["id"]
    keyed_step(api, key, session_id)
    forget_answers(cluster)
    changed = api.patch("/api/v1/chain", params={"sessionid": session_id}, json={"volatility": 0.5})
    assert changed.status_code == 200, changed.text

    again = keyed_step(api, key, session_id)

    assert (again.status_code, again.json()["current_step"]) == (412, 0)
    assert current_step(api, session_id) == 0


@pytest.mark.parametrize("key", ["", "with space", "x" * 256])
def test_a_malformed_key_is_refused(api: httpx.Client, key: str) -> None:
    answer = api.post("/api/v1/chain", json=PARAMETERS, headers={KEY: key})

    assert (answer.status_code, answer.json()["field"]) == (400, KEY)


def test_a_simulations_step_is_served_once(api: httpx.Client, key: str) -> None:
    rule = {"rule_id": "weekly", "kind": "weekly", "target_count": 2, "weekdays": ["Fri"]}
    market = {name: value for name, value in PARAMETERS.items() if name != "days_to_expiration"}
    body = {**market, "timezone": "America/New_York", "expiration_time": "16:00", "schedules": [rule]}
    created = [api.post("/api/v2/simulations", json=body, headers={KEY: "c" + key}) for _ in range(2)]
    assert created[0].status_code == 201, created[0].text
    assert created[0].content == created[1].content
    path = f"/api/v2/simulations/{created[0].json()['id']}"

    first, second = (api.post(path + "/step", headers={KEY: key}) for _ in range(2))

    assert first.content == second.content
    assert api.get(path).json()["cursor"]["current_step"] == 1
