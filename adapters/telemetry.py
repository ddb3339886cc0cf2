"""Which observers a process has, by the settings."""

from __future__ import annotations

from functools import cache

from adapters.ray_metrics import RayMetrics
from adapters.settings import TelemetrySettings
from adapters.structured_log import Severity, StructuredLog
from optionchain.observing import Observer, Observers


@cache
def open_observer(settings: TelemetrySettings) -> Observer:
    """The observer of this process: one, whoever asks."""
    return Observers((RayMetrics(), StructuredLog(Severity[settings.log_level.upper()])))
