"""The bodies of the v1 routes. Types are checked here, ranges by the domain, which every caller shares."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from optionchain.models import model_from_wire, model_schema
from optionchain.parameters import (
    MAX_CHAIN_SIZE,
    MAX_COEFFICIENT,
    MAX_DAYS_TO_EXPIRATION,
    MAX_PRICE,
    MAX_RATE,
    MAX_SEED,
    MAX_STEPS,
    MAX_SYMBOL_LENGTH,
    MAX_VOLATILITY,
    MIN_PRICE,
    SimulationParameters,
    SingleExpiration,
)
from optionchain.time_frame import TimeFrame, time_frame_schema
from optionchain.wire.instants import instant_from_wire

Symbol = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            # Visible ASCII; what else is printable is accepted as well.
            "pattern": f"^[!-~]{{1,{MAX_SYMBOL_LENGTH}}}$",
            "examples": ["SPX"],
        }
    ),
]
Steps = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_STEPS})]
Price = Annotated[float, WithJsonSchema({"type": "number", "minimum": MIN_PRICE, "maximum": MAX_PRICE})]
Days = Annotated[
    float, WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": MAX_DAYS_TO_EXPIRATION})
]
Volatility = Annotated[
    float, WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": MAX_VOLATILITY})
]
Rate = Annotated[float, WithJsonSchema({"type": "number", "minimum": -MAX_RATE, "maximum": MAX_RATE})]
Yield = Annotated[float, WithJsonSchema({"type": "number", "minimum": 0, "maximum": MAX_RATE})]
Method = Annotated[dict[str, Any], WithJsonSchema(model_schema())]
WireTimeFrame = Annotated[str | dict[str, Any], WithJsonSchema(time_frame_schema())]
ChainSize = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": MAX_CHAIN_SIZE})]
Spread = Annotated[float, WithJsonSchema({"type": "number", "minimum": 0, "maximum": MAX_PRICE})]
Coefficient = Annotated[
    float, WithJsonSchema({"type": "number", "minimum": -MAX_COEFFICIENT, "maximum": MAX_COEFFICIENT})
]
Instant = Annotated[
    str, WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-05T14:30:00Z"]})
]
Seed = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": MAX_SEED})]

DEFAULTS: Mapping[str, Any] = {
    field: SimulationParameters.__dataclass_fields__[field].default
    for field in ("chain_size", "strike_interval", "skew_slope", "smile_curve", "spread", "path")
}
EXAMPLE: dict[str, Any] = {
    "symbol": "SPX",
    "steps": 30,
    "initial_price": 5000.0,
    "days_to_expiration": 30.0,
    "volatility": 0.2,
    "risk_free_rate": 0.04,
    "dividend_yield": 0.015,
    "method": {"GeometricBrownian": {"dt": 0.004, "drift": 0.05, "volatility": 0.2}},
    "time_frame": "Day",
    "seed": 42,
}


class ChainParameters(BaseModel):
    """All parameters of a v1 session. Unknown keys are ignored; optional ones may be absent or null."""

    model_config = ConfigDict(strict=True, extra="ignore", json_schema_extra={"examples": [EXAMPLE]})

    symbol: Symbol
    steps: Steps
    initial_price: Price
    days_to_expiration: Days
    volatility: Volatility
    risk_free_rate: Rate
    dividend_yield: Yield
    method: Method
    time_frame: WireTimeFrame
    chain_size: ChainSize | None = Field(None, description="Strikes a side; null means 30")
    strike_interval: Price | None = Field(None, description="null chooses one by spot, volatility and time")
    skew_slope: Coefficient | None = Field(None, description="null means -0.2")
    smile_curve: Coefficient | None = Field(None, description="null means 0.4")
    spread: Spread | None = Field(None, description="Bid-ask spread in currency units; null means 0.01")
    seed: Seed | None = Field(None, description="null draws one; it is echoed")
    path: Seed | None = Field(
        None, description="Which of the seed's paths, as a sweep numbers them; null means 0"
    )
    start_at: Instant | None = Field(
        None, description="RFC 3339; null means midnight UTC of the day of creation"
    )


class ChainChanges(BaseModel):
    """Some parameters of a v1 session. Absent keeps; null keeps too, but clears an optional one to its default."""

    model_config = ConfigDict(
        strict=True, extra="ignore", json_schema_extra={"examples": [{"volatility": 0.3}]}
    )

    symbol: Symbol | None = None
    steps: Steps | None = None
    initial_price: Price | None = None
    days_to_expiration: Days | None = None
    volatility: Volatility | None = None
    risk_free_rate: Rate | None = None
    dividend_yield: Yield | None = None
    method: Method | None = None
    time_frame: WireTimeFrame | None = None
    chain_size: ChainSize | None = None
    strike_interval: Price | None = None
    skew_slope: Coefficient | None = None
    smile_curve: Coefficient | None = None
    spread: Spread | None = None
    seed: Seed | None = Field(None, description="null draws a new one")
    path: Seed | None = None
    start_at: Instant | None = None


def changes_of(
    body: ChainParameters | ChainChanges, today: datetime, configured: Mapping[str, Any] = DEFAULTS
) -> dict[str, Any]:
    """The fields that a request sets, by the names and in the values of `SimulationParameters`.

    For a full body that is every field; for a partial one what is present, its nulls as documented.
    """
    defaults = {**DEFAULTS, **configured}
    sent = body.model_fields_set if isinstance(body, ChainChanges) else type(body).model_fields
    changes: dict[str, Any] = {}
    for name in sent:
        value = getattr(body, name)
        if name in DEFAULTS:
            changes[name] = defaults[name] if value is None else value
        elif name == "seed":
            changes[name] = secrets.randbits(64) if value is None else value
        elif name == "start_at":
            changes[name] = today if value is None else instant_from_wire(name, value)
        elif value is not None:
            changes |= _domain_value(name, value)
    return changes


def _domain_value(name: str, value: Any) -> dict[str, Any]:
    match name:
        case "method":
            return {"method": model_from_wire(value)}
        case "time_frame":
            return {"time_frame": TimeFrame.from_wire(value, "time_frame")}
        case "days_to_expiration":
            return {"expirations": SingleExpiration(value)}
    return {name: value}
