"""A collector of OTLP that keeps the spans it is sent, decoded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.posted import posted_to


class Collector:
    """What it was sent.

    Attributes:
        url: The endpoint.
        spans: All, as they came.
        services: By span id, the service that sent it.
    """

    def __init__(self) -> None:
        self.url = ""
        self.spans: list[Any] = []
        self.services: dict[bytes, str] = {}

    def named(self, name: str) -> list[Any]:
        return [span for span in self.spans if span.name == name]

    def ancestors(self, span: Any) -> list[str]:
        """The names of the spans above it, as far as they were sent; the nearest first."""
        by_id = {each.span_id: each for each in self.spans}
        names = []
        while span := by_id.get(span.parent_span_id):
            names.append(span.name)
        return names

    def take(self, _: str, body: bytes) -> None:
        message = ExportTraceServiceRequest()
        message.ParseFromString(body)
        for resource in message.resource_spans:
            service = attributes(resource.resource)["service.name"]
            for scope in resource.scope_spans:
                self.services |= {span.span_id: service for span in scope.spans}
                self.spans += scope.spans


def attributes(of: Any) -> dict[str, Any]:
    """Of a span or a resource."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in of.attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    with posted_to(collector.take) as collector.url:
        yield collector
