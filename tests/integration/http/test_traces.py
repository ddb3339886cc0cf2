"""The spans of real requests through the edge, the gateway, the host and Redis, as a collector of OTLP decodes them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import trace

from adapters.settings import TelemetrySettings
from adapters.telemetry.otlp_traces import Traces
from cluster.instance.ports import free_ports
from optionchain.errors import Unavailable
from optionchain.observing import Observers, observed, tell_failure
from tests.callers import on_behalf_of
from tests.collector import Collector, attributes, collecting
from tests.integration.http.in_process_service import ALICE, service
from tests.recording import Recording
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio
TRACE, OTHER = "0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319c"


def header(trace_id: str, flags: str = "01") -> dict[str, str]:
    return {"traceparent": f"00-{trace_id}-b7ad6b7169203331-{flags}"}


@contextmanager
def tracing(ratio: float = 0.0, **settings: Any) -> Iterator[tuple[Traces, Collector]]:
    with collecting() as collector:
        traces = Traces(
            TelemetrySettings(endpoint=collector.url, ratio=ratio, **settings), "http", Recording()
        )
        try:
            yield traces, collector
        finally:
            traces.close()


async def stepped(
    server: RedisServer, traces: Traces, parameters: dict[str, Any], callers: list[dict[str, str]]
) -> None:
    """A session each, created untraced, then stepped by all callers at once."""
    async with service(server, "traced", observer=traces) as running, running.client(ALICE) as api:
        ids = [(await api.post("/api/v1/chain", json=parameters)).json()["id"] for _ in callers]
        await asyncio.gather(
            *(
                api.post("/api/v1/chain/step", params={"sessionid": each}, headers=caller)
                for each, caller in zip(ids, callers, strict=True)
            )
        )
    await asyncio.to_thread(traces.flush)


async def test_a_traced_request_is_a_tree_down_to_redis(
    server: RedisServer, parameters: dict[str, Any]
) -> None:
    with tracing() as (traces, collector):
        await stepped(server, traces, parameters, [header(TRACE)])

    (request,) = collector.named("POST /api/v1/chain/step")
    (commit,) = collector.named("session.commit")
    assert collector.ancestors(commit) == ["session.batch", "session.call", "POST /api/v1/chain/step"]
    assert request.parent_span_id.hex() == "b7ad6b7169203331"
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    assert {"session.render"} <= {span.name for span in collector.spans}
    assert attributes(request)["route"] == "/api/v1/chain/step"
    assert attributes(request)["status"] == 200
    told = str(collector.spans)
    assert "sessionid" not in told
    assert ALICE not in told


@pytest.mark.parametrize(("flags", "is_kept"), [("01", True), ("00", False)])
async def test_an_answer_names_the_span_that_is_kept_of_it(
    server: RedisServer, parameters: dict[str, Any], flags: str, is_kept: bool
) -> None:
    with tracing() as (traces, collector):
        async with service(server, "traced", observer=traces) as running, running.client(ALICE) as api:
            answer = await api.post("/api/v1/chain", json=parameters, headers=header(TRACE, flags))
        await asyncio.to_thread(traces.flush)

    kept = [
        f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01" for span in collector.named("POST /api/v1/chain")
    ]
    assert answer.headers.get_list("traceresponse") == kept
    assert len(kept) == is_kept


async def test_an_answer_names_no_span_where_nobody_makes_any(
    server: RedisServer, parameters: dict[str, Any]
) -> None:
    async with service(server, "untraced") as running, running.client(ALICE) as api:
        answer = await api.post("/api/v1/chain", json=parameters, headers=header(TRACE))

    assert "traceresponse" not in answer.headers


async def test_a_batch_of_several_callers_is_linked_to_each_and_back(
    server: RedisServer, parameters: dict[str, Any]
) -> None:
    with tracing() as (traces, collector):
        await stepped(server, traces, parameters, [{}, header(TRACE), header(OTHER)])

    (batch,) = collector.named("session.batch")
    (back,) = collector.named("session.served_together")
    assert attributes(batch)["calls"] == 3
    assert {batch.trace_id.hex(), back.trace_id.hex()} == {TRACE, OTHER}
    assert [link.trace_id for link in batch.links] == [back.trace_id]
    assert [link.span_id for link in back.links] == [batch.span_id]


async def test_the_batch_after_it_is_not_the_first_callers(
    server: RedisServer, parameters: dict[str, Any]
) -> None:
    with tracing() as (traces, collector):
        async with service(server, "traced", observer=traces) as running, running.client(ALICE) as api:
            session = (await api.post("/api/v1/chain", json=parameters)).json()["id"]
            for caller in (header(TRACE), {}, header(OTHER)):
                await api.post("/api/v1/chain/step", params={"sessionid": session}, headers=caller)

    assert [span.trace_id.hex() for span in collector.named("session.batch")] == [TRACE, OTHER]


def test_what_is_done_for_another_caller_is_a_part_of_that_callers_trace() -> None:
    with tracing() as (traces, collector):
        outer, inner = (
            on_behalf_of("anna")._replace(trace=header(each)["traceparent"]) for each in (TRACE, OTHER)
        )
        with observed(traces, "session.call", outer), observed(traces, "session.batch", inner):
            pass

    assert [span.trace_id.hex() for span in collector.named("session.batch")] == [OTHER]


# 02 is W3C's "the identity is random", which says nothing of who keeps the trace.
@pytest.mark.parametrize("flags", ["00", "02"])
def test_of_what_was_not_sampled_no_part_is(flags: str) -> None:
    with tracing(ratio=1.0) as (traces, collector):
        unsampled = on_behalf_of("anna")._replace(trace=header(TRACE, flags)["traceparent"])
        with observed(traces, "session.batch", unsampled) as batch, observed(traces, "redis.call"):
            pass

    assert collector.spans == []
    assert batch.context.trace == unsampled.trace


@pytest.mark.parametrize("flags", ["01", "03"])
def test_of_what_was_sampled_every_part_is(flags: str) -> None:
    with tracing(ratio=0.0) as (traces, collector):
        sampled = on_behalf_of("anna")._replace(trace=header(TRACE, flags)["traceparent"])
        with observed(traces, "session.batch", sampled), observed(traces, "redis.call"):
            pass

    assert sorted(span.name for span in collector.spans) == ["redis.call", "session.batch"]
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}


@pytest.mark.parametrize(("ratio", "expected"), [(0.0, 0), (1.0, 20)])
def test_of_what_nobody_decided_the_share_is_sampled(ratio: float, expected: int) -> None:
    with tracing(ratio) as (traces, collector):
        for _ in range(20):
            with observed(traces, "http.request", route="/x", method="GET", status=200):
                pass

    assert len(collector.spans) == expected


def test_what_fails_or_is_slow_is_told_though_it_was_not_sampled() -> None:
    facts = {"route": "/x", "method": "GET", "status": 200}
    with tracing(slow_seconds=1e-9) as (slow, collector), observed(slow, "http.request", **facts):
        pass
    with tracing(slow_seconds=60.0) as (traces, failures):
        with observed(traces, "http.request", route="/x", method="GET") as operation:
            operation.facts["status"] = 503
        with observed(traces, "http.request", route="/x", method="GET", status=404):
            pass

    assert [span.name for span in collector.spans] == ["GET /x"]
    assert [attributes(span)["status"] for span in failures.spans] == [503]
    (span,) = failures.spans
    assert 0 < span.end_time_unix_nano - span.start_time_unix_nano < 10**9


def test_an_error_is_recorded_without_secrets() -> None:
    with tracing(ratio=1.0) as (traces, collector):
        tell_failure(traces, "history.warm", OSError("no way to mongodb://user:pass-word@host/"))

    (span,) = collector.spans
    assert span.status.code == 2
    assert "exception" in [event.name for event in span.events]
    assert "pass-word" not in str(span)


def test_a_collector_that_is_down_is_counted_and_nothing_else() -> None:
    (port,) = free_ports(1)
    metrics = Recording()
    traces = Traces(TelemetrySettings(endpoint=f"http://127.0.0.1:{port}", ratio=1.0), "http", metrics)

    with observed(traces, "http.request", route="/x", method="GET", status=200):
        pass
    traces.close()

    assert metrics.counts["telemetry.failed"] == 1


def test_the_log_names_the_span_and_nobody_else_has_a_tracer() -> None:
    recording = Recording()
    with tracing(ratio=1.0) as (traces, collector):
        with observed(Observers((traces, recording)), "http.request", route="/x", method="GET"):
            pass
        with pytest.raises(Unavailable), observed(Observers((traces, recording)), "session.commit"):
            raise Unavailable("the session store")

    assert recording.ended[0].context.trace.split("-")[1] == collector.spans[0].trace_id.hex()
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def test_without_an_endpoint_nothing_of_it_is_imported() -> None:
    code = (
        "import sys\n"
        "from adapters.telemetry.observers import open_observer\n"
        "from adapters.settings import TelemetrySettings\n"
        "open_observer(TelemetrySettings())\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry.sdk.trace') or 'otlp' in name])"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
