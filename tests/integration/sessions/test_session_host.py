"""The host of sessions on a real store: what it answers, stores and forgets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from actors.sessions.host import SessionHost
from actors.sessions.messages import Answer, Call
from actors.sessions.residents import ResidentSessions
from optionchain.errors import (
    Completed,
    Conflict,
    Defect,
    InvalidInput,
    NotFound,
    OptionChainError,
    Overloaded,
    PreconditionFailed,
    Unavailable,
)
from optionchain.ports import Checkpoint
from optionchain.session import (
    REMEMBERED_COMMANDS,
    Advance,
    Create,
    Delete,
    Inspect,
    Peek,
    Reinitialize,
    Session,
    SessionKind,
)
from tests.callers import on_behalf_of
from tests.integration.sessions.session_examples import (
    NOW,
    PARAMETERS,
    ROLLING,
    StoreFactory,
    advance,
    ask,
    created,
    new_host,
    new_session,
)
from tests.recording import Recording
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio


def cursor(answer: Answer) -> int:
    """Which index comes after the snapshot in an answer."""
    assert isinstance(answer, bytes), answer
    return int(orjson.loads(answer)["session_info"]["current_step"])


async def test_steps_are_served_in_order_to_the_end(open_store: StoreFactory) -> None:
    host = new_host(open_store())
    session = await created(host, new_session())

    answers = [answer for _ in range(6) for answer in await ask(host, session, advance())]
    (after_the_end,) = await ask(host, session, advance())

    assert [cursor(answer) for answer in answers] == [1, 2, 3, 4, 5, 6]
    assert isinstance(after_the_end, Completed)


async def test_a_host_killed_between_two_steps_loses_nothing(open_store: StoreFactory) -> None:
    store = open_store()
    session = await created(new_host(store), new_session())

    answers = [answer for _ in range(6) for answer in await ask(new_host(store), session, advance())]

    assert [cursor(answer) for answer in answers] == [1, 2, 3, 4, 5, 6]


async def test_a_step_sent_again_after_a_crash_gets_the_very_same_answer(open_store: StoreFactory) -> None:
    store = open_store()
    session = await created(new_host(store), new_session())
    step = advance()

    first = await ask(new_host(store), session, step)
    again = await ask(new_host(store), session, step)

    assert again == first
    assert cursor((await ask(new_host(store), session, advance()))[0]) == 2


async def test_two_hosts_at_once_serve_each_index_once(open_store: StoreFactory) -> None:
    parameters = replace(PARAMETERS, steps=30)
    first, second = new_host(open_store()), new_host(open_store())
    session = await created(first, new_session(parameters))

    rounds = [
        await asyncio.gather(*(ask(host, session, advance()) for host in (first, second))) for _ in range(10)
    ]

    answers = [answer for pair in rounds for batch in pair for answer in batch]
    served = sorted(cursor(answer) for answer in answers if isinstance(answer, bytes))
    refused = [answer for answer in answers if not isinstance(answer, bytes)]
    assert served == list(range(1, len(served) + 1))
    assert len(served) >= 10, "of two writers at the same version, one is stored"
    assert all(isinstance(refusal, Conflict) for refusal in refused)


async def test_an_outdated_host_reloads_and_serves_what_comes_next(open_store: StoreFactory) -> None:
    observer = Recording()
    outdated, other = new_host(open_store(), observer=observer), new_host(open_store())
    session = await created(outdated, new_session())
    await ask(other, session, advance(count=3))

    (answer,) = await ask(outdated, session, advance())

    assert cursor(answer) == 4
    assert observer.counts["session.conflicts"] == 1


async def test_a_writer_who_loses_twice_is_told_of_the_conflict(open_store: StoreFactory) -> None:
    store = open_store()
    session = await created(new_host(store), new_session())
    rival = new_host(open_store())

    class Rivalled(type(store)):  # type: ignore[misc]
        async def save(self, checkpoints: Sequence[Checkpoint]) -> Sequence[OptionChainError | None]:
            await ask(rival, session, advance())
            return await super().save(checkpoints)

    store.__class__ = Rivalled
    (answer,) = await ask(new_host(store), session, advance())

    assert isinstance(answer, Conflict)
    assert cursor((await ask(rival, session, advance()))[0]) == 3


async def test_no_answer_is_from_an_outdated_copy(open_store: StoreFactory) -> None:
    outdated, other = new_host(open_store()), new_host(open_store())
    session = await created(outdated, new_session())
    await ask(outdated, session, advance(count=6))
    await ask(other, session, Reinitialize("change", {"volatility": 0.3}), advance(count=2))

    (peeked,) = await ask(outdated, session, Peek())
    await ask(other, session, advance())
    (refused,) = await ask(outdated, session, advance(expected_step=2))
    await ask(other, session, advance(count=3))
    (completed,) = await ask(outdated, session, advance())
    await ask(other, session, Delete())
    (gone,) = await ask(outdated, session, Inspect())

    assert cursor(peeked) == 2
    assert isinstance(refused, PreconditionFailed)
    assert refused.current_step == 3
    assert isinstance(completed, Completed)
    assert isinstance(gone, NotFound)


async def test_a_completed_copy_does_not_hide_that_another_host_began_anew(open_store: StoreFactory) -> None:
    outdated, other = new_host(open_store()), new_host(open_store())
    session = await created(outdated, new_session())
    await ask(outdated, session, advance(count=6))
    await ask(other, session, Reinitialize("change", {}))

    (answer,) = await ask(outdated, session, advance())

    assert cursor(answer) == 1


async def test_a_change_and_the_step_behind_it_in_one_batch_are_both_stored(open_store: StoreFactory) -> None:
    store = open_store()
    host = new_host(store)
    session = await created(host, new_session())
    await ask(host, session, advance(), Reinitialize("change", {"volatility": 0.5}), advance())

    (survivor,) = await ask(new_host(store), session, Inspect())

    assert isinstance(survivor, bytes)
    shown = orjson.loads(survivor)
    assert (shown["current_step"], shown["parameters"]["volatility"]) == (1, 0.5)


async def test_more_commands_than_a_checkpoint_remembers_are_all_safe_to_repeat(
    open_store: StoreFactory,
) -> None:
    steps = [advance() for _ in range(REMEMBERED_COMMANDS + 4)]
    store = open_store()
    host = new_host(store)
    session = await created(host, new_session(replace(PARAMETERS, steps=40)))

    answers = await ask(host, session, *steps)
    again = await ask(new_host(store), session, *steps[-REMEMBERED_COMMANDS:])

    assert [cursor(answer) for answer in answers] == list(range(1, len(steps) + 1))
    assert again == answers[-REMEMBERED_COMMANDS:]


async def test_one_bad_command_does_not_fail_its_neighbours(open_store: StoreFactory) -> None:
    host = new_host(open_store())
    session = await created(host, new_session())

    served, refused, changed, bad, last = await ask(
        host,
        session,
        advance(),
        advance(expected_step=5),
        Reinitialize("good", {"volatility": 0.3}),
        Reinitialize("bad", {"volatility": -1.0}),
        advance(),
    )

    assert cursor(served) == 1
    assert isinstance(refused, PreconditionFailed)
    assert isinstance(changed, bytes)
    assert isinstance(bad, InvalidInput)
    assert cursor(last) == 1


async def test_a_bug_in_one_session_is_a_defect_of_that_session_alone(open_store: StoreFactory) -> None:
    observer = Recording()
    host = new_host(open_store(), observer=observer)
    broken, sound = await created(host, new_session()), await created(host, new_session())

    (defect,) = await ask(host, broken, Advance("x", count="many"))  # type: ignore[arg-type]
    (answer,) = await ask(host, sound, advance())

    assert isinstance(defect, Defect)
    assert observer.failure("session.command")[0].facts == {"command": "Advance"}
    assert cursor(answer) == 1
    assert cursor((await ask(host, broken, advance()))[0]) == 1


async def test_parameters_that_overflow_are_refused_when_the_session_is_made(
    open_store: StoreFactory,
) -> None:
    host = new_host(open_store())
    wild = replace(PARAMETERS.method, drift=1e3, dt=1.0)  # type: ignore[call-arg]
    session = new_session(replace(PARAMETERS, method=wild))

    (answer,) = await ask(host, session, Create(session))

    assert isinstance(answer, InvalidInput)
    assert answer.field.startswith("method.GeometricBrownian")
    assert isinstance((await ask(host, session, Inspect()))[0], NotFound)


@pytest.mark.parametrize(
    "stranger", [{"owner": "somebody else"}, {"kind": SessionKind.SIMULATION}], ids=["owner", "kind"]
)
async def test_a_session_does_not_exist_for_strangers(
    stranger: dict[str, object], open_store: StoreFactory
) -> None:
    host = new_host(open_store())
    session = await created(host, new_session())

    answers = await ask(
        host, session, Inspect(), Peek(), advance(), Reinitialize("x", {}), Delete(), **stranger
    )

    assert [type(answer) for answer in answers] == [NotFound] * 5
    assert cursor((await ask(host, session, advance()))[0]) == 1


async def test_a_simulation_shows_its_own_shape(open_store: StoreFactory) -> None:
    host = new_host(open_store())
    session = await created(host, new_session(ROLLING, kind=SessionKind.SIMULATION))

    (answer,) = await ask(host, session, advance())

    assert isinstance(answer, bytes)
    shown = orjson.loads(answer)
    assert shown["cursor"] == {"current_step": 1, "total_steps": 6}
    assert len(shown["chains"]) == 5
    assert isinstance((await ask(host, session, Reinitialize("x", {})))[0], InvalidInput)


async def test_calls_beyond_the_room_are_refused_and_the_rest_is_served(open_store: StoreFactory) -> None:
    host = new_host(open_store(), max_waiting=3)
    session = await created(host, new_session())

    answers = await ask(host, session, *[advance() for _ in range(5)])

    assert [cursor(answer) for answer in answers[:3]] == [1, 2, 3]
    assert all(isinstance(answer, Overloaded) for answer in answers[3:])
    assert cursor((await ask(host, session, advance()))[0]) == 4


async def test_what_leaves_memory_is_still_in_the_store(open_store: StoreFactory) -> None:
    host = new_host(open_store(), residents=ResidentSessions(max_sessions=2, max_idle_seconds=600.0))
    sessions = [await created(host, new_session()) for _ in range(5)]

    assert host.resident_count == 2
    for session in sessions:
        assert cursor((await ask(host, session, advance()))[0]) == 1


async def test_an_idle_session_leaves_memory(open_store: StoreFactory) -> None:
    now = [NOW]
    host = new_host(open_store(), clock=lambda: now[0])
    await created(host, new_session())
    now[0] += timedelta(seconds=601)

    assert await host.evict() == 1
    assert host.resident_count == 0


async def test_who_is_in_memory_is_told_whenever_somebody_leaves(open_store: StoreFactory) -> None:
    observer, now = Recording(), [NOW]
    host = new_host(open_store(), observer=observer, clock=lambda: now[0])
    levels = []

    await created(host, new_session())
    now[0] += timedelta(seconds=601)
    await host.evict()
    levels.append(observer.levels["session.resident"])
    await created(host, new_session())
    levels.append(observer.levels["session.resident"])
    host.forget_written_before(now[0])
    levels.append(observer.levels["session.resident"])

    assert levels == [0.0, 1.0, 0.0]


async def test_what_comes_and_goes_is_told_with_what_is_left_of_it(open_store: StoreFactory) -> None:
    store, observer, now = open_store(), Recording(), [NOW]
    idle, deleted = [await created(new_host(store), new_session()) for _ in range(2)]
    host = new_host(store, observer=observer, clock=lambda: now[0])

    def held() -> list[float]:
        return [observer.levels[f"session.{what}"] for what in ("resident", "paths", "snapshots")]

    await ask(host, idle, Peek())
    assert held() == [1.0, 1.0, 1.0]
    now[0] += timedelta(seconds=601)
    # Paths go with the sessions; a snapshot stays as long as there is room, for whoever shows the same.
    await ask(host, deleted, Peek())
    assert held() == [1.0, 1.0, 1.0]
    await ask(host, deleted, Delete())
    assert held() == [0.0, 0.0, 1.0]

    assert (observer.counts["session.activated"], observer.counts["session.evicted"]) == (2, 1)


async def test_what_waits_is_told_with_every_batch(open_store: StoreFactory) -> None:
    observer = Recording()
    host = new_host(open_store(), observer=observer, max_batch=2)

    await ask(host, new_session(), *[Inspect()] * 5)

    waiting = [name for name, _ in observer.labels if name == "session.mailbox"]
    assert (len(waiting), observer.counts["session.mailbox"]) == (3, 3 + 1 + 0)


async def test_an_outage_is_told_and_what_the_store_has_is_what_holds_afterwards(
    open_store: StoreFactory,
) -> None:
    store = open_store()
    host = new_host(store)
    session = await created(host, new_session())
    step = advance()

    class LosesAnswers(type(store)):  # type: ignore[misc]
        async def save(self, checkpoints: Sequence[Checkpoint]) -> Sequence[OptionChainError | None]:
            await super().save(checkpoints)
            raise Unavailable("the session store")

    store.__class__, sound = LosesAnswers, store.__class__
    (outage,) = await ask(host, session, step)
    store.__class__ = sound
    (again,) = await ask(host, session, step)

    assert isinstance(outage, Unavailable)
    assert cursor(again) == 1


async def test_an_idle_host_serves_the_first_call_alone(open_store: StoreFactory) -> None:
    batches: list[int] = []
    store = open_store()

    class Counting(type(store)):  # type: ignore[misc]
        async def save(self, checkpoints: Sequence[Checkpoint]) -> Sequence[OptionChainError | None]:
            batches.append(len(checkpoints))
            return await super().save(checkpoints)

    host: SessionHost = new_host(store)
    sessions: list[Session] = [await created(host, new_session()) for _ in range(5)]
    store.__class__ = Counting

    await asyncio.gather(*(ask(host, session, advance()) for session in sessions))

    # The first starts when the loop turns, by when all five wait; they are stored in one round trip.
    assert batches == [5]


async def test_a_host_tells_the_observer_on_whose_behalf_it_does_what(open_store: StoreFactory) -> None:
    observer = Recording()
    host = new_host(open_store(), observer=observer)
    session = await created(host, new_session())

    await ask(host, session, advance(), Peek(), Peek())

    batches = [operation for operation in observer.ended if operation.name == "session.batch"]
    commits = [operation for operation in observer.ended if operation.name == "session.commit"]
    assert [operation.facts["calls"] for operation in batches] == [1, 3]
    assert [operation.facts["checkpoints"] for operation in commits] == [1, 1]
    assert {operation.context.principal.tenant for operation in batches + commits} == {session.owner}
    assert all(batch.seconds > commit.seconds > 0.0 for batch, commit in zip(batches, commits, strict=True))
    levels = {"session.resident", "session.mailbox", "session.paths", "session.snapshots"}
    counts = {name: count for name, count in observer.counts.items() if name not in levels}
    assert counts == {"session.steps": 1, "session.snapshots_cached": 1}
    assert ("session.steps", {"model": "GeometricBrownian"}) in observer.labels
    assert all(0.0 <= batch.facts["waited"] < 1.0 for batch in batches)
    assert observer.levels["session.resident"] == 1.0


async def test_a_batch_is_a_part_of_the_first_call_that_somebody_follows_and_serves_the_others_too(
    open_store: StoreFactory,
) -> None:
    observer = Recording()
    session = new_session()
    traces = ["", "00-aa-01-00", "00-bb-02-01", "00-cc-03-00"]
    calls = [
        Call(session.id, on_behalf_of(session.owner)._replace(trace=trace), session.kind, Inspect())
        for trace in traces
    ]

    await new_host(open_store(), observer=observer).execute(calls)

    [batch] = [operation for operation in observer.begun if operation.name == "session.batch"]
    assert batch.context.trace == "00-bb-02-01"
    assert [context.trace for context in batch.served] == ["", "00-aa-01-00", "00-cc-03-00"]


async def test_the_life_of_a_session_is_told_once_with_whose_it_is(open_store: StoreFactory) -> None:
    observer = Recording()
    host = new_host(open_store(), observer=observer)
    session = await created(host, new_session())

    await ask(host, session, advance(), Delete())
    await ask(host, session, Peek())

    assert [(note.name, note.facts) for note in observer.notes] == [
        ("session.created", {"session_id": session.id, "kind": "chain"}),
        ("session.deleted", {"session_id": session.id, "kind": "chain"}),
    ]
    assert {note.context.principal.tenant for note in observer.notes} == {session.owner}


async def test_a_creation_reaches_the_store_once_and_asks_it_nothing(
    open_store: StoreFactory, server: RedisServer
) -> None:
    host, client = new_host(open_store()), server.open()
    await created(host, new_session())
    await client.config_resetstat()

    await created(host, new_session())

    statistics = await client.info("commandstats")
    await client.aclose()
    assert "cmdstat_hgetall" not in statistics
    assert statistics["cmdstat_eval"]["calls"] == 1


async def test_a_creation_that_comes_again_when_its_session_has_gone_on_shows_that(
    open_store: StoreFactory,
) -> None:
    session = new_session()
    first = new_host(open_store())
    await created(first, session)
    await ask(first, session, advance())
    again = replace(session, created_at=session.created_at + timedelta(seconds=1))

    (answer,) = await ask(new_host(open_store()), session, Create(again))

    assert isinstance(answer, bytes)
    shown = orjson.loads(answer)
    assert (shown["current_step"], shown["state"]) == (1, "In Progress")


async def test_a_creation_under_the_id_of_another_session_leaves_that_alone(open_store: StoreFactory) -> None:
    session = await created(new_host(open_store()), new_session())
    host = new_host(open_store())
    other = replace(
        session, parameters=replace(session.parameters, initial_price=1.0), created_at=NOW - timedelta(1)
    )

    (answer,) = await ask(host, session, Create(other))
    (peeked,) = await ask(host, session, Peek())

    assert isinstance(answer, bytes)
    assert isinstance(peeked, bytes)
    assert orjson.loads(answer)["parameters"]["initial_price"] == 5000.0
    assert orjson.loads(peeked)["price"] == 5000.0
