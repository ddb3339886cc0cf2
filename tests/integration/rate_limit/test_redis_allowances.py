"""How many requests each caller may make, counted on a real server."""

from __future__ import annotations

import time
from pathlib import Path

import anyio
import pytest

from adapters.redis.allowances import RedisAllowances
from adapters.settings import RateSettings
from optionchain.errors import Unavailable
from optionchain.ports import Allowance
from tests.recording import Recording
from tests.servers import RedisServer, redis_server

pytestmark = pytest.mark.anyio
# No test lasts long enough for one more request.
SLOW = RateSettings(per_minute=1, burst=3)


async def taken(allowances: RedisAllowances, times: int, caller: str = "owner:alice") -> list[Allowance]:
    return [await allowances.take(caller) for _ in range(times)]


async def test_a_burst_is_granted_and_then_no_more(server: RedisServer, prefix: str) -> None:
    allowances = RedisAllowances(server.open(), SLOW, prefix=prefix)

    granted = await taken(allowances, 5)

    assert [each.is_granted for each in granted] == [True, True, True, False, False]
    assert [each.remaining for each in granted] == [2, 1, 0, 0, 0]
    assert {each.limit for each in granted} == {3}
    await allowances.close()


async def test_a_refusal_says_when_to_come_back_and_costs_nothing(server: RedisServer, prefix: str) -> None:
    allowances = RedisAllowances(server.open(), SLOW, prefix=prefix)
    await taken(allowances, 3)

    first, *_, last = await taken(allowances, 20)

    assert 0.0 < last.retry_seconds <= first.retry_seconds <= 60.0
    assert 120.0 < last.whole_seconds <= first.whole_seconds <= 180.0
    await allowances.close()


async def test_replicas_count_together(server: RedisServer, prefix: str) -> None:
    replicas = [RedisAllowances(server.open(), SLOW, prefix=prefix) for _ in range(3)]

    granted: list[bool] = []
    async with anyio.create_task_group() as group:

        async def ask(replica: RedisAllowances) -> None:
            granted.append((await replica.take("owner:alice")).is_granted)

        for replica in replicas * 4:
            group.start_soon(ask, replica)

    assert (len(granted), sum(granted)) == (12, 3)
    for replica in replicas:
        await replica.close()


async def test_each_call_is_told(server: RedisServer, prefix: str) -> None:
    observer = Recording()
    allowances = RedisAllowances(server.open(), SLOW, prefix=prefix, observer=observer)
    await taken(allowances, 2)
    await allowances.close()

    told = [(each.name, each.facts) for each in observer.ended]
    assert told == [("redis.call", {"operation": "limiter.take"})] * 2


async def test_callers_do_not_share(server: RedisServer, prefix: str) -> None:
    allowances = RedisAllowances(server.open(), SLOW, prefix=prefix)
    await taken(allowances, 4)

    assert (await allowances.take("owner:bob")).remaining == 2
    await allowances.close()


async def test_what_was_used_comes_back_at_the_rate(server: RedisServer, prefix: str) -> None:
    allowances = RedisAllowances(server.open(), RateSettings(per_minute=1200, burst=2), prefix=prefix)
    began = time.monotonic()

    granted = 0
    with anyio.fail_after(30.0):
        while granted < 12:
            granted += (await allowances.take("owner:alice")).is_granted

    # Two at once, then ten, one every 50 ms; never sooner, however slow the machine.
    assert time.monotonic() - began >= 10 * 0.05
    await allowances.close()


async def test_a_caller_who_is_whole_again_takes_no_memory(server: RedisServer, prefix: str) -> None:
    allowances = RedisAllowances(server.open(), RateSettings(per_minute=6000, burst=2), prefix=prefix)
    await taken(allowances, 2)

    client = server.open()
    with anyio.fail_after(30.0):
        while await client.exists(f"{prefix}:rate:owner:alice"):
            continue
    await client.aclose()
    await allowances.close()


async def test_a_server_out_of_reach_is_our_error_and_soon_not_even_asked(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        allowances = RedisAllowances(server.open(), SLOW)

    for _ in range(5):
        with pytest.raises(Unavailable):
            await allowances.take("owner:alice")
    await allowances.close()
