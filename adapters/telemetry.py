"""Which observers a process has, by the settings."""

from __future__ import annotations

from functools import cache

from adapters.metrics.hand_over import ray_metrics
from adapters.redaction import Redaction
from adapters.settings import TelemetrySettings
from adapters.severity import Severity
from adapters.structured_log import StructuredLog
from optionchain.observing import Observer, Observers


@cache
def open_observer(settings: TelemetrySettings, process: str = "", secrets: tuple[str, ...] = ()) -> Observer:
    """The observer of this process: one, whoever asks.

    Args:
        settings: What is told.
        process: What kind of process this is.
        secrets: What is never told.
    """
    return Observers((ray_metrics(process), open_log(settings, process, secrets)))


def open_log(settings: TelemetrySettings, process: str, secrets: tuple[str, ...] = ()) -> StructuredLog:
    """The log alone, for a process that is none of Ray's."""
    return StructuredLog(
        Severity[settings.log_level.upper()],
        process=process,
        access=settings.access_log,
        redact=Redaction(secrets),
    )
