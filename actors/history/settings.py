"""What can be set of how history is served."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class HistorySettings(BaseModel):
    """How history is served."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_running: int = Field(32, ge=1, description="Queries that run at a time")
    max_waiting: int = Field(1024, ge=0, description="Queries that may wait; then 503")
    page_bars: int = Field(20_000, ge=1, description="Bars that travel together; a longer answer is streamed")
    max_window_bars: int = Field(5_000_000, ge=1, description="Bars that a historical model may draw from")
    chain_seconds: float = Field(
        3600.0,
        gt=0,
        description="How long chains, bars and analytics are fresh in the cache; a change ends it",
    )
    listing_seconds: float = Field(10.0, gt=0, description="How long lists of assets and ranges are fresh")
    stale_seconds: float = Field(
        86_400.0, ge=0, description="How much longer they are given while MongoDB is down"
    )
    analytics_stale_seconds: float = Field(
        600.0, ge=0, description="The same for bars and analytics, of which there is no end"
    )
    warm_days: int = Field(32, ge=0, description="Most used days that are loaded when the actor starts")
    housekeeping_seconds: float = Field(
        300.0, gt=0, description="Rhythm of what keeps the store and cache in order"
    )
    timeout_seconds: float = Field(10.0, gt=0, description="A caller's patience with one query; then 503")
