"""Sessions, cache, limits and kept answers on six real nodes, one of which is killed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import count

import pytest
from redis.crc import key_slot

from adapters.circuit_breaker import CircuitBreaker
from adapters.redis.allowances import RedisAllowances
from adapters.redis.cache import CACHE, RedisCacheService
from adapters.redis.connection import open_redis
from adapters.redis.copies import RedisSessions
from adapters.redis.idempotency import RedisAnswers
from adapters.settings import RateSettings
from optionchain.errors import Unavailable
from optionchain.ports import CacheEntry, Checkpoint, KeyReused
from optionchain.session import SessionKind
from proving.groups.redis_members import Member, when_it_says
from tests.integration.redis_groups.cluster_nodes import SLOTS, Nodes, cluster_nodes
from tests.integration.redis_groups.cluster_nodes import ask as ask_node
from tests.integration.redis_groups.stepping import Clients, open_store
from tests.integration.sessions.session_examples import advance, after, ask, created, new_host, new_session
from tests.integration.sessions.session_store_contract import CHECKS, Check
from tests.waiting import until

pytestmark = pytest.mark.anyio

FAILOVER_SECONDS = 10.0


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with cluster_nodes(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


def open_cache(nodes: Nodes, prefix: str) -> RedisCacheService:
    cache = RedisCacheService(open_redis(nodes.settings()), prefix=prefix)
    cache._breaker = CircuitBreaker(CACHE, pause_seconds=0.1)
    return cache


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_the_contract(check: Check, nodes: Nodes) -> None:
    store = open_store(nodes.settings(prefix=check.__name__[:32]))
    await check(store)
    await store.close()


async def test_sessions_of_every_node_are_copied_and_brought_back(nodes: Nodes) -> None:
    settings = nodes.settings(prefix="copied")
    store, client = open_store(settings), open_redis(settings)
    sessions = [new_session(id=f"s{number:03d}") for number in range(100)]
    await store.save([Checkpoint(session, None) for session in sessions])
    origin, other = (
        RedisSessions(client, prefix=prefix, keyed_seconds=60.0, timeout_seconds=20.0)
        for prefix in ("copied", "back")
    )

    batches = [batch async for batch in origin.read()]
    items = [item for batch in batches for item in batch.items]
    assert sorted(item["_id"] for item in items) == [session.id for session in sessions]
    assert all(await other.write([(item, None) for item in items]))

    assert [origin.essence(item) for item in items] == [
        other.essence(item) for item in await other.stored(items) if item
    ]
    # Gone on with behind a node: that and those before it are not read again.
    first = next(batch for batch in batches if batch.next["node"].endswith("\0"))
    rest = [item async for batch in origin.read(first.next) for item in batch.items]
    done = [item for batch in batches[: batches.index(first) + 1] for item in batch.items]
    assert len(rest) == len(items) - len(done) < len(items)
    await store.close()
    await client.aclose()


async def test_keyed_commands_take_effect_once(nodes: Nodes) -> None:
    store = open_store(nodes.settings())
    host = new_host(store)
    session = await created(host, new_session())
    keyed = advance(is_keyed=True)

    first = await ask(host, session, keyed)
    again = await ask(new_host(store), session, keyed)

    assert again == first
    assert (await store.get([session.id]))[session.id].current_step == 1
    await store.close()


async def test_expired_sessions_of_all_nodes_are_cleaned_up(nodes: Nodes) -> None:
    past = open_store(nodes.settings(prefix="past"))
    past._clock = lambda: time.time() - 2 * 86_400.0
    sessions = [new_session(owner=f"owner-{n}") for n in range(50)]
    await past.save([Checkpoint(session, None) for session in sessions])
    store = open_store(nodes.settings(prefix="past"))

    assert await store.cleanup_expired() == 50
    assert (await store.list_active("owner-1", SessionKind.CHAIN)).total == 0
    for one in (past, store):
        await one.close()


async def test_kept_answers_and_limits(nodes: Nodes) -> None:
    answers = RedisAnswers(open_redis(nodes.settings()), max_bytes=1000)
    allowances = RedisAllowances(open_redis(nodes.settings()), RateSettings(per_minute=1, burst=2))
    for key in ("a", "b", "c"):
        assert await answers.begin("owner", key, b"request") is None
        await answers.finish("owner", key, b"request", b"answer")
        assert await answers.begin("owner", key, b"request") == b"answer"
        with pytest.raises(KeyReused):
            await answers.begin("owner", key, b"another")
        assert [(await allowances.take(key)).is_granted for _ in range(3)] == [True, True, False]
    await answers.close()
    await allowances.close()


async def test_a_step_that_no_replica_of_its_own_node_has_is_not_acknowledged(nodes: Nodes) -> None:
    """Those of other nodes have all there is, and do not count."""
    store = open_store(nodes.settings(wait_replicas=1))
    session = new_session()
    await store.save([Checkpoint(session, None)])
    _, replica = nodes.serving(f"ocs:session:{{{session.id}}}")

    replica.hang()
    try:
        with pytest.raises(Unavailable):
            await store.save([Checkpoint(after(session, advance()), session)])
    finally:
        replica.go_on()
    await store.close()


async def test_a_killed_node_is_replaced_and_neither_steps_nor_what_is_forgotten_are_lost(
    nodes: Nodes,
) -> None:
    """It has the cache, and a part of the sessions."""
    primary = nodes.serving("{here:cache}")[0]
    one, other = (open_cache(nodes, "here") for _ in range(2))
    for cache in (one, other):
        await cache.get("anything")
        await until(lambda cache=cache: cache._is_listening, "it listens")
    await one.set("a", b"old", 600)
    assert await other.get("a") == CacheEntry(b"old")
    store = open_store(nodes.settings(wait_replicas=1))
    clients, stopped = await Clients.of(store), asyncio.Event()
    stepping = asyncio.create_task(clients.stepping(stopped))
    await until(lambda: clients.total() > 100, "the clients step")

    primary.kill()

    at_kill, begun = clients.total(), time.monotonic()
    await one.delete("a")  # nobody has heard it
    await until(lambda: nodes.serving("{here:cache}")[0] is not primary, "a replica has taken over")
    primary.start()  # as the replica of its replica: who waits for replicas needs one
    await until(lambda: clients.total() > at_kill + 100, "they step again")
    assert time.monotonic() - begun < FAILOVER_SECONDS
    stopped.set()
    await stepping
    stored = await store.get(list(clients.acknowledged))
    assert {id_: session.current_step for id_, session in stored.items()} == clients.acknowledged
    assert clients.longest_answer_seconds < 4.0

    async def both_listen() -> bool:
        await one.get("anything")
        await other.get("anything")
        return one._is_listening and other._is_listening

    await until(both_listen, "the caches listen again")
    assert [await one.get("a"), await other.get("a")] == [None, None]
    await one.set("a", b"new", 600)
    await until(lambda: _has(other, "a", b"new"), "the other has it")
    for each in (one, other, store):
        await each.close()


async def _has(cache: RedisCacheService, key: str, value: bytes) -> bool:
    entry = await cache.get(key)
    return entry is not None and entry.value == value


@pytest.mark.long
async def test_nodes_are_upgraded_one_after_the_other_without_an_error_to_a_caller(nodes: Nodes) -> None:
    """As docs/recovery.md says it: of each pair the replica, then the primary once the replica has taken over."""
    store = open_store(nodes.settings(prefix="upgraded"))
    clients, stopped = await Clients.of(store), asyncio.Event()
    stepping = asyncio.create_task(clients.stepping(stopped))
    await until(lambda: clients.total() > 100, "the clients step")

    for number in range(3):
        key = f"ocs:session:{{{next(iter_keys(number))}}}"
        primary, replica = nodes.serving(key)
        await asyncio.to_thread(restarted, replica)
        with ask_node(replica) as client:
            client.execute_command("CLUSTER", "FAILOVER")
        await until(lambda key=key, one=replica: nodes.serving(key)[0] is one, "the replica has taken over")
        at_takeover = clients.total()
        await until(lambda least=at_takeover + 50: clients.total() > least, "the clients step on")
        await asyncio.to_thread(restarted, primary)
    stopped.set()
    await stepping

    assert clients.refusals == 0
    stored = await store.get(list(clients.acknowledged))
    await store.close()
    assert {id_: session.current_step for id_, session in stored.items()} == clients.acknowledged


def iter_keys(third: int) -> Iterator[str]:
    """Ids of sessions in one third of the slots."""
    for number in count():
        if key_slot(f"ocs:session:{{{number}}}".encode()) * 3 // SLOTS == third:
            yield str(number)


def restarted(replica: Member) -> None:
    """Ended and started again, until it follows."""
    replica.end()
    replica.start()
    with ask_node(replica) as client:
        is_linked = lambda one: one.info("replication").get("master_link_status") == "up"  # noqa: E731
        when_it_says(client, is_linked, "it follows")
