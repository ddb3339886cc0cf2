"""An OpenTelemetry Collector and Jaeger as an observed instance runs them: spans and lines arrive where one looks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from adapters.settings import TelemetrySettings
from adapters.telemetry.otlp_traces import Traces
from adapters.telemetry.structured_log import StructuredLog
from cluster.instance.embedded_servers import running
from cluster.instance.ports import free_ports
from cluster.instance.state import PrivateServer
from cluster.observe import configuration
from cluster.observe.servers import COLLECTOR, JAEGER, observing_servers, traces_endpoint
from optionchain.context import Context, Principal
from optionchain.observing import Unobserved, observed
from tests.collector import attributes
from tests.posted import posted_to
from tests.waiting import eventually

BUILD = Path(__file__).with_name("built") / "build.sh"
BUILT = Path(
    subprocess.run([str(BUILD), "--where"], capture_output=True, text=True, check=True).stdout.strip()
)
PATIENCE_SECONDS = 60.0
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ANNA = Context(Principal("desk", "anna"), trace=f"00-{TRACE}-{SPAN}-01")
pytestmark = pytest.mark.timeout(300)


def needs(*names: str) -> pytest.MarkDecorator:
    """Skips a test where one of these is not built."""
    missing = [name for name in names if not (BUILT / name).exists()]
    return pytest.mark.skipif(
        bool(missing), reason=f"not built: {', '.join(missing)}; `make observing-tools` does it, once"
    )


@pytest.fixture
def tracing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[PrivateServer, ...]]:
    """The collector and Jaeger, as they are started beside an instance."""
    monkeypatch.setenv("PATH", os.pathsep.join((str(BUILT), "/usr/bin", "/bin")))
    servers = observing_servers(tmp_path, webhook=None, logs=tmp_path, ray_logs=tmp_path)
    with ExitStack() as stack:
        for server in servers:
            if server.name in (COLLECTOR, JAEGER):
                stack.enter_context(running(server, tmp_path, patience_seconds=PATIENCE_SECONDS))
        yield servers


@needs("otelcol", "jaeger")
def test_what_is_traced_is_found_in_jaeger(tracing: tuple[PrivateServer, ...]) -> None:
    [jaeger] = [server for server in tracing if server.name == JAEGER]
    traces = Traces(TelemetrySettings(endpoint=traces_endpoint(tracing)), "replica", Unobserved())

    def found() -> list[dict[str, Any]]:
        answer = httpx.get(f"{jaeger.url}/api/traces/{TRACE}", trust_env=False)
        return answer.json()["data"] if answer.status_code == 200 else []

    with observed(traces, "http.request", ANNA, route="/api/v1/chain", method="GET"):
        pass

    eventually(lambda: found() != [], "the trace is there", patience_seconds=PATIENCE_SECONDS)
    [trace] = found()
    [span] = trace["spans"]
    assert "/api/v1/chain" in span["operationName"]
    assert [each["spanID"] for each in span["references"]] == [SPAN]


@needs("otelcol")
def test_a_line_of_the_log_arrives_with_its_level_its_facts_and_its_trace(tmp_path: Path) -> None:
    came: list[Any] = []

    def take(path: str, body: bytes) -> None:
        assert path == "/otlp/v1/logs"
        message = ExportLogsServiceRequest()
        message.ParseFromString(body)
        came.extend(
            (resource.resource, scope.log_records)
            for resource in message.resource_logs
            for scope in resource.scope_logs
        )

    [port] = free_ports(1)
    with posted_to(take) as loki, (tmp_path / "worker-1.err").open("w") as file:
        configured = configuration.collector(
            tmp_path, port=port, logs=tmp_path, jaeger_port=None, loki_port=urlsplit(loki).port
        )
        server = PrivateServer(COLLECTOR, (str(BUILT / "otelcol"), f"--config={configured}"), port, "")
        with running(server, tmp_path, patience_seconds=PATIENCE_SECONDS):
            file.write("(raylet) what Ray says itself is nobody's fact\n")
            StructuredLog(process="session", write=file.write).noted(
                "session.created", ANNA, session_id="3f0c"
            )
            file.flush()
            eventually(lambda: came != [], "the line is there", patience_seconds=PATIENCE_SECONDS)

    [(resource, [record])] = came
    assert attributes(resource) == {"service.name": "optionchain"}
    assert (record.trace_id.hex(), record.severity_text) == (TRACE, "INFO")
    assert '"session_id":"3f0c"' in record.body.string_value
