"""What the HTTP service sustains, in one run on one deployment: each rate beside that of a route that does nothing.

The load comes from `wrk`, where it is installed, for a generator in Python is slower than the service. Without it
we generate the load ourselves, say so, and the rates are lower bounds.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import orjson
from rich.console import Console

from cluster.commands.first_session import PARAMETERS
from cluster.instance.temporary import temporary_instance
from proving.bench.export import run_over_http

CONNECTIONS = 64
SESSIONS = 256
STEPS = 10_000
BULK = 100
# wrk's report and our script's: the numbers and units of `Requests/sec: 2851.20` and `99%  31.20ms`.
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_PERCENTILE = re.compile(r"(50|99)%\s+([\d.]+)(us|ms|s|m)")
_FAILED = re.compile(r"Non-2xx or 3xx responses:\s+(\d+)")
_SECONDS_OF = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
# Takes the requests of a file in turn; each thread begins elsewhere, so that they do not meet at one session.
_SCRIPT = """
local requests, position, threads = {}, 0, 0
function setup(thread) thread:set("offset", threads); threads = threads + 1 end
function init(args)
  for line in io.lines(args[1]) do
    local method, path, body = line:match("^(%S+) (%S+) ?(.*)$")
    local headers = { ["X-API-Key"] = args[2], ["Content-Type"] = "application/json" }
    table.insert(requests, wrk.format(method, path, headers, body ~= "" and body or nil))
  end
  position = math.floor(offset * #requests / 2)
end
function request()
  position = position % #requests + 1
  return requests[position]
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """Requests to send in turn, again and again: the method, the path and the body of each."""

    name: str
    requests: Sequence[tuple[str, str, bytes]]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a load got."""

    requests_per_second: float
    p50_seconds: float
    p99_seconds: float
    failed: int


def run() -> dict[str, float]:
    """Measure on an instance of its own.

    Returns:
        The figures of `rates`, and those of `proving.bench.export.run_over_http`.
    """
    with temporary_instance(Console(stderr=True)) as (_, state):
        return rates(state.base_url, state.api_key) | run_over_http(state.base_url, state.api_key)


def rates(base_url: str, api_key: str | None, *, seconds: float = 8.0) -> dict[str, float]:
    """Measure a no-op route, peek, step, create and bulk steps, one after the other.

    Args:
        base_url: Of the service.
        api_key: Its key.
        seconds: For each; at most about 60, so that no session is stepped to its end. The sessions that the
            load `create` makes stay until their time to live is over.

    Returns:
        For each load ``*_per_second``, ``*_p50_milliseconds``, ``*_p99_milliseconds``; ``*_ratio`` is its rate
        over the no-op's, which is what is promised; `step_bulk_snapshots_per_second`; `is_lower_bound` is 1
        where `wrk` is missing.

    Raises:
        httpx.HTTPError: The service does not answer.
    """
    generate = _wrk if shutil.which("wrk") else _python
    with httpx.Client(
        base_url=base_url, headers={"X-API-Key": api_key or ""}, timeout=60.0, trust_env=False
    ) as api:
        ids = [_create(api) for _ in range(SESSIONS)]
        results = {load.name: generate(base_url, api_key or "", load, seconds) for load in _loads(ids)}
        for session_id in ids:
            api.delete("/api/v1/chain", params={"sessionid": session_id})
    return _figures(results) | {"connections": CONNECTIONS, "is_lower_bound": float(generate is _python)}


def _loads(ids: Sequence[str]) -> list[Load]:
    def each(method: str, path: str) -> list[tuple[str, str, bytes]]:
        return [(method, path.format(id=session_id), b"") for session_id in ids]

    return [
        Load("noop", [("GET", "/health", b"")]),
        Load("peek", each("GET", "/api/v1/chain?sessionid={id}")),
        Load("step", each("POST", "/api/v1/chain/step?sessionid={id}")),
        Load("create", [("POST", "/api/v1/chain", orjson.dumps(PARAMETERS | {"seed": 1}))]),
        Load("step_bulk", each("POST", f"/api/v1/chain/step?count={BULK}&sessionid={{id}}")),
    ]


def _figures(results: dict[str, Measured]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, measured in results.items():
        figures |= {
            f"{name}_per_second": measured.requests_per_second,
            f"{name}_p50_milliseconds": 1e3 * measured.p50_seconds,
            f"{name}_p99_milliseconds": 1e3 * measured.p99_seconds,
            f"{name}_failed": measured.failed,
            f"{name}_ratio": measured.requests_per_second / results["noop"].requests_per_second,
        }
    figures["step_bulk_snapshots_per_second"] = BULK * results["step_bulk"].requests_per_second
    return figures


def _create(api: httpx.Client) -> str:
    # An expiration beyond the last step, so that it is the steps that end the session.
    body = PARAMETERS | {"steps": STEPS, "days_to_expiration": STEPS + 1.0}
    session_id: str = api.post("/api/v1/chain", json=body).raise_for_status().json()["id"]
    return session_id


def _wrk(base_url: str, api_key: str, load: Load, seconds: float) -> Measured:
    with tempfile.TemporaryDirectory(prefix="optionchain-bench-") as folder:
        script, requests = Path(folder, "load.lua"), Path(folder, "requests")
        script.write_text(_SCRIPT)
        requests.write_bytes(
            b"\n".join(f"{method} {path} ".encode() + body for method, path, body in load.requests)
        )
        # Only its owner may read the folder; the key is an argument of a process of ours for some seconds.
        command = ["wrk", "--latency", "--threads", "2", "--connections", str(CONNECTIONS)]
        command += ["--duration", f"{seconds:.0f}s", "--timeout", "30s", "--script", str(script), base_url]
        report = subprocess.run(  # noqa: S603  our own arguments
            [*command, "--", str(requests), api_key], capture_output=True, text=True, check=True
        ).stdout
    return parse_wrk(report)


def parse_wrk(report: str) -> Measured:
    """Read the report of `wrk --latency`."""
    rate, failed = _RATE.search(report), _FAILED.search(report)
    percentiles = {
        name: float(value) * _SECONDS_OF[unit] for name, value, unit in _PERCENTILE.findall(report)
    }
    if rate is None or not {"50", "99"} <= set(percentiles):
        raise ValueError(f"wrk said something else: {report}")
    return Measured(
        requests_per_second=float(rate[1]),
        p50_seconds=percentiles["50"],
        p99_seconds=percentiles["99"],
        failed=int(failed[1]) if failed else 0,
    )


def _python(base_url: str, api_key: str, load: Load, seconds: float) -> Measured:
    return asyncio.run(_python_load(base_url, api_key, load, seconds))


async def _python_load(base_url: str, api_key: str, load: Load, seconds: float) -> Measured:
    latencies: list[float] = []
    failed = 0
    begin = time.perf_counter()

    async def keep_asking(api: httpx.AsyncClient, first: int) -> None:
        nonlocal failed
        position = first
        while (sent := time.perf_counter()) < begin + seconds:
            method, path, body = load.requests[position % len(load.requests)]
            position += CONNECTIONS
            answer = await api.request(method, path, content=body)
            latencies.append(time.perf_counter() - sent)
            failed += not answer.is_success

    headers = {"X-API-Key": api_key, "Content-Type": "application/json"}
    async with (
        httpx.AsyncClient(base_url=base_url, headers=headers, timeout=30.0, trust_env=False) as api,
        asyncio.TaskGroup() as group,
    ):
        for first in range(CONNECTIONS):
            group.create_task(keep_asking(api, first))
    elapsed = time.perf_counter() - begin
    p50, p99 = np.percentile(latencies, [50, 99])
    return Measured(len(latencies) / elapsed, float(p50), float(p99), failed)
