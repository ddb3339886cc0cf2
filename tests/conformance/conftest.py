"""Which server to examine: any, with ``--base-url``; among all tests and without it, the one that they share.

::

    pip install pytest httpx
    pytest tests/conformance --base-url https://simulator.example --api-key KEY
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conformance.reference_simulation import Simulation

PARAMETERS: dict[str, Any] = {
    "symbol": "SPX",
    "steps": 5,
    "initial_price": 5000.0,
    "days_to_expiration": 30.0,
    "volatility": 0.2,
    "risk_free_rate": 0.04,
    "dividend_yield": 0.015,
    "method": {"GeometricBrownian": {"dt": 0.004, "drift": 0.05, "volatility": 0.2}},
    "time_frame": "Day",
    "chain_size": 5,
    "seed": 42,
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--base-url", help="The server to examine.")
    group.addoption("--api-key", default=os.environ.get("API_KEY"), help="Its key; or API_KEY.")


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> tuple[str, str | None]:
    """Base URL and key."""
    base_url, api_key = (request.config.getoption(name) for name in ("--base-url", "--api-key"))
    if base_url:
        check_usable(base_url, api_key)
        return base_url, api_key
    try:
        state = request.getfixturevalue("cluster").state
    except pytest.FixtureLookupError:
        pytest.exit(
            "--base-url must say which server to examine; -c pyproject.toml starts one",
            pytest.ExitCode.USAGE_ERROR,
        )
    return state.base_url, state.api_key


def check_usable(base_url: str, api_key: str | None) -> None:
    """One message where every test would fail."""
    headers = {"X-API-Key": api_key} if api_key else {}
    try:
        answer = httpx.get(f"{base_url.rstrip('/')}/api/v1/chain/sessions", headers=headers, timeout=30.0)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        pytest.exit(f"--base-url {base_url}: {error}", pytest.ExitCode.USAGE_ERROR)
    if answer.status_code == 401:
        pytest.exit(
            "--api-key, or API_KEY: the server wants a key that it knows", pytest.ExitCode.USAGE_ERROR
        )


@pytest.fixture(scope="session")
def anonymous(server: tuple[str, str | None]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server[0], timeout=30.0) as client:
        yield client


@pytest.fixture(scope="session")
def api(server: tuple[str, str | None]) -> Iterator[httpx.Client]:
    headers = {"X-API-Key": server[1]} if server[1] else {}
    with httpx.Client(base_url=server[0], headers=headers, timeout=30.0) as client:
        yield client


@pytest.fixture
def parameters() -> dict[str, Any]:
    """Of a session that every server can create."""
    return dict(PARAMETERS)


class Session:
    """A session of the server under examination."""

    def __init__(self, api: httpx.Client, **changes: Any) -> None:
        self._api = api
        answer = api.post("/api/v1/chain", json={**PARAMETERS, **changes})
        assert answer.status_code == 201, answer.text
        self.view: dict[str, Any] = answer.json()
        self.id: str = self.view["id"]

    def peek(self, **query: Any) -> httpx.Response:
        return self._api.get("/api/v1/chain", params={"sessionid": self.id, **query})

    def step(self, *, key: str | None = None, **query: Any) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self._api.post("/api/v1/chain/step", params={"sessionid": self.id, **query}, headers=headers)

    def delete(self) -> httpx.Response:
        return self._api.delete("/api/v1/chain", params={"sessionid": self.id})


@pytest.fixture
def open_session(api: httpx.Client) -> Iterator[Any]:
    """Creates sessions; what the test leaves is deleted."""
    sessions: list[Session] = []

    def open_one(**changes: Any) -> Session:
        sessions.append(Session(api, **changes))
        return sessions[-1]

    yield open_one
    for session in sessions:
        session.delete()


@pytest.fixture
def open_simulation(api: httpx.Client) -> Iterator[Any]:
    """Creates simulations; what the test leaves is deleted."""
    simulations: list[Simulation] = []

    def open_one(**changes: Any) -> Simulation:
        simulations.append(Simulation(api, **changes))
        return simulations[-1]

    yield open_one
    for simulation in simulations:
        simulation.delete()


@pytest.fixture
def session(open_session: Any) -> Session:
    opened: Session = open_session()
    return opened
