"""A Redis Cluster of six nodes: three primaries, and a replica of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from pydantic import SecretStr
from redis.crc import key_slot
from redis.exceptions import RedisError

from adapters.settings import RedisSettings
from cluster.instance.ports import free_ports
from proving.groups.redis_members import PASSWORD, Member, running, when_it_says

SLOTS = 16_384


@dataclass(frozen=True, slots=True)
class Nodes:
    """All six; the first three began as primaries."""

    members: Sequence[Member]

    def settings(self, **changes: Any) -> RedisSettings:
        """How the service is told of some of them."""
        hosts = ",".join(f"127.0.0.1:{one.port}" for one in self.members[:2])
        values = {"url": SecretStr(f"redis://:{PASSWORD}@{hosts}/0"), "mode": "cluster"}
        return RedisSettings(**{**values, **changes})

    def serving(self, key: str) -> list[Member]:
        """The primary that a key is on, and its replicas."""
        slot = key_slot(key.encode())
        for member in self.members:
            with suppress(RedisError), ask(member) as node:
                told: Any = node.execute_command("CLUSTER", "SLOTS")
                for first, last, *members in told:
                    if first <= slot <= last:
                        return [self._at(one[1]) for one in members]
        raise AssertionError(f"nobody serves {key}")

    def _at(self, port: int) -> Member:
        (found,) = [member for member in self.members if member.port == port]
        return found


def ask(member: Member) -> redis.Redis:
    return redis.Redis(host="127.0.0.1", port=member.port, password=PASSWORD, socket_timeout=5, retry=None)


@contextmanager
def cluster_nodes(folder: Path) -> Iterator[Nodes]:
    ports = free_ports(12)
    members = [Member(port, folder / f"node-{port}") for port in ports[:6]]
    buses = ports[6:]
    for member, bus in zip(members, buses, strict=True):
        credentials = [f"requirepass {PASSWORD}", f"masterauth {PASSWORD}"]
        ours = [
            f"port {member.port}",
            "cluster-enabled yes",
            f"cluster-port {bus}",
            "cluster-node-timeout 2000",
        ]
        quick = ["appendonly yes", "maxmemory-policy noeviction", "repl-diskless-sync-delay 0"]
        member.configure([*ours, *quick, *credentials])
    with running(members), ExitStack() as stack:
        clients = [stack.enter_context(ask(member)) for member in members]
        for client in clients:
            when_it_says(client, lambda one: one.ping(), "it answers")
        primaries, replicas = clients[:3], clients[3:]
        for number, client in enumerate(clients):
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", members[0].port, buses[0])
        for number, client in enumerate(primaries):
            first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
        for client in clients:
            when_it_says(client, lambda one: _state(one)["cluster_known_nodes"] == "6", "it knows all")
        for replica, primary in zip(replicas, primaries, strict=True):
            replica.execute_command("CLUSTER", "REPLICATE", primary.execute_command("CLUSTER", "MYID"))
        for client in clients:
            when_it_says(client, _is_whole, "it knows of every slot and replica")
        yield Nodes(members)


def _state(node: redis.Redis) -> dict[str, str]:
    told: Any = node.execute_command("CLUSTER", "INFO")
    return told if isinstance(told, dict) else dict(line.split(":") for line in told.decode().splitlines())


def _is_whole(node: redis.Redis) -> bool:
    """Each node waits until it follows, or is followed, too."""
    told: Any = node.execute_command("CLUSTER", "SLOTS")
    role: Any = node.info("replication")
    is_linked = role.get("slave0", {}).get("state") == "online" or role.get("master_link_status") == "up"
    return _state(node)["cluster_state"] == "ok" and [len(slots) for slots in told] == [4] * 3 and is_linked
