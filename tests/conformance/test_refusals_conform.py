"""Who asks for what is wrong is told which field it is, and nothing of the server: the public suite's `rejections`.

Where that finds no field, or an empty one, for an id of v1 that is missing or malformed, v1 names `sessionid` here.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conformance.reference_simulation import ABSENT, REFERENCE, SIMULATIONS

FORBIDDEN = ("http://", "https://", "redis://", "mongodb://", "password", "/var/", "/etc/", "/usr/", "src/")


def refusal(answer: httpx.Response) -> dict[str, Any]:
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["Content-Type"].startswith("application/json")
    assert not [word for word in FORBIDDEN if word in answer.text.lower()]
    body: dict[str, Any] = answer.json()
    assert body["error"]
    return body


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"steps": 0}, "steps"),
        ({"steps": 10_000_000}, "steps"),
        ({"initial_price": 0.0}, "initial_price"),
        ({"volatility": 0.0}, "volatility"),
        ({"step_interval_seconds": 0}, "step_interval_seconds"),
        ({"chain_size": 10_000_000}, "chain_size"),
        ({"stepss": 4}, "stepss"),
        ({"strike_ladder": "pinned", "strike_interval": None}, "strike_interval"),
        ({"strike_ladder": "fixed"}, "strike_ladder"),
        ({"spread_proportional": -0.1}, "spread_proportional"),
        ({"spread_tick": 0.001}, "spread_tick"),
    ],
    ids=str,
)
def test_a_wrong_creation_names_its_field(api: httpx.Client, change: dict[str, Any], field: str) -> None:
    answer = api.post(SIMULATIONS, json={**REFERENCE, **change})

    assert (refusal(answer)["field"], answer.status_code) == (field, 400)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("/export?dataset=underlying&format=csv&from_step=3&to_step=1", "from_step"),
        ("/export?dataset=underlying&format=csv&from_step=0&to_step=99999", "to_step"),
        ("/snapshot?greeks=everything", "greeks"),
        ("/snapshot?greek=first_order", "greek"),
    ],
)
def test_a_wrong_query_names_its_parameter(
    open_simulation: Any, api: httpx.Client, query: str, field: str
) -> None:
    answer = api.get(open_simulation().path + query)

    assert (refusal(answer)["field"], answer.status_code) == (field, 400)


def test_a_malformed_id_is_named(api: httpx.Client) -> None:
    assert refusal(api.get(f"{SIMULATIONS}/not-a-uuid"))["field"] == "id"
    assert refusal(api.get("/api/v1/chain", params={"sessionid": "not-a-uuid"}))["field"] == "sessionid"
    assert refusal(api.get("/api/v1/chain"))["field"] == "sessionid"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/snapshot"), ("POST", "/step"), ("DELETE", "")]
)
def test_what_is_not_there_is_404_and_no_fields_fault(api: httpx.Client, method: str, path: str) -> None:
    answer = api.request(method, f"{SIMULATIONS}/{ABSENT}{path}")

    assert answer.status_code == 404
    assert refusal(answer).get("field") is None


def test_a_body_that_is_no_json_is_refused_in_the_same_shape(api: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}

    assert api.post(SIMULATIONS, content="{not json at all", headers=headers).status_code == 400
    refusal(api.post(SIMULATIONS, content="{not json at all", headers=headers))
