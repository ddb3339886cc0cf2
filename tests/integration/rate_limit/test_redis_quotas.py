"""What counts of quotas, on a real server: days, totals, sessions alive, and portions of contracts."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.redis.quotas import RedisQuotas
from adapters.redis.session_store import RedisSessionStore
from cluster.quotas.leases import Leases, portion_of
from optionchain.access.quotas import DAY_SECONDS, Quota, QuotaUsedUp
from optionchain.errors import Unavailable
from optionchain.ports import Checkpoint
from optionchain.session import SessionKind
from tests.integration.sessions.session_examples import new_session
from tests.servers import RedisServer, redis_server

pytestmark = pytest.mark.anyio
CHAIN, SIMULATION = SessionKind.CHAIN, SessionKind.SIMULATION


@pytest.fixture
async def counts(server: RedisServer, prefix: str) -> AsyncIterator[RedisQuotas]:
    counts = RedisQuotas(server.open(), prefix=prefix)
    yield counts
    await counts.close()


@pytest.mark.parametrize("quota", [Quota.EXPORT_ROWS, Quota.STORAGE])
async def test_an_amount_is_counted_whole_or_not_at_all(counts: RedisQuotas, quota: Quota) -> None:
    first = await counts.spend("desk", quota, 70, 100)
    too_much = await counts.spend("desk", quota, 31, 100)
    rest = await counts.spend("desk", quota, 30, 100)
    other = await counts.spend("other", quota, 100, 100)

    assert [each.is_granted for each in (first, too_much, rest, other)] == [True, False, True, True]
    assert [each.used for each in (first, too_much, rest, other)] == [70, 70, 100, 100]


async def test_a_day_is_free_again_when_it_is_over_and_a_total_never(
    counts: RedisQuotas, server: RedisServer, prefix: str
) -> None:
    of_day = await counts.spend("desk", Quota.SWEEP_PRICES, 5, 5)
    of_total = await counts.spend("desk", Quota.STORAGE, 5, 5)

    until_midnight = DAY_SECONDS - time.time() % DAY_SECONDS
    assert of_day.free_seconds is not None
    # Whole seconds, and midnight may fall between the two looks.
    assert abs(of_day.free_seconds - until_midnight) % DAY_SECONDS < 5.0
    assert of_total.free_seconds is None
    client = server.open()
    keys = await client.keys(f"{prefix}:quota:*:desk")
    lives = {key.decode().split(":")[2]: await client.ttl(key) for key in keys}
    assert 0 < lives["sweep_prices_per_day"] <= DAY_SECONDS
    assert lives["storage_bytes"] == -1
    await client.aclose()


async def test_what_counted_yesterday_counts_no_more(counts: RedisQuotas, server: RedisServer) -> None:
    await counts.spend("desk", Quota.EXPORT_ROWS, 100, 100)
    client = server.open()
    [key] = await client.keys(f"{counts._prefix}:quota:export*")
    await client.hset(key, "period", int(time.time() // DAY_SECONDS) - 1)

    assert (await counts.spend("desk", Quota.EXPORT_ROWS, 60, 100)).used == 60
    await client.aclose()


async def test_what_is_given_back_can_be_taken_again(counts: RedisQuotas) -> None:
    await counts.spend("desk", Quota.EXPORT_ROWS, 100, 100)

    await counts.spend("desk", Quota.EXPORT_ROWS, -40, None)

    assert not (await counts.spend("desk", Quota.EXPORT_ROWS, 41, 100)).is_granted
    assert (await counts.spend("desk", Quota.EXPORT_ROWS, 40, 100)).is_granted


async def test_looking_counts_nothing_and_is_never_refused(counts: RedisQuotas) -> None:
    await counts.spend("desk", Quota.STORAGE, 9, None)

    looked = await counts.spend("desk", Quota.STORAGE, 0, 5)

    assert (looked.is_granted, looked.used) == (True, 9)


async def test_many_at_once_take_no_more_than_there_is(server: RedisServer) -> None:
    prefix = secrets.token_hex(4)
    replicas = [RedisQuotas(server.open(), prefix=prefix) for _ in range(3)]

    spent = await asyncio.gather(
        *(replica.spend("desk", Quota.EXPORT_ROWS, 7, 100) for replica in replicas for _ in range(10))
    )

    assert sum(each.is_granted for each in spent) == 100 // 7
    for replica in replicas:
        await replica.close()


async def test_a_silent_redis_is_said_and_then_left_alone(tmp_path: Path) -> None:
    with redis_server(tmp_path) as gone:
        counts = RedisQuotas(gone.open(), timeout_seconds=0.5)
    with pytest.raises(Unavailable, match="quotas"):
        await counts.spend("desk", Quota.STORAGE, 1, 5)
    await counts.close()


async def test_no_more_sessions_are_alive_than_may_be(server: RedisServer) -> None:
    replicas = [RedisSessionStore(server.open(), prefix=(prefix := secrets.token_hex(4)))]
    replicas += [RedisSessionStore(server.open(), prefix=prefix) for _ in range(2)]

    refused = await asyncio.gather(
        *(
            replicas[number % 3].reserve("desk", CHAIN if number % 2 else SIMULATION, f"s{number}", most=5)
            for number in range(20)
        )
    )

    assert refused.count(None) == 5
    assert all(first > time.time() for first in refused if first is not None)
    assert await replicas[0].reserve("other", CHAIN, "s0", most=5) is None
    for replica in replicas:
        await replica.close()


async def test_a_session_that_counts_is_not_counted_again_and_its_place_is_free_when_it_is_deleted(
    server: RedisServer,
) -> None:
    store = RedisSessionStore(server.open(), prefix=secrets.token_hex(4))
    session = new_session(owner="desk")
    assert await store.reserve("desk", session.kind, session.id, most=1) is None
    assert await store.save([Checkpoint(session, None)]) == [None]

    again = await store.reserve("desk", session.kind, session.id, most=1)
    another = await store.reserve("desk", session.kind, "another", most=1)
    await store.delete([session])

    assert again is None
    # It is the session's own life that counts now, and not the reservation's.
    assert another is not None
    assert another > time.time() + 3600
    assert await store.reserve("desk", session.kind, "another", most=1) is None
    await store.close()


async def test_a_place_that_nobody_took_is_free_again(server: RedisServer) -> None:
    now = time.time()
    store = RedisSessionStore(server.open(), prefix=secrets.token_hex(4), clock=lambda: now)
    assert await store.reserve("desk", CHAIN, "failed", most=1) is None

    now += 31.0

    assert await store.reserve("desk", CHAIN, "next", most=1) is None
    now += 100_000.0
    await store.cleanup_expired()
    assert (await store.list_active("desk", CHAIN)).total == 0
    await store.close()


async def test_steps_pay_no_round_trip_while_there_is_something_left(counts: RedisQuotas) -> None:
    calls = 0

    class Counting(RedisQuotas):
        async def lease(self, tenant: str, **asked: int):  # type: ignore[override]
            nonlocal calls
            calls += 1
            return await super().lease(tenant, **asked)

    leases = Leases(Counting(counts._client, prefix=counts._prefix), max_tenants=10)

    for _ in range(40):  # 400 of the 1,000 that a portion has
        await leases.admit("desk", 10_000)
        leases.served("desk", 10)

    assert calls == 1


async def test_a_portion_is_taken_ahead_so_that_no_step_waits_for_it(counts: RedisQuotas) -> None:
    leases = Leases(counts, max_tenants=10)
    await leases.admit("desk", 10_000)
    leases.served("desk", 600)

    await leases.admit("desk", 10_000)

    lease = leases._leases["desk"]
    assert lease.left == 400  # it did not wait
    assert lease.ahead is not None
    await lease.ahead
    assert lease.left == 1_000


async def test_an_answer_beyond_the_portion_is_owed_and_waited_for(counts: RedisQuotas) -> None:
    leases = Leases(counts, max_tenants=10)
    await leases.admit("desk", 100)
    leases.served("desk", 1_000)

    with pytest.raises(QuotaUsedUp) as refused:
        await leases.admit("desk", 100)

    # A second's worth is free at once: 1,000 of 100 a second are over when 900 have run off.
    assert refused.value.quota is Quota.CONTRACTS
    assert 5.0 < refused.value.retry_after_seconds < 9.1
    assert str(refused.value).startswith(
        "the quota contracts_per_second (100) is used up: it is free again in "
    )


async def test_a_limit_that_was_raised_counts_at_once(counts: RedisQuotas) -> None:
    leases = Leases(counts, max_tenants=10)
    await leases.admit("desk", 1)
    leases.served("desk", 3)
    with pytest.raises(QuotaUsedUp):
        await leases.admit("desk", 1)

    await leases.admit("desk", 1_000_000)


async def test_who_cannot_be_counted_is_served(tmp_path: Path) -> None:
    with redis_server(tmp_path) as gone:
        counts = RedisQuotas(gone.open(), timeout_seconds=0.5)
    leases = Leases(counts, max_tenants=10)

    for _ in range(5):
        await leases.admit("desk", 1)
        leases.served("desk", 100)

    await counts.close()


async def test_as_many_tenants_are_held_as_may_be(counts: RedisQuotas) -> None:
    leases = Leases(counts, max_tenants=3)

    for number in range(10):
        await leases.admit(f"t{number}", 100)

    assert list(leases._leases) == ["t7", "t8", "t9"]


@settings(max_examples=60)
@given(
    a_second=st.integers(1, 2_000),
    replicas=st.integers(1, 4),
    waves=st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.integers(1, 700)), min_size=1, max_size=8),
        min_size=1,
        max_size=12,
    ),
)
def test_all_replicas_together_serve_no_more_than_is_said(
    server: RedisServer, a_second: int, replicas: int, waves: list[list[tuple[int, int]]]
) -> None:
    """Waves of answers that are under way at once, each at a replica and with as many contracts."""
    asyncio.run(_serve(server, a_second, replicas, waves))


async def _serve(
    server: RedisServer, a_second: int, replicas: int, waves: list[list[tuple[int, int]]]
) -> None:
    prefix = secrets.token_hex(4)
    counts = [RedisQuotas(server.open(), prefix=prefix) for _ in range(replicas)]
    leases = [Leases(each, max_tenants=10) for each in counts]
    served, under_way = 0, [0] * replicas
    began = time.monotonic()

    async def answer(at: int, contracts: int) -> int:
        try:
            await leases[at].admit("desk", a_second)
        except QuotaUsedUp:
            return 0
        return contracts

    for wave in waves:
        asked = [(at % replicas, contracts) for at, contracts in wave]
        answered = await asyncio.gather(*(answer(*each) for each in asked))
        of_wave = [0] * replicas
        for (at, _), contracts in zip(asked, answered, strict=True):
            leases[at].served("desk", contracts)
            of_wave[at] += contracts
            served += contracts
        under_way = [max(pair) for pair in zip(under_way, of_wave, strict=True)]

    seconds = time.monotonic() - began
    for each in leases:
        for lease in each._leases.values():
            if lease.ahead is not None:
                await lease.ahead
    for one in counts:
        await one.close()
    most = math.ceil(a_second * (seconds + 1.0)) + 2 * replicas * portion_of(a_second) + sum(under_way)
    assert served <= most
