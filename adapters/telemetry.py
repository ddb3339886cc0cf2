"""Which observers a process has, by the settings."""

from __future__ import annotations

from functools import cache

from adapters.metrics.hand_over import ray_metrics
from adapters.settings import TelemetrySettings
from adapters.severity import Severity
from adapters.structured_log import StructuredLog
from optionchain.observing import Observer, Observers


@cache
def open_observer(settings: TelemetrySettings, process: str = "") -> Observer:
    """The observer of this process: one, whoever asks.

    Args:
        settings: What is told.
        process: What kind of process this is.
    """
    return Observers((ray_metrics(process), StructuredLog(Severity[settings.log_level.upper()])))
