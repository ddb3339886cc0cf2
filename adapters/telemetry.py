"""Which observers a process has, by the settings."""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from adapters.ray_metrics import RayMetrics
from adapters.structured_log import Severity, StructuredLog
from optionchain.observing import Observer, Observers


class TelemetrySettings(BaseModel):
    """What is told of what the service does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info",
        description="What the log holds: `warning` and more are outages, `error` is bugs; `debug` tells of everything",
    )


@cache
def open_observer(settings: TelemetrySettings) -> Observer:
    """The observer of this process: one, whoever asks."""
    return Observers((RayMetrics(), StructuredLog(Severity[settings.log_level.upper()])))
