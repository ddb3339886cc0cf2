"""The primary that sentinels watch, whichever server it is: found by asking all of them at once.

Ours on top of the driver's: that asks one sentinel after the other, each with all its patience and repetitions, so that
a few that hang take a caller's whole time; and it forgets the sentinels that are not in the settings.
"""

from __future__ import annotations

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import Iterable, Set
from typing import Any, NamedTuple

from redis.asyncio import Redis, Sentinel
from redis.asyncio.connection import SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, SentinelManagedConnection
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from optionchain.patience import OTHER_SENTINELS_SECONDS

Address = tuple[str, int]
# What a URL says that is for Redis alone: sentinels have a password of their own, and no databases.
OF_REDIS = ("username", "password", "db", "max_connections", "retry")


def primary_of(
    service: str, sentinels: Iterable[Address], *, sentinel_password: str | None, **options: Any
) -> Redis:
    """A client of the primary; it follows every failover.

    Args:
        service: What the sentinels call it.
        sentinels: Some of them, of which one must answer; the others are heard of from it.
        sentinel_password: What the sentinels ask for; the password among the options is Redis's.
        options: Of each connection, TLS included, which holds for sentinels and Redis alike.
    """
    of_sentinels = {name: value for name, value in options.items() if name not in OF_REDIS}
    # A connection that was broken while nobody used it is no sentinel that is silent.
    of_sentinels |= {"password": sentinel_password, "retry": Retry(NoBackoff(), 1)}
    known = _Sentinels(sentinels, of_sentinels, options)
    connection = _EncryptedConnection if options.get("ssl") else _Connection
    client: _Primary = known.master_for(service, redis_class=_Primary, connection_class=connection)
    client.sentinels = known
    return client


class _Connection(SentinelManagedConnection):
    """Repeats what it was broken in at whoever is the primary by then; the driver's does where that was."""

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        if not self.is_connected:
            await self.connect()  # type: ignore[no-untyped-call]
        await super().send_packed_command(command, check_health)


class _EncryptedConnection(_Connection, SSLConnection):
    pass


class _Primary(Redis):
    """Closes the connections to its sentinels with its own."""

    sentinels: Sentinel

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await super().aclose(close_connection_pool)
        await self.sentinels.aclose()


class _Sentinels(Sentinel):
    """All sentinels that are known: those of the settings, and those that answered or were named at the last time."""

    def __init__(
        self, configured: Iterable[Address], of_sentinels: dict[str, Any], of_redis: dict[str, Any]
    ) -> None:
        super().__init__((), sentinel_kwargs=of_sentinels, **of_redis)  # type: ignore[no-untyped-call]
        self._configured = frozenset(configured)
        self._clients: dict[Address, Redis] = {}

    async def discover_master(self, service_name: str) -> Address:
        """The address of the primary, by the latest of what is answered first and soon after it.

        Raises:
            MasterNotFoundError: No sentinel answers, or those that do know of no primary that is up.
        """
        await self._know(self._configured.union(self._clients))
        answers = await self._answers(service_name)
        states = [one.state for one in answers if self.check_master_state(one.state, service_name)]
        if not states:
            raise MasterNotFoundError(f"No sentinel knows of a primary named {service_name!r} that is up")
        await self._know(self._configured.union(*(one.sentinels for one in answers)))
        # Each failover has a higher epoch than the one before: who was cut off meanwhile tells of an older one.
        latest = max(states, key=lambda state: state["config-epoch"])
        return latest["ip"], latest["port"]

    async def _answers(self, service_name: str) -> list[_Answer]:
        """What all say, until those that have not answered soon after the first."""
        silent = {
            asyncio.create_task(_ask(sentinel, address, service_name))
            for address, sentinel in self._clients.items()
        }
        answers: list[_Answer] = []
        try:
            while silent:
                patience = OTHER_SENTINELS_SECONDS if answers else None
                done, silent = await asyncio.wait(silent, timeout=patience, return_when=FIRST_COMPLETED)
                answers += [answer for one in done if (answer := one.result())]
                if not done:
                    break
        finally:
            for one in silent:
                one.cancel()
        return answers

    async def _know(self, addresses: Set[Address]) -> None:
        """Have a client of each of these sentinels, and of no other."""
        for host, port in addresses - self._clients.keys():
            self._clients[host, port] = Redis(host=host, port=port, **self.sentinel_kwargs)
        dropped = [self._clients.pop(address) for address in self._clients.keys() - addresses]
        self.sentinels = list(self._clients.values())
        for client in dropped:
            await client.aclose()


class _Answer(NamedTuple):
    """What a sentinel says of the primary, and which sentinels there are, itself included."""

    state: dict[str, Any]
    sentinels: frozenset[Address]


async def _ask(sentinel: Redis, address: Address, service_name: str) -> _Answer | None:
    try:
        state: Any = await sentinel.sentinel_master(service_name)
        others: Any = await sentinel.sentinel_sentinels(service_name)
    except (RedisError, OSError, TimeoutError):
        return None
    return _Answer(state, frozenset({address, *((other["ip"], other["port"]) for other in others)}))
