"""A Redis primary, two replicas and three sentinels, with the settings that docs/operations.md gives them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from adapters.settings import RedisSettings
from cluster.instance.ports import free_ports
from proving.groups.redis_members import (
    PASSWORD,
    SENTINEL_PASSWORD,
    Authority,
    Member,
    running,
    when_it_says,
)

SERVICE = "optionchain"
# What the page gives to servers of each kind.
REDIS_LINES = (
    "appendonly yes",
    "appendfsync always",
    "maxmemory-policy noeviction",
    "min-replicas-to-write 1",
    "min-replicas-max-lag 10",
)
FIRST = "redis-1.example 6379"
SENTINEL_LINES = (
    f"sentinel monitor {SERVICE} {FIRST} 2",
    f"sentinel down-after-milliseconds {SERVICE} 3000",
    f"sentinel failover-timeout {SERVICE} 10000",
)


@dataclass(frozen=True, slots=True)
class SentinelGroup:
    """All six, and how to reach them.

    Attributes:
        servers: Of data; the first began as the primary.
        sentinels: Who watch them.
        authority: Who has signed their certificates, if they speak over TLS.
    """

    servers: Sequence[Member]
    sentinels: Sequence[Member]
    authority: Authority | None

    def settings(self, *sentinels: Member, **changes: Any) -> RedisSettings:
        """How the service is told of some of the sentinels, of all by default; with other values of some fields."""
        hosts = ",".join(f"127.0.0.1:{one.port}" for one in sentinels or self.sentinels)
        scheme, query = (
            ("rediss", f"?ssl_ca_certs={self.authority.certificate}") if self.authority else ("redis", "")
        )
        values: dict[str, Any] = {
            "url": SecretStr(f"{scheme}://:{PASSWORD}@{hosts}/0{query}"),
            "mode": "sentinel",
            "sentinel_password": SecretStr(SENTINEL_PASSWORD),
            "wait_replicas": 1,
        }
        return RedisSettings(**{**values, **changes})

    def ask(self, member: Member) -> Redis:
        """A client of one of them alone."""
        password = SENTINEL_PASSWORD if member.options else PASSWORD
        tls: dict[str, Any] = (
            {"ssl": True, "ssl_ca_certs": str(self.authority.certificate)} if self.authority else {}
        )
        return Redis(
            port=member.port,
            host="127.0.0.1",
            password=password,
            socket_timeout=5,
            retry=Retry(NoBackoff(), 0),
            **tls,
        )

    def primary(self) -> Member:
        """By the word of the first sentinel."""
        with self.ask(self.sentinels[0]) as sentinel:
            port = sentinel.sentinel_get_master_addr_by_name(SERVICE)[1]
        (found,) = [server for server in self.servers if server.port == port]
        return found

    def is_whole(self) -> None:
        """Wait until every sentinel knows of all, and both replicas follow."""
        for member in self.sentinels:
            with self.ask(member) as sentinel:
                when_it_says(sentinel, _knows_all, "every sentinel knows of all others")
        with self.ask(self.primary()) as server:
            when_it_says(server, lambda one: _replicas(one) == 2, "two replicas follow")

    def primary_is_followed(self) -> None:
        """Wait until the primary has a replica, without which it takes no writes."""
        with self.ask(self.primary()) as server:
            when_it_says(server, lambda one: _replicas(one) > 0, "a replica follows")

    def has_failed_over(self, witness: Member) -> None:
        """Have a failover, unless this sentinel knows of one."""
        with self.ask(witness) as sentinel:
            if not _epoch(sentinel):
                sentinel.execute_command("SENTINEL", "FAILOVER", SERVICE)
            when_it_says(sentinel, _epoch, "a failover")


@contextmanager
def sentinel_group(folder: Path, authority: Authority | None = None) -> Iterator[SentinelGroup]:
    """All six, for as long as the block lasts.

    Args:
        folder: Of their data.
        authority: Who has signed their certificates; without one they speak without TLS.

    Raises:
        BadLoad: There is no Redis, or they do not become a group.
    """
    ports = free_ports(6)
    servers = [Member(port, folder / f"redis-{port}") for port in ports[:3]]
    sentinels = [Member(port, folder / f"sentinel-{port}", ["--sentinel"]) for port in ports[3:]]
    group = SentinelGroup(servers, sentinels, authority)

    def place(port: int) -> list[str]:
        return authority.lines(port) if authority else [f"port {port}"]

    for number, server in enumerate(servers):
        credentials = [f"requirepass {PASSWORD}", f"masterauth {PASSWORD}", "repl-diskless-sync-delay 0"]
        follows = [f"replicaof 127.0.0.1 {ports[0]}"] if number else []
        server.configure([*place(server.port), *REDIS_LINES, *credentials, *follows])
    watched = [line.replace(FIRST, f"127.0.0.1 {ports[0]}") for line in SENTINEL_LINES]
    for sentinel in sentinels:
        credentials = [f"requirepass {SENTINEL_PASSWORD}", f"sentinel auth-pass {SERVICE} {PASSWORD}"]
        sentinel.configure([*place(sentinel.port), *watched, *credentials])
    with running(servers):
        with group.ask(servers[0]) as server:
            when_it_says(server, lambda one: _replicas(one) == 2, "two replicas follow")
        with running(sentinels):
            group.is_whole()
            yield group


def _replicas(server: Redis) -> int:
    told: Any = server.info("replication")
    return sum(told.get(f"slave{n}", {}).get("state") == "online" for n in range(3))


def _knows_all(sentinel: Redis) -> bool:
    told: Any = sentinel.sentinel_master(SERVICE)
    return (told["num-other-sentinels"], told["num-slaves"]) == (2, 2)


def _epoch(sentinel: Redis) -> int:
    told: Any = sentinel.sentinel_master(SERVICE)
    return int(told["config-epoch"])
