"""A keyed command takes effect once, however late it is sent again, whoever died meanwhile."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass, replace
from typing import Literal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.sessions.host import SessionHost
from actors.sessions.messages import Answer
from adapters.redis.session_store import RedisSessionStore
from optionchain.errors import Completed, Conflict, PreconditionFailed
from optionchain.parameters import SingleExpiration
from optionchain.ports import Checkpoint
from optionchain.session import (
    CREATION,
    REMEMBERED_COMMANDS,
    Advance,
    Create,
    Delete,
    Inspect,
    Reinitialize,
    Session,
    handle,
)
from tests.integration.sessions.session_examples import (
    PARAMETERS,
    StoreFactory,
    advance,
    ask,
    created,
    new_host,
    new_session,
)
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio

LONG = replace(PARAMETERS, steps=60, expirations=SingleExpiration(365.0))
TOTAL = new_session(LONG).total_steps


def keyed(key: str, **options: object) -> Advance:
    return Advance(key, is_keyed=True, **options)  # type: ignore[arg-type]


def cursor(answer: Answer) -> int:
    assert isinstance(answer, bytes), answer
    return int(orjson.loads(answer)["current_step"])


async def stepped(host: SessionHost, session: Session, steps: int) -> None:
    for _ in range(steps):
        await ask(host, session, advance())


async def test_a_late_repeat_is_given_what_it_was_given_first_whoever_holds_the_session(
    open_store: StoreFactory,
) -> None:
    host = new_host(open_store())
    session = await created(host, new_session(LONG))
    (first,) = await ask(host, session, keyed("a"))
    await stepped(host, session, 2 * REMEMBERED_COMMANDS)

    (again,) = await ask(host, session, keyed("a"))
    (after_a_crash,) = await ask(new_host(open_store()), session, keyed("a", expected_step=0))
    (inspected,) = await ask(host, session, Inspect())

    assert again == after_a_crash == first
    assert cursor(inspected) == 1 + 2 * REMEMBERED_COMMANDS


async def test_a_repeat_at_the_end_is_given_what_it_was_given_first(open_store: StoreFactory) -> None:
    host = new_host(open_store())
    session = await created(host, new_session(LONG))
    (first,) = await ask(host, session, keyed("a", count=3))
    await stepped(host, session, TOTAL - 3)

    assert await ask(new_host(open_store()), session, keyed("a", count=3)) == [first]
    (refused,) = await ask(host, session, keyed("b"))
    assert isinstance(refused, Completed)


async def test_what_was_given_of_other_parameters_is_not_given_again_and_nothing_is_served(
    open_store: StoreFactory,
) -> None:
    host = new_host(open_store())
    session = await created(host, new_session(LONG))
    change = Reinitialize("change", {"volatility": 0.5})
    await ask(host, session, keyed("a"))
    together = await ask(host, session, keyed("b"), change, keyed("b"), keyed("a"))

    later = [*together[2:], *await ask(new_host(open_store()), session, keyed("a"), keyed("b"))]

    assert [(type(answer), answer.current_step) for answer in later] == [(PreconditionFailed, 0)] * 4  # type: ignore[union-attr]
    (inspected,) = await ask(host, session, Inspect())
    assert cursor(inspected) == 0


async def test_the_store_refuses_a_second_effect_of_whoever_has_forgotten_the_first(
    open_store: StoreFactory,
) -> None:
    store, now = open_store(), PARAMETERS.start_at
    session = new_session(LONG)
    await store.save([Checkpoint(session, None)])
    before = session
    for command in (keyed("a"), *(advance() for _ in range(REMEMBERED_COMMANDS))):
        after = handle(before, command, now).session
        assert after is not None
        assert await store.save([Checkpoint(after, before)]) == [None]
        before = after
    twice = handle(before, keyed("a"), now).session
    assert twice is not None
    assert twice.current_step == before.current_step + 1, "it has forgotten"

    assert await store.save([Checkpoint(twice, before)]) != [None]
    assert await store.get([session.id]) == {session.id: before}


async def test_commands_are_remembered_as_long_as_their_keys_live_and_no_longer_than_twice(
    open_store: StoreFactory, server: RedisServer, prefix: str
) -> None:
    now = time.time()
    # Redis itself forgets them after 200 s; only a clock that was moved can be later.
    stores = [open_store(keyed_seconds=100.0, clock=lambda age=age: now + age) for age in (0.0, 99.0, 301.0)]
    host = new_host(stores[0])
    session = await created(host, new_session(LONG))
    await ask(host, session, keyed("a"), advance())

    recalled = [await store.recall({session.id: ["a", "b"]}) for store in stores]

    assert [one.command_id for one in recalled[1][session.id]] == ["a"]
    assert recalled[0] == recalled[1]
    assert recalled[2] == {}
    client = server.open()
    (kept,) = [key async for key in client.scan_iter(f"{prefix}:keyed:*")]
    assert 100.0 < await client.pttl(kept) / 1000 <= 200.0
    await client.aclose()


async def test_steps_without_a_key_leave_nothing_beside_the_session(
    open_store: StoreFactory, server: RedisServer, prefix: str
) -> None:
    host = new_host(open_store())
    session = await created(host, new_session())
    await ask(host, session, advance(), advance())

    client = server.open()
    assert [key async for key in client.scan_iter(f"{prefix}:keyed:*")] == []
    await client.aclose()


async def test_a_keyed_creation_does_not_bring_a_deleted_session_back(open_store: StoreFactory) -> None:
    host = new_host(open_store())
    session = await created(host, new_session(LONG, recalled=(CREATION,)))
    (again,) = await ask(new_host(open_store()), session, Create(session))
    assert isinstance(again, bytes), "while it is there, the repetition is shown it"
    await ask(host, session, Delete())

    for one in (host, new_host(open_store())):
        (refused,) = await ask(one, session, Create(session))
        assert isinstance(refused, Conflict)
    assert await open_store().get([session.id]) == {}
    assert (await open_store().list_active(session.owner, session.kind)).ids == ()


@dataclass(frozen=True, slots=True)
class Event:
    """What happens at one of two hosts that hold the same session."""

    host: int
    kind: Literal["keyed", "steps", "reinitialize", "kill"]
    key: str = ""
    count: int = 1


hosts = st.sampled_from((0, 1))
events = st.one_of(
    st.builds(Event, hosts, st.just("keyed"), st.sampled_from("abc"), st.integers(1, 3)),
    st.builds(Event, hosts, st.just("keyed"), st.sampled_from("abc"), st.integers(1, 3)),
    # More than a session remembers, or few.
    st.builds(Event, hosts, st.just("steps"), st.just(""), st.sampled_from((1, REMEMBERED_COMMANDS + 1))),
    st.builds(Event, hosts, st.just("reinitialize")),
    st.builds(Event, hosts, st.just("kill")),
)


class Model:
    """Where the cursor has to be, and which keys were used in which life of the session."""

    def __init__(self) -> None:
        self.cursor = self.life = 0
        self.used: dict[str, tuple[int, int, Answer]] = {}


@settings(max_examples=60)
@given(st.lists(events, min_size=3, max_size=12))
def test_no_key_has_a_second_effect(server: RedisServer, happens: list[Event]) -> None:
    asyncio.run(_check(server, happens))


async def _check(server: RedisServer, happens: list[Event]) -> None:
    stores = [RedisSessionStore(server.open(), prefix=f"keyed-{uuid.uuid4().hex[:8]}")] * 2
    hosts_of = [new_host(store) for store in stores]
    session, model = await created(hosts_of[0], new_session(LONG)), Model()
    for event in happens:
        host = hosts_of[event.host]
        if event.kind == "kill":
            hosts_of[event.host] = new_host(stores[event.host])
        elif event.kind == "reinitialize":
            await ask(host, session, Reinitialize(uuid.uuid4().hex, {"volatility": 0.5}))
            model.cursor, model.life = 0, model.life + 1
        elif event.kind == "steps":
            for _ in range(event.count):
                (answer,) = await ask(host, session, advance())
                if not isinstance(answer, Completed):
                    assert isinstance(answer, bytes), answer
                    model.cursor += 1
        else:
            # One key is one request: its count belongs to it.
            (answer,) = await ask(host, session, keyed(event.key, count=ord(event.key) - ord("a") + 1))
            _check_keyed(model, event.key, answer)
        (inspected,) = await ask(host, session, Inspect())
        assert cursor(inspected) == model.cursor
    await stores[0].close()


def _check_keyed(model: Model, key: str, answer: Answer) -> None:
    if key in model.used:
        life, _, first = model.used[key]
        if life == model.life:
            assert answer == first
        else:
            assert isinstance(answer, PreconditionFailed)
    elif isinstance(answer, bytes):
        served = min(ord(key) - ord("a") + 1, TOTAL - model.cursor)
        model.used[key] = (model.life, model.cursor, answer)
        model.cursor += served
    else:
        assert isinstance(answer, Completed)
        assert model.cursor == TOTAL
