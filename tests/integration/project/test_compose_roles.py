"""A Redis of the profile `ha` starts as what it was told to be, and as a replica only the first time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from redis import Redis, RedisError

from cluster.instance.embedded_servers import embedded_redis
from cluster.instance.ports import free_ports
from tests.waiting import eventually

SCRIPTS = Path(__file__).resolve().parents[3] / "compose" / "redis"
SECONDS = 30.0


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The script, with places of this test in it."""
    for name in ("data", "bin"):
        (tmp_path / name).mkdir()
    (port,) = free_ports(1)
    program = embedded_redis(tmp_path / "unused", port, "unused", fsync="no").command[0]
    (tmp_path / "bin" / "redis-server").symlink_to(program)
    (tmp_path / "redis.conf").write_text(f"port {port}\ndir {tmp_path}/data\nappendonly yes\n")
    text = (SCRIPTS / "start.sh").read_text()
    made = tmp_path / "start.sh"
    made.write_text(text.replace("/data/", f"{tmp_path}/data/").replace("/etc/redis/", f"{tmp_path}/"))
    return made


@contextmanager
def started(script: Path) -> Iterator[Redis]:
    """As the replica of somebody who is never there."""
    folder = script.parent
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    environment = {"PATH": path, "HOSTNAME": "redis-2", "PRIMARY": "127.0.0.1", "MIN_REPLICAS": "1"}
    port = int((folder / "redis.conf").read_text().split()[1])
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(["sh", str(script)], env=environment, stdout=log, stderr=log)
    try:
        with Redis(port=port, decode_responses=True) as client:
            eventually(lambda: answers(client), "Redis answers", patience_seconds=SECONDS)
            yield client
    finally:
        server.kill()
        server.wait(SECONDS)


def answers(client: Redis) -> bool:
    with suppress(RedisError):
        return bool(client.ping())
    return False


def test_it_begins_as_a_replica_and_stays_the_primary_that_it_was_made(script: Path) -> None:
    with started(script) as redis:
        assert redis.info("replication")["role"] == "slave"
        redis.replicaof("NO", "ONE")
        redis.config_rewrite()

    with started(script) as redis:
        assert redis.info("replication")["role"] == "master"
        assert redis.config_get("min-replicas-to-write") == {"min-replicas-to-write": "1"}
        redis.replicaof("192.0.2.1", 6379)
        redis.config_rewrite()

    with started(script) as redis:
        told = redis.info("replication")
        assert (told["role"], told["master_host"]) == ("slave", "192.0.2.1")
        assert redis.config_get("replica-announce-ip") == {"replica-announce-ip": "redis-2"}
