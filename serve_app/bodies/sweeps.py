"""The bodies of the sweep routes, for the OpenAPI document; `optionchain.sweeps.wire` reads what is sent."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from optionchain.measures import MEASURES_WITH_TERMS, PLAIN_MEASURES
from serve_app.openapi.documentation import Pagination

_NAMES = ", ".join([*PLAIN_MEASURES, *MEASURES_WITH_TERMS])

EXAMPLE: dict[str, Any] = {
    "base": {
        "symbol": "SPX",
        "steps": 64,
        "initial_price": 5000.0,
        "days_to_expiration": 60.0,
        "volatility": 0.2,
        "risk_free_rate": 0.03,
        "method": {"GeometricBrownian": {"dt": 0.00274, "drift": 0.03, "volatility": 0.2}},
        "seed": 7,
    },
    "grid": {"volatility": {"from": 0.1, "to": 0.5, "points": 5}, "method.drift": [0.0, 0.05]},
    "measures": ["terminal_price", {"short_strangle": {"delta": 0.16, "days": 30}}],
    "paths": 1000,
}


class SweepRequest(BaseModel):
    """Scenarios of a simulation, each with many paths. Unknown keys are refused."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [EXAMPLE], "required": ["base", "measures"]}
    )

    base: dict[str, Any] | None = Field(
        None, description="Parameters as of a v1 session, or with `schedules` as of a v2 simulation"
    )
    measures: Any = Field(None, description=f"Names, or objects of a name with its terms: {_NAMES}")
    grid: Any = Field(None, description="Parameter to list of values, or `{from, to, points}`")
    scenarios: Any = Field(None, description="List of objects from parameter to value, instead of a grid")
    design: Any = Field(None, description="`{bounds, points, kind, seed}`: scenarios that fill a box")
    shocks: Any = Field(None, description="List of `{name, spot, volatility, rates}`, each on every scenario")
    paths: Any = Field(None, description="Of each scenario; 1000 by default")
    seed: Any = Field(None, description="Instead of the base's")
    sampling: Any = Field(None, description="`independent`, `antithetic` or `sobol`")
    control: Any = Field(None, description="`terminal_price`: its known mean corrects the others")
    quantiles: Any = Field(None, description="Levels that are reported")
    tail: Any = Field(None, description="Share of the worst paths for value at risk and expected shortfall")
    covariances: Any = Field(None, description="Report the covariance of each pair of measures")


class SweepProgress(BaseModel):
    """How far it is. Paths and contracts are those of this run: an earlier one's are in `share` only."""

    scenarios: int
    failures: int
    share: float = Field(description="0 to 1")
    paths: int
    contracts: int
    paths_per_second: float
    contracts_per_second: float
    seconds: float
    seconds_left: float | None


class SweepView(BaseModel):
    """A sweep."""

    id: str = Field(
        description="Follows from the caller and the definition: the same sweep again is the same"
    )
    state: Literal["queued", "running", "completed", "cancelled", "failed"]
    error: str | None = Field(description="Why it failed")
    scenarios: int
    paths: int = Field(description="Of each scenario")
    submitted_at: str
    ended_at: str | None = Field(description="When it was completed, cancelled or failed")
    progress: SweepProgress | None


class SweepPage(BaseModel):
    """Some of a caller's sweeps."""

    data: list[SweepView]
    pagination: Pagination
