"""Sessions behind three real sentinels, all over TLS: each of them killed, then the primary."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from pydantic import SecretStr

from adapters.redis.connection import open_redis
from adapters.settings import RedisSettings
from cluster.instance.ports import free_ports
from optionchain.errors import Unavailable
from proving.groups.redis_members import (
    PASSWORD,
    SENTINEL_PASSWORD,
    Authority,
    Member,
    running,
    when_it_says,
)
from proving.groups.sentinel_group import SERVICE, SentinelGroup, sentinel_group
from tests.integration.redis_groups.stepping import Clients, open_store
from tests.waiting import until

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 8.0  # OCS_SESSION_TIMEOUT_SECONDS
FAILOVER_SECONDS = 10.0


def authority(folder: Path) -> Authority:
    """An authority, and a certificate for this machine."""
    ours, signer = Authority(folder), trustme.CA()
    signer.cert_pem.write_to_path(ours.certificate)
    server = signer.issue_cert("127.0.0.1", "localhost")
    server.cert_chain_pems[0].write_to_path(folder / "server.pem")
    server.private_key_pem.write_to_path(folder / "server.key")
    return ours


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelGroup]:
    folder = tmp_path_factory.mktemp("sentinels")
    with sentinel_group(folder, authority(folder)) as group:
        yield group


async def answer_seconds(settings: RedisSettings) -> float:
    """How long a process that has just begun waits for the store."""
    store = open_store(settings)
    begun = time.monotonic()
    try:
        await store.ping()
    finally:
        await store.close()
    return time.monotonic() - begun


async def test_whoever_is_not_of_our_authority_is_not_spoken_to(group: SentinelGroup) -> None:
    url = group.settings().url.get_secret_value().partition("?")[0]

    with pytest.raises(Unavailable):
        await answer_seconds(group.settings(url=SecretStr(url)))


@pytest.mark.parametrize("survivor", range(3))
async def test_one_sentinel_is_enough(group: SentinelGroup, survivor: int) -> None:
    others = [one for one in group.sentinels if one is not group.sentinels[survivor]]
    for one in others:
        one.kill()
    try:
        assert await answer_seconds(group.settings()) < PATIENCE_SECONDS / 2
    finally:
        for one in others:
            one.start()


@pytest.mark.parametrize("survivor", range(3))
async def test_sentinels_that_hang_take_nobodys_patience(group: SentinelGroup, survivor: int) -> None:
    others = [one for one in group.sentinels if one is not group.sentinels[survivor]]
    for one in others:
        one.hang()
    try:
        assert await answer_seconds(group.settings()) < PATIENCE_SECONDS / 2
    finally:
        for one in others:
            one.go_on()


async def test_a_store_whose_sentinels_all_hang_is_given_up_within_its_patience(group: SentinelGroup) -> None:
    for one in group.sentinels:
        one.hang()
    begun = time.monotonic()
    try:
        with pytest.raises(Unavailable):
            await answer_seconds(group.settings(timeout_seconds=0.5))
    finally:
        for one in group.sentinels:
            one.go_on()
    assert time.monotonic() - begun < PATIENCE_SECONDS / 2


async def test_a_killed_primary_is_replaced_and_every_acknowledged_step_is_there(
    group: SentinelGroup,
) -> None:
    """The one sentinel of the settings is dead by then: those that it named are remembered."""
    group.is_whole()
    named = group.sentinels[0]
    store = open_store(group.settings(named))
    clients, stopped = await Clients.of(store), asyncio.Event()
    stepping = asyncio.create_task(clients.stepping(stopped))
    await until(lambda: clients.total() > 100, "the clients step")
    killed = group.primary()
    named.kill()

    killed.kill()

    at_kill, begun = clients.total(), time.monotonic()
    await until(lambda: clients.total() > at_kill + 100, "they step again")
    outage_seconds = time.monotonic() - begun
    stopped.set()
    await stepping
    stored = await store.get(list(clients.acknowledged))
    await store.close()
    assert {id_: session.current_step for id_, session in stored.items()} == clients.acknowledged
    assert outage_seconds < FAILOVER_SECONDS
    assert clients.longest_answer_seconds < PATIENCE_SECONDS / 2
    killed.start()
    named.start()


async def test_a_sentinel_that_missed_a_failover_is_not_believed(
    group: SentinelGroup, tmp_path: Path
) -> None:
    """It says that another server, which is up, is the primary; it has seen no failover, and the others have."""
    witness = group.sentinels[1]
    group.has_failed_over(witness)
    one_port, other_port = free_ports(2)
    forgotten, stale = (
        Member(one_port, tmp_path / "forgotten"),
        Member(other_port, tmp_path / "stale", ["--sentinel"]),
    )
    assert group.authority is not None
    forgotten.configure([*group.authority.lines(one_port), f"requirepass {PASSWORD}"])
    watch = f"sentinel monitor {SERVICE} 127.0.0.1 {one_port} 1"
    passwords = [f"requirepass {SENTINEL_PASSWORD}", f"sentinel auth-pass {SERVICE} {PASSWORD}"]
    stale.configure([*group.authority.lines(other_port), watch, *passwords])

    with running([forgotten, stale]), group.ask(stale) as client:
        when_it_says(client, lambda one: one.sentinel_master(SERVICE)["num-slaves"] == 0, "it watches")
        for _ in range(10):
            redis = open_redis(group.settings(stale, witness))
            served_by = int((await redis.config_get("tls-port"))["tls-port"])
            await redis.aclose()
            assert served_by != one_port


@pytest.mark.long
async def test_servers_are_upgraded_one_after_the_other_without_an_error_to_a_caller(
    group: SentinelGroup,
) -> None:
    """As docs/recovery.md says it: replicas first; the primary's writers wait until another has taken over."""
    group.is_whole()
    store = open_store(group.settings(timeout_seconds=PATIENCE_SECONDS))
    clients, stopped = await Clients.of(store), asyncio.Event()
    stepping = asyncio.create_task(clients.stepping(stopped))
    await until(lambda: clients.total() > 100, "the clients step")
    last = group.primary()

    for server in [one for one in group.servers if one is not last]:
        server.end()
        server.start()
        await asyncio.to_thread(group.is_whole)
    at_pause = clients.total()
    with group.ask(last) as primary, group.ask(group.sentinels[0]) as sentinel:
        primary.execute_command("CLIENT", "PAUSE", 10_000, "WRITE")
        sentinel.execute_command("SENTINEL", "FAILOVER", SERVICE)
        await until(lambda: group.primary() is not last, "another has taken over")
        await asyncio.to_thread(group.primary_is_followed)
        primary.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    last.end()
    await until(lambda: clients.total() > at_pause + 100, "the clients step on")
    last.start()
    await asyncio.to_thread(group.is_whole)
    stopped.set()
    await stepping

    stored = await store.get(list(clients.acknowledged))
    await store.close()
    assert clients.refusals == 0
    assert {id_: session.current_step for id_, session in stored.items()} == clients.acknowledged
