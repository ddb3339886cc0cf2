"""Every error is JSON with its status and headers, whatever was sent, and tells nothing of the inside."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import httpx
import pytest

from tests.clusters import PARAMETERS, Cluster, create, step

CHAIN = "/api/v1/chain"


def invalid(answer: httpx.Response) -> str:
    """The field that a 400 names."""
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert body["error"].startswith("Validation Error: ")
    return str(body["field"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("symbol", ""),
        ("symbol", 7),
        ("steps", 0),
        ("steps", 10_001),
        ("steps", "3"),
        ("steps", 1.5),
        ("initial_price", -1),
        ("initial_price", None),
        ("days_to_expiration", 0),
        ("volatility", 5.01),
        ("dividend_yield", -0.01),
        ("chain_size", 501),
        ("strike_interval", 0),
        ("spread", -1),
        ("seed", -1),
        ("seed", 2**64),
        ("seed", 1.0),
        ("start_at", "yesterday"),
        ("time_frame", "Fortnight"),
        ("method", {}),
        ("method", {"Bachelier": {}}),
    ],
)
def test_a_wrong_parameter_is_named(field: str, value: object, api: httpx.Client) -> None:
    assert invalid(api.post(CHAIN, json={**PARAMETERS, field: value})) == field


@pytest.mark.parametrize("field", ["symbol", "steps", "method", "volatility"])
def test_a_missing_parameter_is_named(field: str, api: httpx.Client) -> None:
    body = {name: value for name, value in PARAMETERS.items() if name != field}

    assert invalid(api.post(CHAIN, json=body)) == field


def test_a_wrong_parameter_of_a_method_is_named_with_its_path(api: httpx.Client) -> None:
    method = {"Garch": {"dt": 0.004, "drift": 0.0, "volatility": 0.2, "alpha": 2.0, "beta": 0.5}}

    assert invalid(api.post(CHAIN, json={**PARAMETERS, "method": method})) == "method.Garch.alpha"


def test_too_few_historical_prices_are_refused_at_creation(api: httpx.Client) -> None:
    method = {"Historical": {"timeframe": "Day", "prices": [100.0]}}

    assert invalid(api.post(CHAIN, json={**PARAMETERS, "method": method})) == "method.Historical.prices"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"seed": 1e999}', b'{"steps": NaN}'],
    ids=["empty", "cut off", "null", "list", "text", "no UTF-8", "nested", "too large", "NaN"],
)
def test_a_body_that_is_no_json_object_is_invalid(content: bytes, api: httpx.Client) -> None:
    answer = api.post(CHAIN, content=content, headers={"Content-Type": "application/json"})

    assert invalid(answer) == "body"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "sessionid"),
        ({"sessionid": "7"}, "sessionid"),
        ({"sessionid": str(uuid.uuid4()), "expected_step": "-1"}, "expected_step"),
        ({"sessionid": str(uuid.uuid4()), "expected_step": "one"}, "expected_step"),
        ({"sessionid": str(uuid.uuid4()), "count": "0"}, "count"),
        ({"sessionid": str(uuid.uuid4()), "greeks": "vega"}, "greeks"),
    ],
)
def test_a_wrong_query_is_named(query: dict[str, str], field: str, api: httpx.Client) -> None:
    assert invalid(api.post(f"{CHAIN}/step", params=query)) == field


def test_a_wrong_change_changes_nothing(api: httpx.Client) -> None:
    session_id = create(api)["id"]
    step(api, session_id)

    answer = api.patch(CHAIN, params={"sessionid": session_id}, json={"volatility": -1})

    assert invalid(answer) == "volatility"
    assert step(api, session_id, expected_step=1).status_code == 200


def test_an_unknown_session_is_not_found(api: httpx.Client) -> None:
    answer = step(api, str(uuid.uuid4()))

    assert answer.status_code == 404
    assert "error" in answer.json()


def test_a_wrong_expected_step_consumes_nothing(api: httpx.Client) -> None:
    session_id = create(api)["id"]

    answer = step(api, session_id, expected_step=5)

    assert (answer.status_code, answer.json()["current_step"]) == (412, 0)
    assert step(api, session_id, expected_step=0).status_code == 200


def test_a_body_over_the_limit_is_refused_with_and_without_its_length(api: httpx.Client) -> None:
    body = b'{"symbol": "' + b"x" * (5 << 20) + b'"}'

    declared = api.post(CHAIN, content=body, headers={"Content-Type": "application/json"})
    streamed = api.post(
        CHAIN,
        content=(body[start : start + 65536] for start in range(0, len(body), 65536)),
        headers={"Content-Type": "application/json"},
    )

    assert (declared.status_code, streamed.status_code) == (413, 413)
    assert declared.json()["field"] == "body"


def test_an_unknown_path_and_a_wrong_method_say_what_there_is(api: httpx.Client) -> None:
    unknown = api.get("/api/v1/nothing")
    wrong = api.put(f"{CHAIN}/step")

    assert (unknown.status_code, unknown.json()) == (404, {"error": "Not Found: /docs shows what there is"})
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "POST")
    assert wrong.json() == {"error": "Method Not Allowed: this path knows POST"}


@pytest.mark.parametrize("path", [CHAIN, f"{CHAIN}/step", "/api/v2/simulations"])
def test_a_slash_too_many_is_no_redirection_but_a_hint(path: str, api: httpx.Client) -> None:
    answer = api.post(f"{path}/", json={})

    assert (answer.status_code, answer.json()) == (404, {"error": f"Not Found: did you mean {path}?"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", CHAIN),
        ("POST", "/api/v2/simulations"),
        ("POST", "/api/v1/sweeps"),
        ("PUT", "/api/v1/config/x"),
        ("PUT", "/api/v1/historical/SPX/2024-01-02"),
    ],
)
def test_every_route_says_the_same_of_a_body_that_is_no_json_object(
    method: str, path: str, api: httpx.Client
) -> None:
    as_text = api.request(method, path, content=b"{}", headers={"Content-Type": "text/plain"})
    as_list = api.request(method, path, json=[])

    assert invalid(as_text) == invalid(as_list) == "body"
    assert "must be a JSON object, sent as application/json" in as_text.json()["error"]
    assert as_list.json() == as_text.json()


def test_every_answer_carries_a_request_id_and_keeps_the_callers(api: httpx.Client) -> None:
    assert api.get("/health").headers["X-Request-Id"]
    assert step(api, "no-uuid").headers["X-Request-Id"]
    assert api.get("/health", headers={"X-Request-Id": "mine-7"}).headers["X-Request-Id"] == "mine-7"


def headers_with(key: str) -> list[dict[str, str]]:
    password = base64.b64encode(f"anybody:{key}".encode()).decode()
    return [
        {"X-API-Key": key},
        {"Authorization": f"Bearer {key}"},
        {"Authorization": f"Basic {password}"},
    ]


@pytest.mark.parametrize("place", [0, 1, 2], ids=["header", "bearer", "basic"])
def test_a_key_is_taken_in_three_places_and_a_wrong_one_in_none(place: int, cluster: Cluster) -> None:
    with httpx.Client(base_url=cluster.state.base_url, trust_env=False) as nobody:
        key = str(cluster.state.api_key)
        right = nobody.get(f"{CHAIN}/sessions", headers=headers_with(key)[place])
        wrong = nobody.get(f"{CHAIN}/sessions", headers=headers_with(key[:-1] + "?")[place])

    assert (right.status_code, wrong.status_code) == (200, 401)


def test_a_key_in_the_url_is_enough(cluster: Cluster) -> None:
    url = cluster.state.base_url.replace("://", f"://any:{cluster.state.api_key}@")

    assert httpx.get(f"{url}{CHAIN}/sessions", trust_env=False).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", CHAIN),
        ("POST", CHAIN),
        ("PUT", CHAIN),
        ("PATCH", CHAIN),
        ("DELETE", CHAIN),
        ("POST", f"{CHAIN}/step"),
        ("GET", f"{CHAIN}/sessions"),
        ("GET", "/nothing"),
    ],
)
def test_nothing_is_served_without_a_key(method: str, path: str, cluster: Cluster) -> None:
    answer = httpx.request(method, cluster.state.base_url + path, trust_env=False)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert set(answer.json()) == {"error"}


def test_no_answer_tells_of_the_inside(api: httpx.Client) -> None:
    questions: list[dict[str, Any]] = [
        {"method": "POST", "url": CHAIN, "json": {"symbol": {"$gt": ""}}},
        {"method": "POST", "url": f"{CHAIN}/step", "params": {"sessionid": "../../etc/passwd"}},
        {"method": "GET", "url": f"{CHAIN}/sessions", "params": {"page": "1e9"}},
        {"method": "GET", "url": "/%00"},
    ]

    for question in questions:
        answer = api.request(**question)
        assert 400 <= answer.status_code < 500
        for word in ("Traceback", "pydantic", "redis", "ray.", "/site-packages/", ".py"):
            assert word not in answer.text


@pytest.mark.parametrize(
    "name", ["X-Request-Id", "X-Request-Timeout-Seconds", "traceparent", "serve-multiplexed-model-id"]
)
@pytest.mark.parametrize("value", [b"\xe9", b"\xff\xfe", b"Basic \xe9"])
def test_a_header_that_is_no_utf_8_is_refused_by_name(name: str, value: bytes, api: httpx.Client) -> None:
    answer = api.get(f"{CHAIN}/sessions", headers=[(name.encode(), value)])

    assert invalid(answer) == name.lower()


def test_a_credential_that_is_no_utf_8_is_a_wrong_one(cluster: Cluster) -> None:
    url = f"{cluster.state.base_url}{CHAIN}/sessions"

    answer = httpx.get(url, headers=[(b"Authorization", b"Basic \xe9")], trust_env=False)

    assert (answer.status_code, list(answer.json())) == (401, ["error"])


def test_a_request_keeps_its_id_through_a_refusal(api: httpx.Client) -> None:
    answer = api.get("/nowhere", headers={"X-Request-Id": "mine-1"})

    assert (answer.status_code, answer.headers["X-Request-Id"]) == (404, "mine-1")
