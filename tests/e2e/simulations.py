"""Simulations of HTTP v2 for tests."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

REQUEST: dict[str, Any] = {
    "symbol": "SPX",
    "steps": 8,
    "start_at": "2026-01-09T21:30:00Z",
    "step_interval_seconds": 43_200,
    "timezone": "America/New_York",
    "expiration_time": "17:00",
    "schedules": [
        {"rule_id": "zero_dte", "kind": "daily", "target_count": 1},
        {"rule_id": "monthlies", "kind": "monthly", "target_count": 2, "weekday": "Fri"},
    ],
    "initial_price": 5000.0,
    "volatility": 0.18,
    "risk_free_rate": 0.04,
    "dividend_yield": 0.012,
    "method": {"GeometricBrownian": {"dt": 0.00137, "drift": 0.05, "volatility": 0.18}},
    "time_frame": "Day",
    "chain_size": 3,
    "seed": 2**64 - 1,
}


SIMULATIONS = "/api/v2/simulations"


UNKNOWN = f"{SIMULATIONS}/{uuid.UUID(int=7)}"


FORMATS = ["json", "csv", "arrow", "packed", "parquet"]


def simulate(api: httpx.Client, **changes: Any) -> dict[str, Any]:
    answer = api.post(SIMULATIONS, json={**REQUEST, **changes})
    assert answer.status_code == 201, answer.text
    simulation: dict[str, Any] = answer.json()
    return simulation


def export(api: httpx.Client, simulation: dict[str, Any], **query: Any) -> httpx.Response:
    return api.get(f"{SIMULATIONS}/{simulation['id']}/export", params=query)
