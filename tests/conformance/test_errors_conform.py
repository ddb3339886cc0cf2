"""Every error has our body, names the input at fault, and keeps our insides to itself."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

PATH = "/api/v1/chain"
JSON = {"Content-Type": "application/json"}


def check_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert body["error"]
    assert answer.headers["X-Request-Id"]
    return body


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"volatility": 0.0}, "volatility"),
        ({"volatility": "high"}, "volatility"),
        ({"steps": 0}, "steps"),
        ({"steps": 1.5}, "steps"),
        ({"steps": 10_001}, "steps"),
        ({"initial_price": -1.0}, "initial_price"),
        ({"days_to_expiration": 0}, "days_to_expiration"),
        ({"dividend_yield": -0.1}, "dividend_yield"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"chain_size": 501}, "chain_size"),
        ({"symbol": ""}, "symbol"),
        ({"symbol": None}, "symbol"),
        ({"start_at": "yesterday"}, "start_at"),
        ({"time_frame": "Fortnight"}, "time_frame"),
        ({"method": {"Unknown": {}}}, "method"),
        ({"method": {"Heston": {"dt": 0.00274}}}, "method.Heston.drift"),
    ],
)
def test_a_wrong_parameter_is_named(
    api: httpx.Client, parameters: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    body = check_problem(api.post(PATH, json={**parameters, **change}), 400)

    assert body["field"] == field


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"symbol": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_named(api: httpx.Client, content: bytes) -> None:
    assert check_problem(api.post(PATH, content=content, headers=JSON), 400)["field"] == "body"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "text/xml"])
def test_a_body_of_another_type_is_named(api: httpx.Client, content_type: str) -> None:
    answer = api.post(PATH, content=b"{}", headers={"Content-Type": content_type})

    assert check_problem(answer, 400)["field"] == "body"


@pytest.mark.parametrize("session_id", ["", "1", "not-a-uuid", "../../etc/passwd"])
def test_a_malformed_id_is_named(api: httpx.Client, session_id: str) -> None:
    assert check_problem(api.get(PATH, params={"sessionid": session_id}), 400)["field"] == "sessionid"


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_an_unknown_id_is_not_found(api: httpx.Client, method: str) -> None:
    path = PATH + "/step" if method == "POST" else PATH
    body = {} if method == "PATCH" else None

    answer = api.request(method, path, params={"sessionid": str(uuid.uuid4())}, json=body)

    check_problem(answer, 404)


@pytest.mark.parametrize("path", ["/nowhere", "/api", "/api/v9/chain", "/api/v1/chain/nowhere"])
def test_an_unknown_path_is_not_found(api: httpx.Client, path: str) -> None:
    check_problem(api.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PROPFIND", PATH, {"DELETE", "GET", "PATCH", "POST", "PUT"}),
        ("GET", PATH + "/step", {"POST"}),
        ("DELETE", "/health", {"GET"}),
    ],
)
def test_an_unknown_method_is_refused_with_those_that_are_known(
    api: httpx.Client, method: str, path: str, allowed: set[str]
) -> None:
    answer = api.request(method, path)

    check_problem(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == allowed


def test_a_session_is_no_simulation(session: Any, api: httpx.Client) -> None:
    check_problem(api.get(f"/api/v2/simulations/{session.id}"), 404)


def test_who_has_no_key_is_refused(anonymous: httpx.Client, server: tuple[str, str | None]) -> None:
    if server[1] is None:
        pytest.skip("the server was examined without a key")

    check_problem(anonymous.post(PATH, json={}), 401)
    wrong = anonymous.post(PATH, json={}, headers={"X-API-Key": "wrong"})
    check_problem(wrong, 401)


@pytest.mark.parametrize("scheme", ["X-API-Key", "Bearer", "Basic"])
def test_a_key_is_taken_in_three_places(
    anonymous: httpx.Client, server: tuple[str, str | None], scheme: str
) -> None:
    key = server[1] or "any"
    path = PATH + "/sessions"

    match scheme:
        case "Basic":
            answer = anonymous.get(path, auth=("anybody", key))
        case "Bearer":
            answer = anonymous.get(path, headers={"Authorization": f"Bearer {key}"})
        case _:
            answer = anonymous.get(path, headers={scheme: key})

    assert answer.status_code == 200
