"""Which observers a process has, by the settings."""

from __future__ import annotations

from functools import cache

from adapters.metrics.hand_over import ray_metrics
from adapters.settings import TelemetrySettings
from adapters.telemetry.redaction import Redaction
from adapters.telemetry.severity import Severity
from adapters.telemetry.structured_log import StructuredLog
from optionchain.observing import Observer, Observers


@cache
def open_observer(settings: TelemetrySettings, process: str = "", secrets: tuple[str, ...] = ()) -> Observer:
    """The observer of this process: one, whoever asks.

    Args:
        settings: What is told.
        process: What kind of process this is.
        secrets: What is never told.
    """
    metrics = ray_metrics(process)
    log = open_log(settings, process, secrets)
    if settings.endpoint is None:
        return Observers((metrics, log))
    from adapters.telemetry.otlp_traces import Traces  # noqa: PLC0415  who has no collector need not import it

    # Traces first: the log tells of the span, and the context that goes on with a call names it.
    return Observers((Traces(settings, process, metrics, Redaction(secrets)), metrics, log))


def open_log(settings: TelemetrySettings, process: str, secrets: tuple[str, ...] = ()) -> StructuredLog:
    """The log alone, for a process that is none of Ray's."""
    return StructuredLog(
        Severity[settings.log_level.upper()],
        process=process,
        access=settings.access_log,
        redact=Redaction(secrets),
    )
