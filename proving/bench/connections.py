"""What an honest caller notices of ten thousand connections that mean harm, of another address.

They come from a process of their own: silent ones, such as send half a head, or half a body, or guess keys, each again
as soon as it was closed. Both addresses are of loopback.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from urllib.parse import urlsplit

import httpx
import numpy as np
from rich.console import Console

from cluster.commands.first_session import PARAMETERS
from cluster.instance.temporary import temporary_instance

HOSTILE = "127.0.0.2"
CONNECTIONS = 10_000
SECONDS = 60.0
CALLERS = 4
# Of an attacker whose machine is ours: without a pause there is no processor left to defend.
PAUSE_SECONDS = 5.0
READY = "under way"
GUESS = b"GET /api/v1/chain/sessions HTTP/1.1\r\nHost: x\r\nX-API-Key: guess\r\n\r\n"
SENT = (
    b"",
    b"GET /api/v1/chain/sessions HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    b"POST /api/v1/chain HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n{",
    GUESS,
)


def run() -> dict[str, float]:
    """Measure on an instance of its own: without, then with the hostile connections.

    Returns:
        ``quiet_*`` and ``attacked_*`` of `honest`, and how many ``hostile_connections`` were tried at a time.
    """
    with temporary_instance(Console(stderr=True)) as (_, state):
        quiet = asyncio.run(honest(state.base_url, state.api_key, seconds=SECONDS / 4))
        with attacked(state.base_url, CONNECTIONS):
            under_attack = asyncio.run(honest(state.base_url, state.api_key, seconds=SECONDS))
    return {
        **{f"quiet_{name}": value for name, value in quiet.items()},
        **{f"attacked_{name}": value for name, value in under_attack.items()},
        "hostile_connections": CONNECTIONS,
    }


async def honest(base_url: str, api_key: str | None, *, seconds: float) -> dict[str, float]:
    """Some callers who step sessions of theirs, one request after the other.

    Returns:
        ``per_second``, ``p50_milliseconds``, ``p99_milliseconds``, ``slowest_milliseconds``, and how many ``failed``.
    """
    latencies: list[float] = []
    failed = 0
    until = time.perf_counter() + seconds

    async def keep_stepping(api: httpx.AsyncClient) -> None:
        nonlocal failed
        created = await api.post(
            "/api/v1/chain", json=PARAMETERS | {"steps": 10_000, "days_to_expiration": 10_001.0}
        )
        session = created.raise_for_status().json()["id"]
        while (began := time.perf_counter()) < until:
            try:
                answer = await api.post("/api/v1/chain/step", params={"sessionid": session})
                failed += not answer.is_success
            except httpx.HTTPError:
                failed += 1
            latencies.append(time.perf_counter() - began)

    headers = {"X-API-Key": api_key or ""}
    async with (
        httpx.AsyncClient(base_url=base_url, headers=headers, timeout=30.0, trust_env=False) as api,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(CALLERS):
            group.create_task(keep_stepping(api))
    p50, p99 = np.percentile(latencies, [50, 99])
    return {
        "per_second": len(latencies) / seconds,
        "p50_milliseconds": 1e3 * float(p50),
        "p99_milliseconds": 1e3 * float(p99),
        "slowest_milliseconds": 1e3 * max(latencies),
        "failed": failed,
    }


@contextmanager
def attacked(base_url: str, connections: int) -> Iterator[None]:
    """So many hostile connections, tried again and again, for as long as the block lasts."""
    port = urlsplit(base_url).port
    command = [sys.executable, "-m", "proving.bench.connections", str(port), str(connections)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as attacker:  # noqa: S603  our own
        try:
            if attacker.stdout is None or attacker.stdout.readline().strip() != READY:
                raise RuntimeError("the attack has not begun")
            yield
        finally:
            attacker.kill()


async def attack(port: int, connections: int) -> None:
    """Keep so many connections, whatever becomes of them."""
    begun = asyncio.Semaphore(0)

    async def keep_coming(sent: bytes) -> None:
        is_new = True
        while True:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(30.0):
                    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(HOSTILE, 0))
                try:
                    if is_new:
                        begun.release()
                    is_new = False
                    writer.write(sent)
                    while await reader.read(4096):
                        if sent is GUESS:
                            writer.write(sent)
                finally:
                    writer.close()
            if is_new:
                begun.release()
            is_new = False
            await asyncio.sleep(PAUSE_SECONDS)

    async with asyncio.TaskGroup() as group:
        for _, sent in zip(range(connections), cycle(SENT), strict=False):
            group.create_task(keep_coming(sent))
        for _ in range(connections):
            await begun.acquire()
        print(READY, flush=True)


def main(port: str, connections: str) -> None:
    """Attack until this process is killed."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(attack(int(port), int(connections)))


if __name__ == "__main__":
    main(*sys.argv[1:])
