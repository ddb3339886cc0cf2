"""A path of a sweep as a session of the HTTP service."""

from __future__ import annotations

from typing import Any

import httpx

from optionchain.errors import InvalidInput
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.wire.instants import instant_to_wire
from optionchain.wire.parameters import PLAIN_FIELDS, fields_to_wire, shown

PATIENCE_SECONDS = 30.0


def create_session(parameters: SimulationParameters, *, url: str, api_key: str | None) -> dict[str, Any]:
    """Create a v1 session; see `SweepResult.session`."""
    headers = {} if api_key is None else {"X-API-Key": api_key}
    answer = httpx.post(
        f"{url.rstrip('/')}/api/v1/chain",
        json=session_request(parameters),
        headers=headers,
        timeout=PATIENCE_SECONDS,
    )
    session: dict[str, Any] = answer.raise_for_status().json()
    return session


def session_request(parameters: SimulationParameters) -> dict[str, Any]:
    """The body that creates a v1 session of these parameters.

    Raises:
        InvalidInput: A v1 session cannot have them.
    """
    if not isinstance(parameters.expirations, SingleExpiration):
        raise InvalidInput("expirations", "a v1 session has a single expiration: replay it with `simulation`")
    if parameters.step_interval is not None:
        raise InvalidInput("step_interval", "a v1 session has none: replay it with `simulation`")
    return fields_to_wire(shown(parameters, (*PLAIN_FIELDS, "path", "method"))) | {
        "time_frame": parameters.time_frame.to_wire(),
        "days_to_expiration": parameters.expirations.days,
        "start_at": instant_to_wire(parameters.start_at),
    }
