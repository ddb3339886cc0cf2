"""Real servers for tests: started as an instance starts its own, in a folder of the test's, ended by pid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from pydantic import SecretStr

from adapters.redis_connection import RedisClient, open_redis
from adapters.settings import RedisSettings
from cluster.instance.embedded_servers import embedded_redis, running
from cluster.instance.ports import free_ports

START_TIMEOUT_SECONDS = 30.0
PASSWORD = "only-on-loopback"


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running Redis-protocol server."""

    process: psutil.Popen
    url: str

    def settings(self, timeout_seconds: float = 5.0) -> RedisSettings:
        return RedisSettings(url=SecretStr(self.url), timeout_seconds=timeout_seconds)

    def open(self) -> RedisClient:
        return open_redis(self.settings())


@contextmanager
def redis_server(folder: Path, *, fsync: str = "everysec") -> Iterator[RedisServer]:
    """A private server on a free port, until the block ends."""
    (port,) = free_ports(1)
    server = embedded_redis(folder, port, PASSWORD, fsync=fsync)
    with running(server, folder, patience_seconds=START_TIMEOUT_SECONDS) as process:
        yield RedisServer(process, server.url)
