"""What the service has served of a simulation, to be held against what the page shows."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import httpx


def latest(api: httpx.Client, count: int = 1, **query: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The simulation that was made last, and the last snapshots that were served of it.

    Args:
        api: Of who made it.
        count: How many.
        query: Of the stream.
    """
    found = api.get("/api/v2/simulations", params={"limit": 1}).json()["data"][0]
    asked = {"from_step": found["cursor"]["current_step"] - count, **query}
    with api.stream("GET", f"/api/v2/simulations/{found['id']}/stream", params=asked) as events:
        data = (line.removeprefix("data: ") for line in events.iter_lines() if line.startswith("data: {"))
        return found, [json.loads(each) for each in islice(data, count)]
