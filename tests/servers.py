"""Real servers for tests: started as an instance starts its own, in a folder of the test's, ended by pid."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from adapters.redis.connection import RedisClient, open_redis
from adapters.settings import RedisSettings
from cluster.instance.embedded_servers import embedded_redis, running
from cluster.instance.ports import free_ports
from proving.groups.redis_members import PROGRAM

START_TIMEOUT_SECONDS = 30.0
PASSWORD = "only-on-loopback"


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running Redis-protocol server."""

    process: psutil.Popen
    url: str
    port: int

    def settings(self, timeout_seconds: float = 5.0) -> RedisSettings:
        return RedisSettings(url=SecretStr(self.url), timeout_seconds=timeout_seconds)

    def open(self) -> RedisClient:
        return open_redis(self.settings())


def needs_redis() -> None:
    """Skip where the program itself is not: the embedded server has neither TLS nor sentinels."""
    if shutil.which(PROGRAM) is None:
        pytest.skip(f"no {PROGRAM}: apt-get install redis-server")


@contextmanager
def redis_server(
    folder: Path, *, fsync: str = "everysec", port: int | None = None, lines: Sequence[str] = ()
) -> Iterator[RedisServer]:
    """A private server on a free port, or on this one, until the block ends.

    Args:
        folder: Its own; what is there of an earlier one is loaded.
        fsync: When it writes to its disk.
        port: Where an earlier one was.
        lines: Further ones of its configuration.
    """
    server = embedded_redis(folder, port or free_ports(1)[0], PASSWORD, fsync=fsync)
    with (folder / "redis.conf").open("a") as config:
        config.writelines(f"{line}\n" for line in lines)
    with (
        running(server, folder, patience_seconds=START_TIMEOUT_SECONDS) as process,
        ended_with_us(process.pid),
    ):
        yield RedisServer(process, server.url, server.port)


@contextmanager
def ended_with_us(pid: int) -> Iterator[None]:
    """A process that does not outlive this one within the block, whatever ends us: a time-out kills without a word."""
    # Nobody writes to it: it reads to the end, which comes when we are gone.
    watcher = subprocess.Popen(
        ["sh", "-c", f"cat; kill -9 {pid}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        watcher.kill()
        watcher.communicate()
