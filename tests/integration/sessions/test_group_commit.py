"""What arrives together is loaded, computed and stored together, once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson
import pytest

from actors.sessions.messages import Call
from adapters.redis.session_store import RedisSessionStore
from optionchain.errors import NotFound, OptionChainError
from optionchain.ports import Checkpoint
from optionchain.session import Delete, Peek, Session
from tests.callers import on_behalf_of
from tests.integration.sessions.session_examples import (
    StoreFactory,
    advance,
    after,
    ask,
    created,
    new_host,
    new_session,
)
from tests.recording import Recording
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio

SESSIONS = 20


async def test_checkpoints_of_a_batch_take_one_round_trip(
    open_store: StoreFactory, server: RedisServer
) -> None:
    store, redis = open_store(), server.open()
    sessions = [new_session() for _ in range(SESSIONS)]
    await store.save([Checkpoint(session, None) for session in sessions])

    before = await redis.info("stats")
    await store.save([Checkpoint(after(session, advance()), session) for session in sessions])
    stats = await redis.info("stats")
    await redis.aclose()

    # A read for each would be 20. The kernel may cut a long request into a few; one is that of the statistics.
    assert 1 < stats["total_reads_processed"] - before["total_reads_processed"] < SESSIONS / 4


async def test_callers_of_a_session_that_nobody_holds_load_and_compute_it_once(
    open_store: StoreFactory,
) -> None:
    store = open_store()
    session = await created(new_host(store), new_session())
    observer = Recording()
    host = new_host(store, observer=observer)

    bodies = await asyncio.gather(*(ask(host, session, Peek()) for _ in range(SESSIONS)))

    assert len({body for (body,) in bodies if isinstance(body, bytes)}) == 1
    assert observer.counts["session.activated"] == 1
    assert observer.counts["session.snapshots_cached"] == SESSIONS - 1


async def test_a_batch_of_cold_sessions_is_loaded_in_one_request(open_store: StoreFactory) -> None:
    store = open_store()
    sessions = [await created(new_host(store), new_session()) for _ in range(SESSIONS)]
    requests: list[int] = []

    class Counting(RedisSessionStore):
        async def get(self, session_ids: Sequence[str]) -> dict[str, Session]:
            requests.append(len(session_ids))
            return dict(await super().get(session_ids))

    store.__class__ = Counting
    host = new_host(store)
    answers = await host.execute([Call(s.id, on_behalf_of(s.owner), s.kind, advance()) for s in sessions])

    assert all(isinstance(answer, bytes) for answer in answers)
    assert requests == [SESSIONS]


async def test_steps_of_many_snapshots_fill_a_batch_sooner(open_store: StoreFactory) -> None:
    store = open_store()
    sessions = [await created(new_host(store), new_session()) for _ in range(4)]
    sizes: list[int] = []

    class Counting(RedisSessionStore):
        async def save(self, checkpoints: Sequence[Checkpoint]) -> Sequence[OptionChainError | None]:
            sizes.append(len(checkpoints))
            return await super().save(checkpoints)

    store.__class__ = Counting
    host = new_host(store, max_batch=4)
    counts = [3, None, 5, None]
    answers = await host.execute(
        [
            Call(s.id, on_behalf_of(s.owner), s.kind, advance(count=count))
            for s, count in zip(sessions, counts, strict=True)
        ]
    )

    assert all(isinstance(answer, bytes) for answer in answers)
    assert sizes == [2, 1, 1]


async def test_a_step_is_stored_before_the_deletion_behind_it(open_store: StoreFactory) -> None:
    store = open_store()
    events: list[str] = []

    class Recording(RedisSessionStore):
        async def save(self, checkpoints: Sequence[Checkpoint]) -> Sequence[OptionChainError | None]:
            events.extend("stored" for _ in checkpoints)
            return await super().save(checkpoints)

        async def delete(self, sessions: Sequence[Session]) -> None:
            events.extend("deleted" for _ in sessions)
            await super().delete(sessions)

    host = new_host(store)
    session = await created(host, new_session())
    store.__class__ = Recording

    stepped, again, deleted, too_late = await ask(host, session, advance(), advance(), Delete(), advance())

    assert [orjson.loads(body)["session_info"]["current_step"] for body in (stepped, again)] == [1, 2]  # type: ignore[arg-type]
    assert isinstance(deleted, bytes)
    assert isinstance(too_late, NotFound)
    assert events == ["stored", "deleted"]
