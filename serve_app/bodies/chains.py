"""The bodies of the v1 routes. Types are checked here, ranges by the domain, which every caller shares."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field, WithJsonSchema

from optionchain.declared.parameters import declared_parameters
from optionchain.models import model_from_wire, model_schema
from optionchain.parameters import MAX_DAYS_TO_EXPIRATION, SingleExpiration
from optionchain.time_frame import TimeFrame, time_frame_schema
from optionchain.wire.instants import instant_from_wire
from serve_app.bodies.declared import DEFAULTS, partial_body, resolved, whole_body

Days = Annotated[
    float, WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": MAX_DAYS_TO_EXPIRATION})
]
Method = Annotated[dict[str, Any], WithJsonSchema(model_schema())]
WireTimeFrame = Annotated[str | dict[str, Any], WithJsonSchema(time_frame_schema())]
Instant = Annotated[
    str, WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-05T14:30:00Z"]})
]

EXAMPLE: dict[str, Any] = {
    "symbol": "SPX",
    "steps": 30,
    "initial_price": 5000.0,
    "days_to_expiration": 30.0,
    "volatility": 0.2,
    "risk_free_rate": 0.04,
    "dividend_yield": 0.015,
    "method": {"GeometricBrownian": {"dt": 0.00274, "drift": 0.05, "volatility": 0.2}},
    "time_frame": "Day",
    "seed": 42,
}


class ChainParameters(whole_body()):  # type: ignore[misc]  # its fields are declared in the domain
    """All parameters of a v1 session. Unknown keys are told of; optional ones may be absent or null."""

    model_config = ConfigDict(strict=True, extra="allow", json_schema_extra={"examples": [EXAMPLE]})

    days_to_expiration: Days
    method: Method
    time_frame: WireTimeFrame
    start_at: Instant | None = Field(
        None, description="RFC 3339; null means midnight UTC of the day of creation"
    )


class ChainChanges(partial_body()):  # type: ignore[misc]
    """Some parameters of a v1 session. Absent keeps; null keeps too, but clears an optional one to its default."""

    model_config = ConfigDict(
        strict=True, extra="allow", json_schema_extra={"examples": [{"volatility": 0.3}]}
    )

    days_to_expiration: Days | None = None
    method: Method | None = None
    time_frame: WireTimeFrame | None = None
    start_at: Instant | None = None


def changes_of(
    body: ChainParameters | ChainChanges,
    today: datetime,
    configured: Mapping[str, Any] = DEFAULTS,
    time_frame: TimeFrame | None = None,
) -> dict[str, Any]:
    """The fields that a request sets, by the names and in the values of `SimulationParameters`.

    For a full body that is every field; for a partial one what is present, its nulls as documented.

    Args:
        body: The request.
        today: The start where it says null.
        configured: What omitted parameters are.
        time_frame: That of the session where the body names none; it says how long a step of the method is.
    """
    if body.time_frame is not None:
        time_frame = TimeFrame.from_wire(body.time_frame, "time_frame")
    changes: dict[str, Any] = {}
    for name in sent_fields(body):
        value = getattr(body, name)
        declared = declared_parameters().get(name)
        if declared is not None and (value is not None or declared.omission is not None):
            changes[name] = resolved(name, value, configured)
        elif name == "start_at":
            changes[name] = today if value is None else instant_from_wire(name, value)
        elif value is not None:
            changes |= _domain_value(name, value, time_frame)
    return changes


def sent_fields(body: ChainParameters | ChainChanges) -> list[str]:
    """The known fields that a body sets: all of a full one."""
    known = type(body).model_fields
    return (
        list(known) if isinstance(body, ChainParameters) else [n for n in known if n in body.model_fields_set]
    )


def _domain_value(name: str, value: Any, time_frame: TimeFrame | None) -> dict[str, Any]:
    match name:
        case "method":
            step_years = None if time_frame is None else 1.0 / time_frame.periods_per_year
            return {"method": model_from_wire(value, step_years=step_years)}
        case "time_frame":
            return {"time_frame": time_frame}
        case "days_to_expiration":
            return {"expirations": SingleExpiration(value)}
    raise LookupError(name)
