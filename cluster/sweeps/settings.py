"""How large the sweeps of HTTP callers may be, and where they are recorded."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SweepSettings(BaseModel):
    """How large the sweeps of HTTP callers may be, and where they are recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    output: str = Field(
        "", description="Folder or URL (s3://...) of recorded sweeps; empty means `sweeps` in the data folder"
    )
    max_scenarios: int = Field(100_000, ge=1, description="Scenarios of one sweep")
    max_prices: float = Field(1e11, ge=1, description="Scenarios times paths times steps of one sweep")
    max_numbers: int = Field(
        10_000_000,
        ge=1,
        description="Scenarios times columns of statistics of one sweep, which fit in memory",
    )
    max_running: int = Field(2, ge=1, le=64, description="Sweeps that run at a time; the others wait")
    max_unfinished: int = Field(10, ge=1, description="Sweeps of one caller that wait or run; then 503")
    max_kept: int = Field(
        1000,
        ge=1,
        description="Sweeps that are over and remembered, with their tables; then the oldest of whoever has most go",
    )
    max_followers: int = Field(
        100, ge=1, description="Callers to whom one replica streams progress at a time; then 503"
    )
