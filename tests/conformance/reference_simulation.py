"""The simulation that the public suite of the replaced service asks for, and what clients do with one."""

from __future__ import annotations

from typing import Any

import httpx

SIMULATIONS = "/api/v2/simulations"
ABSENT = "00000000-0000-4000-8000-000000000000"
INTERVAL = 25.0
REFERENCE: dict[str, Any] = {
    "symbol": "SPX",
    "steps": 4,
    "start_at": "2026-01-05T14:30:00Z",
    "timezone": "America/New_York",
    "expiration_time": "17:00",
    "schedules": [{"rule_id": "zero_dte", "kind": "daily", "target_count": 1}],
    "initial_price": 5000.0,
    "volatility": 0.2,
    "risk_free_rate": 0.05,
    "dividend_yield": 0.0,
    "method": {"GeometricBrownian": {"dt": 0.00396825396, "drift": 0.05, "volatility": 0.2}},
    "time_frame": "Day",
    "chain_size": 2,
    "strike_interval": INTERVAL,
    "seed": 42,
}


class Simulation:
    """A simulation of the server under examination."""

    def __init__(self, api: httpx.Client, **changes: Any) -> None:
        self._api = api
        answer = api.post(SIMULATIONS, json={**REFERENCE, **changes})
        assert answer.status_code == 201, answer.text
        self.created: dict[str, Any] = answer.json()
        self.id: str = self.created["id"]
        self.path = f"{SIMULATIONS}/{self.id}"

    def view(self) -> dict[str, Any]:
        view: dict[str, Any] = self._api.get(self.path).json()
        return view

    @property
    def cursor(self) -> int:
        step: int = self.view()["cursor"]["current_step"]
        return step

    def peek(self, **query: Any) -> httpx.Response:
        return self._api.get(f"{self.path}/snapshot", params=query)

    def step(self, **query: Any) -> httpx.Response:
        return self._api.post(f"{self.path}/step", params=query)

    def served(self) -> dict[str, Any]:
        """The next snapshot without what names its simulation and cursor."""
        answer = self.step()
        assert answer.status_code == 200, answer.text
        return market(answer.json())

    def walked(self, steps: int) -> list[dict[str, Any]]:
        return [self.served() for _ in range(steps)]

    def export(self, **query: Any) -> httpx.Response:
        return self._api.get(f"{self.path}/export", params=query)

    def delete(self) -> httpx.Response:
        return self._api.delete(self.path)


def market(snapshot: dict[str, Any]) -> dict[str, Any]:
    """What the path decides of a snapshot, which quotes something."""
    assert snapshot["chains"]
    assert all(chain["contracts"] for chain in snapshot["chains"])
    return {name: snapshot[name] for name in ("simulated_at", "underlying", "chains")}
