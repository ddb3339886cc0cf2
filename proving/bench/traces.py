"""What traces cost a step: none, of one request of a hundred, of all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from proving.bench.other_servers import serving
from proving.bench.turns import figures_of, take_turns

# Of the requests, the share that is traced; none at all is without an endpoint.
RATIOS = {"off": None, "one_percent": 0.01, "all": 1.0}


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
    with _collector() as (url, posted):
        turns = take_turns({name: {"telemetry": _traces(url, ratio)} for name, ratio in RATIOS.items()})
    cost = {name: each.milliseconds_a_step for name, each in turns.items()}
    return (
        figures_of(turns)
        | {f"{name}_adds_milliseconds": cost[name] - cost["off"] for name in RATIOS if name != "off"}
        | {"spans_posted": len(posted)}
    )


def _traces(url: str, ratio: float | None) -> dict[str, Any]:
    """What is set of an instance that sends its traces there."""
    return {"endpoint": None} if ratio is None else {"endpoint": url, "ratio": ratio}


@contextmanager
def _collector() -> Iterator[tuple[str, list[int]]]:
    """Takes what is posted, and keeps its length alone."""
    posted: list[int] = []

    def reply(request: BaseHTTPRequestHandler) -> bytes:
        posted.append(len(request.rfile.read(int(request.headers["Content-Length"]))))
        return b""

    with serving(reply) as url:
        yield url, posted
