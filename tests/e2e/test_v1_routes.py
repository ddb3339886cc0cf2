"""HTTP v1 over a real cluster: each route, its answer and what it leaves behind."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.clusters import PARAMETERS, create, step

CHAIN, SESSIONS = "/api/v1/chain", "/api/v1/chain/sessions"


def has_shape(value: object, shape: object) -> bool:
    """Whether a value has every key of a shape, with values of the same kinds; None in a shape allows any."""
    if shape is None:
        return True
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(
            key in value and has_shape(value[key], shape[key]) for key in shape
        )
    return isinstance(value, type(shape))


def test_a_new_session_shows_all_its_parameters_and_has_served_nothing(api: httpx.Client) -> None:
    session = create(api)

    assert (session["current_step"], session["total_steps"], session["state"]) == (0, 30, "Initialized")
    sent = {name: value for name, value in PARAMETERS.items() if name != "time_frame"}
    assert {name: session["parameters"][name] for name in sent} == sent
    assert session["parameters"]["time_frame"] == "day"
    assert session["parameters"]["strike_interval"] is None
    assert datetime.fromisoformat(session["created_at"]).tzinfo is not None


def test_the_wire_shapes_are_those_of_the_reference_service(
    api: httpx.Client, golden: dict[str, Any]
) -> None:
    session = create(api)
    mismatch = step(api, session["id"], expected_step=3)
    invalid = api.post(CHAIN, json={**PARAMETERS, "initial_price": 0})
    deleted = api.delete(CHAIN, params={"sessionid": session["id"]})

    assert has_shape(session, golden["v1_session_response_shape"]["expected"])
    assert mismatch.json() == golden["v1_412_body"]["expected"] | {"current_step": 0}
    assert invalid.json() == golden["v1_validation_error_shape"]["expected"]
    assert deleted.json() == {
        "message": f"Session deleted successfully: {session['id']}",
        "session_id": session["id"],
    }


def test_a_peek_is_repeatable_and_a_step_serves_what_was_peeked(api: httpx.Client) -> None:
    session_id = create(api)["id"]

    peeks = [api.get(CHAIN, params={"sessionid": session_id}).json() for _ in range(2)]
    served = step(api, session_id).json()

    assert peeks[0] == peeks[1]
    assert peeks[0]["session_info"]["current_step"] == 0
    assert served["session_info"] == {"id": session_id, "current_step": 1, "total_steps": 30}
    assert {k: v for k, v in served.items() if k != "session_info"} == {
        k: v for k, v in peeks[0].items() if k != "session_info"
    }


def test_a_session_serves_exactly_its_steps_and_is_then_gone(api: httpx.Client) -> None:
    session_id = create(api, steps=3)["id"]

    answers = [step(api, session_id) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 410]
    assert [answer.json()["session_info"]["current_step"] for answer in answers[:3]] == [1, 2, 3]
    timestamps = [answer.json()["timestamp"] for answer in answers[:3]]
    assert timestamps == sorted(set(timestamps))
    assert api.get(CHAIN, params={"sessionid": session_id}).status_code == 410
    assert step(api, session_id, expected_step=2).status_code == 412, "checked before 410"


def test_two_sessions_with_one_seed_give_identical_bodies_but_for_the_id(api: httpx.Client) -> None:
    first, second = (create(api, start_at="2026-01-05T00:00:00Z")["id"] for _ in range(2))

    for _ in range(5):
        one, other = step(api, first), step(api, second)
        assert one.content.replace(first.encode(), second.encode()) == other.content


def test_a_chain_is_quoted_on_both_sides_around_the_money(api: httpx.Client) -> None:
    chain = step(api, create(api, chain_size=20)["id"]).json()

    strikes = [contract["strike"] for contract in chain["contracts"]]
    assert len(strikes) == 2 * 20 + 1
    assert strikes == sorted(set(strikes))
    for contract in chain["contracts"]:
        for side in ("call", "put"):
            quote = contract[side]
            assert 0 <= quote["bid"] <= quote["mid"] <= quote["ask"]
            assert quote["ask"] >= 0.01
            assert round(quote["bid"], 2) == quote["bid"]


@pytest.mark.parametrize(("greeks", "size"), [("none", 0), ("first", 4), ("all", 12)])
def test_the_caller_chooses_the_greeks(greeks: str, size: int, api: httpx.Client) -> None:
    contract = step(api, create(api)["id"], greeks=greeks).json()["contracts"][0]

    assert {"strike", "call", "put", "implied_volatility", "gamma"} <= set(contract)
    for side in ("call", "put"):
        assert {"bid", "ask", "mid", "delta"} <= set(contract[side])
        assert len(contract[side].get("greeks", ())) == size


def test_several_steps_in_one_answer_are_those_of_single_steps(api: httpx.Client) -> None:
    singly, together = (create(api, steps=4, start_at="2026-01-05T00:00:00Z")["id"] for _ in range(2))

    bulk = step(api, together, count=100).json()["snapshots"]

    assert [{**step(api, singly).json(), "session_info": None} for _ in range(4)] == [
        {**snapshot, "session_info": None} for snapshot in bulk
    ]
    assert [snapshot["session_info"]["current_step"] for snapshot in bulk] == [1, 2, 3, 4]


@pytest.mark.parametrize("seed", [0, 2**53 + 1, 2**63, 2**64 - 1])
def test_a_seed_is_exact(seed: int, api: httpx.Client) -> None:
    assert create(api, seed=seed)["parameters"]["seed"] == seed


def test_without_a_seed_each_session_gets_its_own_and_echoes_it(api: httpx.Client) -> None:
    seeds = {create(api, seed=None)["parameters"]["seed"] for _ in range(3)}

    assert len(seeds) == 3
    assert all(isinstance(seed, int) for seed in seeds)


def test_null_and_absent_optional_parameters_mean_their_defaults(api: httpx.Client) -> None:
    optional = ("chain_size", "strike_interval", "skew_slope", "smile_curve", "spread")

    shown = create(api, **dict.fromkeys(optional))["parameters"]

    assert [shown[name] for name in optional] == [30, None, -0.2, 0.4, 0.01]


def test_unknown_keys_are_ignored(api: httpx.Client) -> None:
    assert "colour" not in create(api, colour="blue")["parameters"]


def test_the_expiration_ends_a_session_before_its_last_step(api: httpx.Client) -> None:
    session = create(api, steps=30, days_to_expiration=2.5, start_at="2026-01-05T00:00:00Z")
    assert session["total_steps"] == 4

    *_, last = (step(api, session["id"]) for _ in range(4))

    chain = last.json()
    for contract in chain["contracts"]:
        intrinsic = max(chain["price"] - contract["strike"], 0.0)
        assert contract["call"]["mid"] == pytest.approx(intrinsic, abs=1e-9)
        assert contract["expiration"] == "2026-01-07T12:00:00Z"
    assert step(api, session["id"]).status_code == 410


@pytest.mark.parametrize("time_frame", ["Day", {"Custom": 365}])
def test_the_echo_of_a_session_is_a_request_for_the_same_one(api: httpx.Client, time_frame: Any) -> None:
    first = create(api, seed=None, time_frame=time_frame)
    again = create(api, **first["parameters"])

    assert again["parameters"] == first["parameters"]
    bodies = [step(api, each["id"]).text.replace(each["id"], "ID") for each in (first, again)]
    assert bodies[0] == bodies[1]


def test_given_prices_are_replayed(api: httpx.Client) -> None:
    prices = [100.25, 101.5, 99.75]
    method = {"Historical": {"timeframe": "Day", "prices": prices, "symbol": None}}
    session_id = create(api, steps=3, initial_price=100.25, method=method)["id"]

    assert [step(api, session_id).json()["price"] for _ in prices] == prices


def test_a_patch_changes_what_it_names_and_starts_anew(api: httpx.Client) -> None:
    before = create(api)
    step(api, before["id"])

    answer = api.patch(CHAIN, params={"sessionid": before["id"]}, json={"volatility": 0.5, "symbol": None})

    after = answer.json()
    assert answer.status_code == 200
    assert (after["current_step"], after["state"]) == (0, "Reinitialized")
    [(model, method)] = before["parameters"]["method"].items()
    changed = {"volatility": 0.5, "method": {model: method | {"volatility": 0.5}}}
    assert after["parameters"] == before["parameters"] | changed
    assert after["created_at"] == before["created_at"]
    assert step(api, before["id"], expected_step=0).status_code == 200


def test_a_patch_with_null_clears_an_optional_parameter_and_draws_a_new_seed(api: httpx.Client) -> None:
    before = create(api, spread=0.5, strike_interval=25.0)

    after = api.patch(
        CHAIN,
        params={"sessionid": before["id"]},
        json={"spread": None, "strike_interval": None, "seed": None},
    ).json()

    assert after["parameters"]["spread"] == 0.01
    assert after["parameters"]["strike_interval"] is None
    assert after["parameters"]["seed"] != before["parameters"]["seed"]


def test_an_empty_patch_only_starts_anew(api: httpx.Client) -> None:
    before = create(api)
    first = step(api, before["id"]).content

    after = api.patch(CHAIN, params={"sessionid": before["id"]}, json={}).json()

    assert after["parameters"] == before["parameters"]
    assert step(api, before["id"]).content == first


def test_a_put_replaces_everything(api: httpx.Client) -> None:
    session_id = create(api, spread=0.5, seed=1)["id"]
    step(api, session_id)

    answer = api.put(CHAIN, params={"sessionid": session_id}, json={**PARAMETERS, "steps": 7, "seed": 9})

    shown = answer.json()
    assert answer.status_code == 200
    assert (shown["current_step"], shown["total_steps"], shown["state"]) == (0, 7, "Reinitialized")
    assert (shown["parameters"]["spread"], shown["parameters"]["seed"]) == (0.01, 9)


def test_a_deleted_session_is_not_found_by_any_route(api: httpx.Client) -> None:
    query = {"sessionid": create(api)["id"]}
    assert api.delete(CHAIN, params=query).status_code == 200

    answers = [
        api.get(CHAIN, params=query),
        api.post(f"{CHAIN}/step", params=query),
        api.patch(CHAIN, params=query, json={}),
        api.put(CHAIN, params=query, json=PARAMETERS),
        api.delete(CHAIN, params=query),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5


def test_sessions_are_listed_in_pages_the_latest_first(other_api: httpx.Client) -> None:
    before = other_api.get(SESSIONS).json()["pagination"]["total"]
    ids = [create(other_api)["id"] for _ in range(3)]

    page = other_api.get(SESSIONS, params={"page": 1, "limit": 2}).json()

    total = before + 3
    assert page["pagination"] == {"total": total, "page": 1, "limit": 2, "pages": -(-total // 2)}
    assert [session["id"] for session in page["data"]] == [ids[2], ids[1]]
    assert other_api.get(SESSIONS, params={"page": 10_000}).json()["data"] == []


def test_a_session_does_not_exist_for_another_caller(api: httpx.Client, other_api: httpx.Client) -> None:
    query = {"sessionid": create(api)["id"]}

    assert other_api.get(CHAIN, params=query).status_code == 404
    assert other_api.post(f"{CHAIN}/step", params=query).status_code == 404
    assert other_api.delete(CHAIN, params=query).status_code == 404
    listed = other_api.get(SESSIONS, params={"limit": 1000}).json()["data"]
    assert query["sessionid"] not in {session["id"] for session in listed}
    assert api.get(CHAIN, params=query).status_code == 200


def test_health_and_readiness_need_no_key(api: httpx.Client) -> None:
    anybody = httpx.Client(base_url=api.base_url, trust_env=False)

    assert anybody.get("/health").status_code == 200
    ready = anybody.get("/ready").json()
    assert (ready["status"], ready["states"]) == ("ready", {"redis": "up", "mongodb": "up", "api_keys": "up"})
    assert ready["dependencies"] == [
        {"name": name, "status": "up"} for name in ("redis", "mongodb", "api_keys")
    ]
    anybody.close()


def test_the_openapi_document_describes_every_route_and_its_errors(api: httpx.Client) -> None:
    document = api.get("/api-docs/openapi.json").json()

    operations = document["paths"]
    assert set(operations[CHAIN]) == {"get", "post", "put", "patch", "delete"}
    assert {"200", "400", "401", "404", "409", "410", "412", "503"} <= set(
        operations[f"{CHAIN}/step"]["post"]["responses"]
    )
    assert operations[CHAIN]["post"]["security"]
    assert "security" not in operations["/health"]["get"]
    assert "HTTPValidationError" not in json.dumps(document), "invalid input is a 400 with our body"


@pytest.mark.parametrize("path", ["/swagger-ui/", "/swagger-ui", "/docs"])
def test_swagger_pages_load(path: str, api: httpx.Client) -> None:
    page = api.get(path, follow_redirects=True)

    assert page.status_code == 200
    assert "/api-docs/openapi.json" in page.text
