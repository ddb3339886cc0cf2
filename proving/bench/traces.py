"""What traces cost a step: instances that differ in nothing else take turns, so that all share a busy machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from rich.console import Console

from cluster.instance.state import InstanceState
from cluster.instance.temporary import private_settings, temporary_instance
from cluster.settings import Settings
from proving.bench.http import stepped_sessions
from proving.bench.load_generator import Load, Measured, Target, generate
from proving.bench.processor_time import seconds_by_role, used_since

# Of the requests, the share that is traced; none at all is without an endpoint.
RATIOS = {"off": None, "one_percent": 0.01, "all": 1.0}
CONNECTIONS = 64
ROUNDS = 6
SECONDS = 4.0


def run() -> dict[str, float]:
    """Step sessions of three instances in turn: without traces, with one request of a hundred traced, and with all.

    Returns:
        For ``off``, ``one_percent`` and ``all``: ``step_*_processor_milliseconds`` of all processes of the instance
        (the collector is none of them) and ``step_*_per_second``; ``one_percent_adds_milliseconds`` and
        ``all_adds_milliseconds`` to a step's processor time; ``spans_posted``, the requests that the collector got.

    Raises:
        InstanceProblem: An instance does not start.
        httpx.HTTPError: One does not answer.
    """
    spent: defaultdict[str, float] = defaultdict(float)
    measured: defaultdict[str, list[Measured]] = defaultdict(list)
    with ExitStack() as stack:
        url, posted = stack.enter_context(_collector())
        states = {
            name: stack.enter_context(temporary_instance(Console(stderr=True), _traced(url, ratio)))[1]
            for name, ratio in RATIOS.items()
        }
        loads = {name: stack.enter_context(_stepping(state)) for name, state in states.items()}
        for _ in range(ROUNDS):
            for name, state in states.items():
                before = seconds_by_role(state.marker)
                target = Target(state.base_url, state.api_key or "")
                measured[name].append(generate(target, loads[name], connections=CONNECTIONS, seconds=SECONDS))
                spent[name] += sum(used_since(before, seconds_by_role(state.marker)).values())
    steps = {name: sum(one.requests for one in rounds) for name, rounds in measured.items()}
    cost = {name: 1e3 * spent[name] / steps[name] for name in RATIOS}
    return (
        {f"step_{name}_processor_milliseconds": milliseconds for name, milliseconds in cost.items()}
        | {f"step_{name}_per_second": steps[name] / (ROUNDS * SECONDS) for name in RATIOS}
        | {f"{name}_adds_milliseconds": cost[name] - cost["off"] for name in RATIOS if name != "off"}
        | {
            "spans_posted": len(posted),
            "failed": sum(one.failed for all_ in measured.values() for one in all_),
        }
    )


def _traced(url: str, ratio: float | None) -> Callable[[Path], Settings]:
    """Makes the settings of an instance that sends its traces there."""
    traces = {"endpoint": None} if ratio is None else {"endpoint": url, "ratio": ratio}
    return lambda folder: private_settings(folder).with_changes({"telemetry": traces})


@contextmanager
def _stepping(state: InstanceState) -> Iterator[Load]:
    with stepped_sessions(Target(state.base_url, state.api_key or "")) as ids:
        yield Load("step", [("POST", f"/api/v1/chain/step?sessionid={one}", b"") for one in ids])


@contextmanager
def _collector() -> Iterator[tuple[str, list[int]]]:
    """Takes what is posted, and keeps its length alone."""
    posted: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(len(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", posted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
