"""What every `SessionStore` promises, whatever is behind it: run it on each adapter and each server.

A check takes a store whose keys are its own and that is empty of what the check creates.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace

from optionchain.errors import Conflict, NotFound
from optionchain.ports import Checkpoint, SessionStore
from optionchain.session import Reinitialize, Session, SessionKind
from tests.integration.sessions.session_examples import (
    MARKET_MODELS,
    PARAMETERS,
    ROLLING,
    advance,
    after,
    new_session,
)

Check = Callable[[SessionStore], Awaitable[None]]


async def check_session_store(store: SessionStore) -> None:
    """Hold a store to all of it."""
    for check in CHECKS:
        await check(store)


async def stored(store: SessionStore, session: Session) -> Session:
    assert await store.save([Checkpoint(session, None)]) == [None]
    return session


async def a_saved_session_is_found_as_it_was(store: SessionStore) -> None:
    session = await stored(store, new_session())

    assert await store.get([session.id]) == {session.id: session}
    assert await store.versions([session.id]) == {session.id: 1}


async def every_kind_of_parameters_survives(store: SessionStore) -> None:
    kinds = [replace(PARAMETERS, method=model) for model in MARKET_MODELS]
    kinds += [replace(PARAMETERS, strike_interval=0.1, skew_slope=1 / 3, symbol="Ünïcode ∆")]
    sessions = [new_session(parameters) for parameters in kinds]
    sessions.append(new_session(ROLLING, kind=SessionKind.SIMULATION))

    results = await store.save([Checkpoint(session, None) for session in sessions])

    assert results == [None] * len(sessions)
    assert await store.get([session.id for session in sessions]) == {s.id: s for s in sessions}


async def every_seed_survives_exactly(store: SessionStore) -> None:
    seeds = (0, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1)
    sessions = [new_session(replace(PARAMETERS, seed=seed)) for seed in seeds]

    await store.save([Checkpoint(session, None) for session in sessions])
    found = await store.get([session.id for session in sessions])

    assert tuple(found[session.id].parameters.seed for session in sessions) == seeds


async def a_step_is_stored_with_what_it_served(store: SessionStore) -> None:
    before = await stored(store, new_session())
    stepped = after(before, advance(), advance(count=3))

    assert await store.save([Checkpoint(stepped, before)]) == [None]
    assert await store.get([before.id]) == {before.id: stepped}


async def changed_parameters_are_stored_even_when_steps_follow_at_once(store: SessionStore) -> None:
    before = await stored(store, new_session())
    changed = after(before, advance(), Reinitialize("change", {"volatility": 0.5}), advance())

    await store.save([Checkpoint(changed, before)])

    assert await store.get([before.id]) == {before.id: changed}


async def what_is_unknown_is_left_out(store: SessionStore) -> None:
    session = await stored(store, new_session())
    unknown = str(uuid.uuid4())

    assert set(await store.get([unknown, session.id])) == {session.id}
    assert set(await store.versions([unknown, session.id])) == {session.id}
    assert await store.get([]) == {}
    assert await store.save([]) == []


async def the_second_of_two_writers_is_refused_and_changes_nothing(store: SessionStore) -> None:
    before = await stored(store, new_session())
    winner, loser = after(before, advance()), after(before, advance())

    assert await store.save([Checkpoint(winner, before)]) == [None]
    (refusal,) = await store.save([Checkpoint(loser, before)])

    assert isinstance(refusal, Conflict)
    assert await store.get([before.id]) == {before.id: winner}


async def a_refused_checkpoint_does_not_stop_its_neighbours(store: SessionStore) -> None:
    outdated, current = await stored(store, new_session()), await stored(store, new_session())
    await store.save([Checkpoint(after(outdated, advance()), outdated)])
    stepped = after(current, advance())

    refusal, success = await store.save(
        [Checkpoint(after(outdated, advance()), outdated), Checkpoint(stepped, current)]
    )

    assert isinstance(refusal, Conflict)
    assert success is None
    assert await store.get([current.id]) == {current.id: stepped}


async def a_save_is_safe_to_repeat(store: SessionStore) -> None:
    before = await stored(store, new_session())
    once = Checkpoint(after(before, advance()), before)

    assert await store.save([once]) == [None]
    assert await store.save([once]) == [None]
    assert await store.save([Checkpoint(before, None)]) != [None], "an older version is no repetition"
    assert await store.get([before.id]) == {before.id: once.session}


async def a_creation_is_safe_to_repeat(store: SessionStore) -> None:
    session = await stored(store, new_session())

    assert await store.save([Checkpoint(session, None)]) == [None]


async def a_late_save_is_not_taken_for_the_one_that_followed(store: SessionStore) -> None:
    """A save that was given up arrives after all; the same writer's next one has the same version."""
    before = await stored(store, new_session())
    late, next_one = after(before, advance()), after(before, advance())

    await store.save([Checkpoint(late, before)])
    (refusal,) = await store.save([Checkpoint(next_one, before)])

    assert isinstance(refusal, Conflict)
    assert await store.get([before.id]) == {before.id: late}


async def a_deleted_session_is_gone_for_readers_writers_and_lists(store: SessionStore) -> None:
    before = await stored(store, new_session(owner="deleting"))

    await store.delete([before])
    (refusal,) = await store.save([Checkpoint(after(before, advance()), before)])

    assert isinstance(refusal, NotFound)
    assert await store.get([before.id]) == {}
    assert await store.versions([before.id]) == {}
    assert (await store.list_active("deleting", SessionKind.CHAIN)).ids == ()
    await store.delete([before])


async def sessions_are_listed_by_owner_and_surface(store: SessionStore) -> None:
    mine = await stored(store, new_session(owner="lister"))
    await stored(store, new_session(owner="neighbour"))
    rolling = await stored(store, new_session(ROLLING, owner="lister", kind=SessionKind.SIMULATION))

    assert (await store.list_active("lister", SessionKind.CHAIN)).ids == (mine.id,)
    assert (await store.list_active("lister", SessionKind.SIMULATION)).ids == (rolling.id,)
    assert (await store.list_active("nobody", SessionKind.CHAIN)).total == 0


async def pages_cover_all_sessions_once(store: SessionStore) -> None:
    ids = {(await stored(store, new_session(owner="pager"))).id for _ in range(5)}

    pages = [
        await store.list_active("pager", SessionKind.CHAIN, offset=offset, limit=2) for offset in (0, 2, 4)
    ]

    assert [len(page.ids) for page in pages] == [2, 2, 1]
    assert {session_id for page in pages for session_id in page.ids} == ids
    assert {page.total for page in pages} == {5}


async def nothing_is_cleaned_up_before_its_time(store: SessionStore) -> None:
    session = await stored(store, new_session(owner="young"))

    await store.cleanup_expired()

    assert (await store.list_active("young", SessionKind.CHAIN)).ids == (session.id,)


async def a_running_store_answers(store: SessionStore) -> None:
    await store.ping()


CHECKS: tuple[Check, ...] = (
    a_saved_session_is_found_as_it_was,
    every_kind_of_parameters_survives,
    every_seed_survives_exactly,
    a_step_is_stored_with_what_it_served,
    changed_parameters_are_stored_even_when_steps_follow_at_once,
    what_is_unknown_is_left_out,
    the_second_of_two_writers_is_refused_and_changes_nothing,
    a_refused_checkpoint_does_not_stop_its_neighbours,
    a_save_is_safe_to_repeat,
    a_creation_is_safe_to_repeat,
    a_late_save_is_not_taken_for_the_one_that_followed,
    a_deleted_session_is_gone_for_readers_writers_and_lists,
    sessions_are_listed_by_owner_and_surface,
    pages_cover_all_sessions_once,
    nothing_is_cleaned_up_before_its_time,
    a_running_store_answers,
)
