"""A HAProxy as an instance runs it, on a configuration that Ray itself renders, before a small server of the test's."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from cluster.instance import processes
from cluster.instance.ports import accepts, free_ports
from cluster.instance.ray_node import AMENDED_HAPROXY, haproxy_program
from tests.waiting import turns

PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Front:
    """What a test sees: where it listens, and its process."""

    port: int
    folder: Path
    process: psutil.Popen


# In a process of its own: to import `ray.serve` is to import all of it, with its warnings.
RENDER = """
import json, sys
from ray.serve._private.haproxy import BackendConfig, HAProxyApi, HAProxyConfig, ServerConfig
from ray.serve.config import HTTPOptions
values, host_and_port, server, file = json.loads(sys.argv[1])
backend = BackendConfig(name="app", path_prefix="/", app_name="app", http_health_check_path=None)
backend.servers.append(ServerConfig(name="replica", host="127.0.0.1", port=server))
config = HAProxyConfig(**values, http_options=HTTPOptions(**host_and_port))
HAProxyApi(config, {"app": backend} if server else {}, file)._generate_config_file_internal()
"""


def rendered(folder: Path, port: int, server: int | None, *, maxconn: int = 4096) -> str:
    """What Ray writes for one application on one replica, or for none yet."""
    metrics, stats = free_ports(2)
    values = {
        "socket_path": str(folder / "admin.sock"),
        "server_state_base": str(folder),
        "server_state_file": str(folder / "server-state"),
        "metrics_socket_path": str(folder / "metrics.sock"),
        "metrics_port": metrics,
        "stats_port": stats,
        "maxconn": maxconn,
        "nbthread": 1,
        "timeout_client_s": 60,
    }
    file = folder / "haproxy.cfg"
    told = json.dumps([values, {"host": "127.0.0.1", "port": port}, server, str(file)])
    subprocess.run([sys.executable, "-W", "ignore", "-c", RENDER, told], check=True, timeout=120)
    return file.read_text()


@contextmanager
def front(folder: Path, server: int | None, *, maxconn: int = 4096, **variables: str) -> Iterator[Front]:
    """A running HAProxy.

    Args:
        folder: For its files.
        server: Port of the only replica; None where Ray knows none.
        maxconn: Connections that it has at a time.
        variables: ``OPTIONCHAIN_HAPROXY_*``, by the end of their names; ``{port}`` in one is the port.
    """
    (port,) = free_ports(1)
    variables = {name: value.replace("{port}", str(port)) for name, value in variables.items()}
    rendered(folder, port, server, maxconn=maxconn)
    process = started(folder, maxconn=maxconn, **variables)
    try:
        processes.wait_until(
            lambda: accepts(port),
            name="HAProxy",
            process=process,
            log=folder / "haproxy.log",
            timeout_seconds=PATIENCE_SECONDS,
        )
        yield Front(port, folder, process)
    finally:
        processes.end([process], patience_seconds=PATIENCE_SECONDS)


def started(folder: Path, *arguments: str, maxconn: int = 4096, **variables: str) -> psutil.Popen:
    """Run the script on the configuration of a folder."""
    environment = {
        "OPTIONCHAIN_HAPROXY": str(haproxy_program()),
        "OPTIONCHAIN_HAPROXY_LOOPBACK": "1",
        "OPTIONCHAIN_HAPROXY_REFUSAL": str(folder / "refusal"),
        "RAY_SERVE_HAPROXY_MAXCONN": str(maxconn),
        **{f"OPTIONCHAIN_HAPROXY_{name}": value for name, value in variables.items()},
    }
    command = [str(AMENDED_HAPROXY), "-db", "-f", str(folder / "haproxy.cfg"), *arguments]
    return processes.start(
        "HAProxy", command, log=folder / "haproxy.log", marker=str(folder), env=environment
    )


@contextmanager
def replica() -> Iterator[int]:
    """A server that answers 401 where no key is sent, and else with the request that it got; yields its port."""
    loop, (port,) = asyncio.new_event_loop(), free_ports(1)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.lower().split(b"\r\n")
                length = sum(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
                body = head + await reader.readexactly(length)
                status = b"200 OK" if b"x-api-key" in head.lower() or b"/api/" not in head else b"401 No"
                writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.transport.abort()

    def run() -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", port))
        loop.run_forever()
        server.close()
        waiting = asyncio.all_tasks(loop)
        for task in waiting:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*waiting, turns(), return_exceptions=True))
        loop.run_until_complete(turns())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not accepts(port) and time.monotonic() < deadline:
        pass
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_SECONDS)
