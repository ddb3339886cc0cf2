"""A session actor as its lines reach it, in this process: they serve as batches do, and they end with it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from actors.calendars import Calendars
from actors.line.line import Line, LineLost, connected
from actors.loop_watch import LoopWatch
from actors.sessions.actor import SessionActor
from actors.sessions.kept_steps import ResultStore
from actors.sessions.messages import Answer, Call, packed
from actors.sessions.wire import answer_from_wire, call_to_wire
from actors.settings import SessionSettings
from adapters.redis.cache import RedisCacheService, open_snapshot_cache
from optionchain.errors import Defect, InvalidInput
from optionchain.history.results import SimulationResult
from optionchain.numerics import engine
from optionchain.observing import Observer
from optionchain.session import Advance, Command, Create, Delete, Inspect, Peek, Reinitialize, Session
from tests.callers import on_behalf_of
from tests.integration.sessions.session_examples import StoreFactory, new_session
from tests.recording import Recording
from tests.servers import RedisServer
from tests.waiting import passing, until

pytestmark = pytest.mark.anyio


class Runtime:
    """Runs an actor in this process."""

    def node_id(self) -> str:
        return "here"

    def address(self) -> str:
        return "127.0.0.1"

    ended = 0

    def end_actor(self) -> None:
        self.ended += 1


class Watch(LoopWatch):
    """Tells what it does."""

    def __init__(self, observer: Observer) -> None:
        super().__init__(observer)
        self.told: list[str] = []

    def begin(self) -> None:
        self.told.append("begin")
        super().begin()

    def end(self) -> None:
        self.told.append("end")
        super().end()


class Hosted:
    """An actor, and what it was given."""

    def __init__(
        self,
        open_store: StoreFactory,
        folder: Path,
        *,
        open_cache: Callable[[], RedisCacheService] | None = None,
        open_results: Callable[[Observer], ResultStore] | None = None,
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.runtime = Runtime()
        self.observer = Recording()
        self.watch = Watch(self.observer)
        self.actor = SessionActor(
            "sessions-0",
            open_store,
            open_cache or self._no_cache,
            lambda: self.observer,
            partial(Calendars, patience_seconds=8.0),
            self.runtime,
            SessionSettings(shared_contracts=1 if open_cache else 0, socket_folder=folder, **settings),
            lambda _: self.watch,
            open_results,
        )

    def _no_cache(self) -> RedisCacheService:
        raise AssertionError("nothing is shared here")

    async def line(self, node: str = "here") -> Line:
        return await connected(await self.actor.line(node), max_bytes=1 << 20, silence_seconds=10.0)


@pytest.fixture
async def hosted(open_store: StoreFactory, tmp_path: Path) -> AsyncIterator[Hosted]:
    hosted = Hosted(open_store, tmp_path)
    yield hosted
    await hosted.actor.close()


def call(session: Session, command: Command) -> Call:
    return Call(session.id, on_behalf_of(session.owner), session.kind, command)


async def over(line: Line, session: Session, command: Command) -> Answer:
    return answer_from_wire(await line.call(call_to_wire(call(session, command))))


@pytest.mark.parametrize("node", ["here", "another node"])
async def test_a_line_serves_as_a_batch_does(hosted: Hosted, node: str) -> None:
    session, line = new_session(), await hosted.line(node)

    await over(line, session, Create(session))
    served = await over(line, session, Advance("a step"))
    (again,) = await hosted.actor.execute(packed([call(session, Advance("a step"))]))
    refused = await over(line, session, Reinitialize("a change", {"steps": 0}))

    assert isinstance(served, bytes)
    assert served == again
    assert isinstance(refused, InvalidInput)
    assert bool((await hosted.actor.line(node)).path) is (node == "here")
    line.abort()


async def test_what_is_no_call_is_answered_as_our_mistake_and_told(hosted: Hosted) -> None:
    line = await hosted.line()

    answer = answer_from_wire(await line.call(b"no call"))

    assert isinstance(answer, Defect)
    assert [operation.name for operation, _ in hosted.observer.failures] == ["session.line"]
    assert isinstance(await over(line, new_session(), Inspect()), Exception)
    line.abort()


async def test_with_the_first_call_the_loop_is_watched_and_with_the_actor_everything_ends(
    hosted: Hosted,
) -> None:
    session, others = new_session(), asyncio.all_tasks()
    assert hosted.watch.told == []
    await hosted.actor.execute(packed([call(session, Create(session))]))
    assert hosted.watch.told == ["begin"]
    line = await hosted.line()
    assert set(hosted.watch.told) == {"begin"}
    assert len(hosted.watch.told) == 2

    await hosted.actor.close()

    with pytest.raises(LineLost):
        await over(line, session, Inspect())
    assert hosted.watch.told[-1] == "end"
    assert list(hosted.folder.iterdir()) == []
    assert asyncio.all_tasks() <= others


class Results:
    """Keeps what was served."""

    def __init__(self) -> None:
        self.kept: list[SimulationResult] = []

    async def store_simulation_result(self, result: SimulationResult) -> None:
        self.kept.append(result)


async def test_what_is_shared_and_what_is_kept_leaves_with_the_actor_and_nothing_goes_on(
    open_store: StoreFactory, server: RedisServer, prefix: str, tmp_path: Path
) -> None:
    shared, redis = open_snapshot_cache(server.settings(), 1, prefix=prefix), server.open()
    results, others = Results(), asyncio.all_tasks()
    hosted = Hosted(
        open_store, tmp_path, open_cache=lambda: shared, open_results=lambda _: results, keep_seconds=3600.0
    )
    session = new_session(updated_at=datetime.now(UTC))

    await hosted.actor.execute(packed([call(session, Create(session)), call(session, Peek("none"))]))
    await until(lambda: redis.keys(f"*{prefix}:snapshots*"), "the snapshot is shared")
    await hosted.actor.execute(packed([call(session, Advance("a step"))]))
    assert results.kept == []
    await hosted.actor.execute(packed([call(session, Peek("all"))]))  # which is still to be shared
    await hosted.actor.close()

    assert [len(result.prices) for result in results.kept] == [1]
    assert asyncio.all_tasks() <= others
    await shared.close()
    await redis.aclose()


@pytest.mark.parametrize(("placement", "is_worth_it"), [("shards:1", True), ("per-session", False)])
async def test_who_hosts_one_session_prices_too_little_to_compile(
    open_store: StoreFactory,
    tmp_path: Path,
    placement: str,
    is_worth_it: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine._PLAIN_TIME, "left", math.inf)

    Hosted(open_store, tmp_path, placement=placement)

    assert math.isfinite(engine._PLAIN_TIME.left) is is_worth_it


async def test_who_is_called_over_its_line_alone_keeps_house_too(
    open_store: StoreFactory, tmp_path: Path
) -> None:
    hosted = Hosted(open_store, tmp_path, placement="per-session", sweep_seconds=0.02)
    line = await hosted.line()

    await until(lambda: hosted.runtime.ended, "it has no session and leaves")

    line.abort()
    await hosted.actor.close()


async def test_an_actor_of_one_session_leaves_with_it(open_store: StoreFactory, tmp_path: Path) -> None:
    results, settings = Results(), {"placement": "per-session", "sweep_seconds": 0.02, "keep_seconds": 3600.0}
    hosted = Hosted(open_store, tmp_path, open_results=lambda _: results, **settings)
    session = new_session(updated_at=datetime.now(UTC))
    try:
        await hosted.actor.execute(packed([call(session, Create(session))]))
        await passing(0.2)  # some looks around
        assert hosted.runtime.ended == 0

        await hosted.actor.execute(packed([call(session, Advance("a step"))]))
        await hosted.actor.execute(packed([call(session, Delete())]))

        await until(lambda: hosted.runtime.ended, "it has left")
        assert len(results.kept) == 1, "what it served is kept before its process ends"
    finally:
        await hosted.actor.close()


async def test_an_actor_of_many_sessions_stays(open_store: StoreFactory, tmp_path: Path) -> None:
    hosted = Hosted(open_store, tmp_path, sweep_seconds=0.02)
    session = new_session(updated_at=datetime.now(UTC))
    try:
        await hosted.actor.execute(packed([call(session, Create(session)), call(session, Delete())]))

        await passing(0.2)

        assert hosted.runtime.ended == 0
    finally:
        await hosted.actor.close()
