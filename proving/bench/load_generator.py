"""Sends requests over a number of connections, as fast as they are answered, and says what came of it.

`wrk` does so where it is installed, for a generator in Python is slower than the service. Without it we generate the
load ourselves, and the rates are lower bounds.
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

# wrk's report and our script's: the numbers and units of `Requests/sec: 2851.20` and `99%  31.20ms`.
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_COUNT = re.compile(r"(\d+) requests in")
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

    requests: int
    requests_per_second: float
    p50_seconds: float
    p99_seconds: float
    failed: int


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go.

    Attributes:
        base_url: Of the service.
        api_key: Its key; empty where it needs none.
    """

    base_url: str
    api_key: str = ""


def is_lower_bound() -> bool:
    """Whether we generate the load ourselves."""
    return shutil.which("wrk") is None


def generate(target: Target, load: Load, *, connections: int, seconds: float) -> Measured:
    """Send the requests of a load for some seconds, one at a time over each connection."""
    if is_lower_bound():
        return asyncio.run(_python(target, load, connections, seconds))
    return _wrk(target, load, connections, seconds)


def _wrk(target: Target, load: Load, connections: int, seconds: float) -> Measured:
    with tempfile.TemporaryDirectory(prefix="optionchain-bench-") as folder:
        script, requests = Path(folder, "load.lua"), Path(folder, "requests")
        script.write_text(_SCRIPT)
        requests.write_bytes(
            b"\n".join(f"{method} {path} ".encode() + body for method, path, body in load.requests)
        )
        # Only its owner may read the folder; the key is an argument of a process of ours for some seconds.
        command = ["wrk", "--latency", "--threads", str(min(connections, 2))]
        command += ["--connections", str(connections), "--duration", f"{seconds:.0f}s"]
        command += ["--timeout", "30s", "--script", str(script), target.base_url]
        report = subprocess.run(  # noqa: S603  our own arguments
            [*command, "--", str(requests), target.api_key], capture_output=True, text=True, check=True
        ).stdout
    return parse_wrk(report)


def parse_wrk(report: str) -> Measured:
    """Read the report of `wrk --latency`."""
    count, rate, failed = _COUNT.search(report), _RATE.search(report), _FAILED.search(report)
    percentiles = {
        name: float(value) * _SECONDS_OF[unit] for name, value, unit in _PERCENTILE.findall(report)
    }
    if count is None or rate is None or not {"50", "99"} <= set(percentiles):
        raise ValueError(f"wrk said something else: {report}")
    return Measured(
        requests=int(count[1]),
        requests_per_second=float(rate[1]),
        p50_seconds=percentiles["50"],
        p99_seconds=percentiles["99"],
        failed=int(failed[1]) if failed else 0,
    )


async def _python(target: Target, load: Load, connections: int, seconds: float) -> Measured:
    latencies: list[float] = []
    failed = 0
    begin = time.perf_counter()

    async def keep_asking(api: httpx.AsyncClient, first: int) -> None:
        nonlocal failed
        position = first
        while (sent := time.perf_counter()) < begin + seconds:
            method, path, body = load.requests[position % len(load.requests)]
            position += connections
            answer = await api.request(method, path, content=body)
            latencies.append(time.perf_counter() - sent)
            failed += not answer.is_success

    headers = {"X-API-Key": target.api_key, "Content-Type": "application/json"}
    async with (
        httpx.AsyncClient(base_url=target.base_url, headers=headers, timeout=30.0, trust_env=False) as api,
        asyncio.TaskGroup() as group,
    ):
        for first in range(connections):
            group.create_task(keep_asking(api, first))
    elapsed = time.perf_counter() - begin
    p50, p99 = np.percentile(latencies, [50, 99])
    return Measured(len(latencies), len(latencies) / elapsed, float(p50), float(p99), failed)
