"""Keys are made, revoked and replaced while several processes hold them, whatever becomes of the servers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from optionchain.access.api_keys import new_secret
from optionchain.access.roles import ADMIN, TRADER, VIEWER
from optionchain.context import Principal
from optionchain.errors import InvalidInput, NotFound, Unavailable
from tests.integration.identity.replicas import FIXED, Replica
from tests.waiting import until

pytestmark = pytest.mark.anyio
Opened = Callable[..., Awaitable[Replica]]

# What is promised of a revocation.
SECONDS = 1.0


async def made(
    replica: Replica, *, owner: str = "desk", expires_at: datetime | None = None
) -> tuple[str, str]:
    new = await replica.service.create(owner, [TRADER], note="", expires_at=expires_at, created_by="owner")
    return new.key.id, new.secret


async def is_listening(replica: Replica) -> None:
    replica.following.begin()
    await until(lambda: replica.following.hears and replica.following.is_current, "it hears of changes")


async def test_a_new_key_works_at_once_in_every_process(replica: Opened) -> None:
    one, other = await replica(), await replica()
    await is_listening(other)

    key_id, secret = await made(one)

    expected = Principal("desk", key_id, frozenset({TRADER}))
    assert await other.held.principal(secret) == expected
    assert await one.held.principal(secret) == expected


async def test_a_revoked_key_works_nowhere_within_a_second(replica: Opened) -> None:
    one, other = await replica(), await replica()
    await is_listening(other)
    key_id, secret = await made(one)
    assert await other.held.principal(secret)

    began = time.monotonic()
    await one.service.revoke(key_id)
    assert await one.held.principal(secret) is None

    async def is_refused() -> bool:
        return await other.held.principal(secret) is None

    await until(is_refused, "the other process knows", patience_seconds=SECONDS)
    assert time.monotonic() - began < SECONDS


async def test_so_it_is_while_redis_is_down(replica: Opened) -> None:
    one, other = await replica(), await replica()
    for each in (one, other):
        await is_listening(each)
    key_id, secret = await made(one)
    assert await other.held.principal(secret)
    one.redis.cut()
    other.redis.cut()
    await until(lambda: not other.following.hears, "it hears no more")

    await one.service.revoke(key_id)
    began = time.monotonic()

    async def is_refused() -> bool:
        return await other.held.principal(secret) is None

    await until(is_refused, "it was read again")
    assert time.monotonic() - began < SECONDS
    assert other.following.is_current


async def test_so_it_is_for_a_process_that_mongodb_does_not_answer(replica: Opened) -> None:
    one, other = await replica(), await replica()
    await is_listening(other)
    key_id, secret = await made(one)
    assert await other.held.principal(secret)
    other.mongo.cut()

    await one.service.revoke(key_id)

    async def is_refused() -> bool:
        return await other.held.principal(secret) is None

    await until(is_refused, "the notice names it", patience_seconds=SECONDS)
    began = time.monotonic()
    assert await other.held.principal(secret) is None
    assert time.monotonic() - began < SECONDS, "nobody waits for MongoDB to hear that it is revoked"


async def test_a_process_that_can_hear_of_nothing_says_so_and_goes_by_what_it_knew(replica: Opened) -> None:
    one, other = await replica(), await replica(poll_seconds=0.2)
    key_id, secret = await made(one)
    await other.following.ping()
    other.redis.cut()
    other.mongo.cut()

    await until(lambda: not other.following.is_current, "it hears of nothing")

    with pytest.raises(Unavailable, match="the list of API keys"):
        await other.following.ping()
    assert await other.held.principal(secret) == Principal("desk", key_id, frozenset({TRADER}))
    with pytest.raises(Unavailable):
        await other.held.principal(new_secret())
    other.redis.mend()
    other.mongo.mend()
    await until(lambda: other.following.is_current, "it hears again")
    await other.following.ping()


async def test_or_refuses_after_a_while_where_the_settings_say_so(replica: Opened) -> None:
    one, other = await replica(), await replica(poll_seconds=0.2, unheard="refuse", unheard_seconds=1.0)
    _, secret = await made(one)
    await other.following.ping()
    assert await other.held.principal(secret)
    other.redis.cut()
    other.mongo.cut()

    async def is_refused() -> bool:
        try:
            return await other.held.principal(secret) is None
        except Unavailable:
            return True

    await until(is_refused, "it refuses")
    assert await other.held.principal(FIXED) == Principal("owner", "owner", frozenset({ADMIN}))


async def test_what_is_said_meanwhile_is_read_when_it_hears_again(replica: Opened) -> None:
    one, other = await replica(), await replica(poll_seconds=300.0)
    await is_listening(other)
    key_id, secret = await made(one)
    assert await other.held.principal(secret)
    other.redis.cut()
    other.mongo.cut()
    await until(lambda: not other.following.hears, "it hears no more")

    await one.service.revoke(key_id)
    other.mongo.mend()
    other.redis.mend()

    async def is_refused() -> bool:
        return await other.held.principal(secret) is None

    await until(is_refused, "it was read again")


async def test_a_notice_that_was_lost_is_made_good_by_the_next_reading(replica: Opened) -> None:
    one, other = await replica(), await replica(poll_seconds=0.2)
    await is_listening(other)
    key_id, secret = await made(one)
    assert await other.held.principal(secret)
    one.redis.cut()  # so that it can tell nobody, while the other believes to hear everything

    await one.service.revoke(key_id)

    async def is_refused() -> bool:
        return await other.held.principal(secret) is None

    await until(is_refused, "it was read again")
    assert one.observer.failure("keys.tell")


async def test_a_known_key_is_known_without_any_server(replica: Opened) -> None:
    one = await replica()
    _, secret = await made(one)
    assert await one.held.principal(secret)
    one.redis.cut()
    one.mongo.cut()

    before = len(one.observer.failures)
    for _ in range(100):
        # A coroutine that is not suspended ends with the first step.
        with pytest.raises(StopIteration) as found:
            one.held.principal(secret).send(None)
        assert found.value.value.tenant == "desk"
    assert len(one.observer.failures) == before


async def test_made_up_keys_ask_nobody_more_than_a_few_times_a_second(replica: Opened) -> None:
    one = await replica(poll_seconds=300.0)
    await is_listening(one)
    reads_before = [each.name for each in one.observer.begun].count("keys.read")
    looks: list[float] = []
    read = one.repository.working

    async def counted(instant: datetime, *, limit: int):  # type: ignore[no-untyped-def]
        looks.append(time.monotonic())
        return await read(instant, limit=limit)

    one.repository.working = counted  # type: ignore[method-assign]
    began = time.monotonic()
    for _ in range(2_000):
        assert await one.held.principal(new_secret()) is None
    seconds = time.monotonic() - began

    # A burst, some a second, and one that is under way at either end.
    assert 0 < len(looks) <= 12 + 5 * seconds
    assert [each.name for each in one.observer.begun].count("keys.read") == reads_before
    assert await one.held.principal("no secret of ours, not even in its shape") is None


async def test_an_expired_key_does_not_work_though_nobody_says_so(replica: Opened) -> None:
    one = await replica(poll_seconds=300.0)
    _, secret = await made(one, expires_at=datetime.now(UTC) + timedelta(seconds=0.5))
    assert await one.held.principal(secret)

    async def is_refused() -> bool:
        return await one.held.principal(secret) is None

    await until(is_refused, "it expires")


async def test_a_replaced_key_works_for_as_long_as_was_asked_for(replica: Opened) -> None:
    one = await replica()
    key_id, secret = await made(one)

    beside = await one.service.rotate(key_id, overlap_seconds=3600.0, expires_at=None, created_by="owner")
    assert await one.held.principal(secret)
    at_once = await one.service.rotate(
        beside.key.id, overlap_seconds=0.0, expires_at=None, created_by="owner"
    )

    assert (beside.key.replaces, beside.key.owner, beside.key.roles) == (key_id, "desk", frozenset({TRADER}))
    assert await one.held.principal(beside.secret) is None
    assert await one.held.principal(at_once.secret)
    with pytest.raises(InvalidInput, match="does not work any more"):
        await one.service.rotate(beside.key.id, overlap_seconds=0.0, expires_at=None, created_by="owner")
    with pytest.raises(NotFound):
        await one.service.rotate("nothing", overlap_seconds=0.0, expires_at=None, created_by="owner")


async def test_the_last_use_is_written_beside_the_requests(replica: Opened) -> None:
    one = await replica(poll_seconds=0.2, used_seconds=0.1)
    key_id, secret = await made(one)
    assert (await one.service.get(key_id)).last_used_at is None

    assert await one.held.principal(secret)

    async def is_written() -> bool:
        used = (await one.service.get(key_id)).last_used_at
        return used is not None and abs((datetime.now(UTC) - used).total_seconds()) < 30

    await until(is_written, "its last use is known")


async def test_there_are_no_more_keys_than_there_may_be(replica: Opened) -> None:
    one = await replica(max_keys=1)
    key_id, _ = await made(one)

    with pytest.raises(InvalidInput, match="1 keys that work: revoke some"):
        await made(one)
    await one.service.revoke(key_id)

    assert await made(one)


@pytest.mark.parametrize(
    ("field", "inputs"),
    [
        ("owner", {"owner": "a b"}),
        ("owner", {"owner": ""}),
        ("roles", {"roles": []}),
        ("roles", {"roles": ["root"]}),
        ("roles", {"roles": ["caller"]}),
        ("note", {"note": "two\nlines"}),
        ("note", {"note": "x" * 201}),
        ("note", {"note": "turned \u202e round"}),
        ("expires_at", {"expires_at": datetime.now(UTC) - timedelta(seconds=1)}),
    ],
)
async def test_what_is_wrong_is_named(field: str, inputs: dict, replica: Opened) -> None:
    one = await replica()
    given = {"owner": "desk", "roles": [VIEWER], "note": "", "expires_at": None, **inputs}

    with pytest.raises(InvalidInput) as refusal:
        await one.service.create(given.pop("owner"), given.pop("roles"), **given, created_by="owner")

    assert refusal.value.field == field
    assert await one.service.listed(offset=0, limit=10) == (0, [])
