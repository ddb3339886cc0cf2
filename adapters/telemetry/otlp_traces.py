"""What the observer is told, as spans sent to a collector by OTLP over HTTP. Imported only where an endpoint is set.

The provider is this module's alone, not OpenTelemetry's global one, of which FastAPI and others would make spans too. A
span is named as its operation, and a request by the template of its route; its attributes are the operation's facts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar, Token
from random import getrandbits, random

from opentelemetry import trace
from opentelemetry.context import Context as SpanScope
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import INVALID_SPAN, Link, NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags

from adapters.settings import TelemetrySettings
from adapters.telemetry.redaction import Redaction
from adapters.telemetry.severity import Severity, level_of
from optionchain import __version__
from optionchain.context import HOUSEKEEPING, Context
from optionchain.observing import Fact, Observer, Operation

EXPORT_SECONDS = 2.0
# Each sending costs a millisecond or more of the processor, however little is sent.
SEND_MILLISECONDS = 5000
MOST_WAITING = 4096
TOGETHER = 512
REQUEST = "http.request"
KINDS = {REQUEST: SpanKind.SERVER, "redis.call": SpanKind.CLIENT, "mongodb.call": SpanKind.CLIENT}

# The span within which this task or thread is: a variable of ours, which no instrumentation of others reads.
_within: ContextVar[Span | None] = ContextVar("span", default=None)
# Stands for every span of a trace that nobody keeps: to make them all, six a step, would be half a step's cost.
_UNKEPT: Span = INVALID_SPAN


class Traces:
    """The observer that makes spans.

    A caller's decision to sample holds; of what nobody decided the share of the settings is sampled. What fails by no
    fault of a caller, or is slow, is told in any case, afterwards and alone: its parts were not kept.

    Args:
        settings: Where to, and how much.
        process: What kind of process this is.
        metrics: Told of spans that could not be sent.
        redact: Takes secrets out of the words of an error.
    """

    def __init__(
        self,
        settings: TelemetrySettings,
        process: str,
        metrics: Observer,
        redact: Callable[[str], str] | None = None,
    ) -> None:
        resource = Resource(
            {
                "service.namespace": "optionchain",
                "service.name": f"optionchain-{process or 'process'}",
                "service.version": __version__,
                "service.instance.id": str(os.getpid()),
            }
        )
        exporter = OTLPSpanExporter(f"{str(settings.endpoint).rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS)
        sending = BatchSpanProcessor(
            _Counted(exporter, metrics),
            max_queue_size=MOST_WAITING,
            max_export_batch_size=TOGETHER,
            schedule_delay_millis=SEND_MILLISECONDS,
        )
        # What is sampled is decided here, before there is a span.
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=resource)
        self._provider.add_span_processor(sending)
        self._tracer = self._provider.get_tracer("optionchain")
        self._ratio = settings.ratio
        self._slow_seconds = settings.slow_seconds
        self._redact = redact or Redaction()
        # Of what is under way: as many as there are calls.
        self._open: dict[int, tuple[Span, Token[Span | None]]] = {}

    def started(self, operation: Operation) -> None:
        parent = self._parent(operation.context)
        if parent is None and random() >= self._ratio:
            unkept = SpanContext(getrandbits(128) or 1, getrandbits(64) or 1, is_remote=False)
            operation.context = operation.context._replace(trace=traceparent(unkept))
            parent = _UNKEPT
        if parent is _UNKEPT:
            span = parent
        else:
            kind = KINDS.get(operation.name, SpanKind.INTERNAL)
            span = self._tracer.start_span(operation.name, _scope(parent), kind=kind)
            operation.context = operation.context._replace(trace=traceparent(span.get_span_context()))
        self._open[id(operation)] = span, _within.set(span)

    def finished(self, operation: Operation) -> None:
        self._end(operation, None)

    def failed(self, operation: Operation, error: BaseException) -> None:
        if id(operation) not in self._open:  # it failed as it began
            self.started(operation)
        self._end(operation, error)

    def counted(self, quantity: str, amount: float = 1.0, **labels: str) -> None:
        pass

    def noted(self, event: str, context: Context = HOUSEKEEPING, **facts: Fact) -> None:
        span = _within.get()
        if span is not None and span.is_recording():
            span.add_event(event, _attributes(facts))

    def flush(self) -> None:
        """Send what waits."""
        self._provider.force_flush()

    def close(self) -> None:
        """Send what waits, and no more."""
        self._provider.shutdown()

    def _parent(self, context: Context) -> Span | None:
        """What a span is a part of: what its task is within, unless that is another caller's."""
        within = _within.get()
        if not context.trace:
            return within
        if not context.is_followed:
            return _UNKEPT
        given = span_context(context.trace)
        if within is not None and given and within.get_span_context().trace_id == given.trace_id:
            return within
        return None if given is None else NonRecordingSpan(given)

    def _end(self, operation: Operation, error: BaseException | None) -> None:
        opened = self._open.pop(id(operation), None)
        if opened is None:
            return
        span, token = opened
        with suppress(ValueError):  # a listener may be told of the end elsewhere than of the beginning
            _within.reset(token)
        if span is not _UNKEPT:
            self._complete(span, operation, error)
        elif operation.name == REQUEST and self._is_of_interest(operation, error):
            began = time.time_ns() - int(operation.seconds * 1e9)
            parent = span_context(operation.context.trace)
            scope = _scope(parent and NonRecordingSpan(parent))
            late = self._tracer.start_span(operation.name, scope, kind=SpanKind.SERVER, start_time=began)
            self._complete(late, operation, error)

    def _is_of_interest(self, operation: Operation, error: BaseException | None) -> bool:
        status = operation.facts.get("status")
        has_failed = isinstance(status, int) and status >= 500
        has_failed = has_failed or (error is not None and level_of(error) >= Severity.WARNING)
        return has_failed or operation.seconds >= self._slow_seconds

    def _complete(self, span: Span, operation: Operation, error: BaseException | None) -> None:
        span.set_attributes(_attributes(operation.facts))
        if operation.name == REQUEST:
            span.update_name(f"{operation.facts.get('method')} {operation.facts.get('route')}")
        status = operation.facts.get("status")
        if isinstance(status, int) and status >= 500:
            span.set_status(trace.StatusCode.ERROR)
        if error is not None:
            span.set_status(trace.StatusCode.ERROR)
            message = self._redact(str(error))
            span.add_event(
                "exception", {"exception.type": type(error).__name__, "exception.message": message}
            )
        self._link(span, operation.served)
        span.end()

    def _link(self, span: Span, served: Sequence[Context]) -> None:
        """Links to the other callers that were served together, and from each of them back."""
        own = span.get_span_context()
        for other in served:
            caller = span_context(other.trace)
            if caller is None or not caller.trace_flags.sampled or caller.span_id == own.span_id:
                continue
            span.add_link(caller)
            scope = _scope(NonRecordingSpan(caller))
            self._tracer.start_span("session.served_together", scope, links=[Link(own)]).end()


class _Counted(SpanExporter):
    """An exporter whose failures are counted: a collector that is down costs spans, and nothing else."""

    def __init__(self, exporter: SpanExporter, metrics: Observer) -> None:
        self._exporter, self._metrics = exporter, metrics

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self._metrics.counted("telemetry.failed", len(spans), signal="traces")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def _scope(parent: Span | None) -> SpanScope:
    """What OpenTelemetry takes for a parent; it would look for one of its own otherwise."""
    return SpanScope() if parent is None else trace.set_span_in_context(parent, SpanScope())


def traceparent(context: SpanContext) -> str:
    """The W3C header of a span."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def span_context(header: str) -> SpanContext | None:
    """The span of a W3C header that the edge has checked; None where there is none."""
    if not header:
        return None
    _, trace_id, span_id, flags = header.split("-")[:4]
    return SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )


def _attributes(facts: dict[str, Fact]) -> dict[str, str | int | float | bool]:
    return {name: fact for name, fact in facts.items() if fact is not None}
