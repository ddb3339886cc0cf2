"""What is derived from sessions is bounded, shared, and never the wrong session's."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from actors.sessions.simulation_cache import Rendered, SimulationCache
from optionchain.errors import Defect, InvalidInput
from optionchain.parameters import SingleExpiration
from optionchain.session import Session, ShowSnapshots
from optionchain.wire.parameters import simulation_name
from tests.recording import Recording
from tests.unit.sessions.small_sessions import PARAMETERS, ROLLING_TOO_FAR, bodies, roomy, session
from tests.waiting import turns


def peek(step: int, count: int = 1) -> ShowSnapshots:
    return ShowSnapshots(step, count, "none", is_served=False)


def served(step: int, count: int = 1) -> ShowSnapshots:
    return ShowSnapshots(step, count, "none", is_served=True)


def rendered(cache: SimulationCache, one: Session, reply: ShowSnapshots) -> Rendered:
    (result,) = asyncio.run(cache.snapshots([(one, reply)]))
    assert isinstance(result, Rendered)
    return result


def test_paths_and_snapshots_stay_within_their_bytes() -> None:
    one = session("a")
    path = roomy().simulation(one).nbytes
    body = len(rendered(roomy(), one, peek(0)).bodies[0])
    cache = SimulationCache(path_bytes=2 * path, snapshot_bytes=3 * body)

    for name in "abcdef":
        for step in range(5):
            rendered(cache, session(name, replace(PARAMETERS, seed=ord(name))), peek(step))

    assert cache._simulations.currsize <= 2 * path
    assert cache._snapshots.currsize <= 3 * body


def test_a_cache_too_small_for_anything_still_serves() -> None:
    one, cache = session("a"), SimulationCache(path_bytes=1, snapshot_bytes=1)

    for _ in range(2):
        assert rendered(cache, one, peek(3)) == Rendered(bodies(one, [3]), cached=0)


def test_what_is_as_large_as_the_cache_is_kept() -> None:
    one = session("a")
    path, body = roomy().simulation(one).nbytes, len(rendered(roomy(), one, peek(0)).bodies[0])
    cache = SimulationCache(path_bytes=path, snapshot_bytes=body)
    rendered(cache, one, peek(0))

    assert (cache.path_count, cache.snapshot_count) == (1, 1)
    assert rendered(cache, one, peek(0)).cached == 1


def test_changed_parameters_are_never_served_from_the_old_path() -> None:
    cache, changed = roomy(), session("a", replace(PARAMETERS, seed=2))
    before = rendered(cache, session("a"), peek(3))

    after = rendered(cache, changed, peek(3))

    assert before.bodies != after.bodies == bodies(changed, [3])
    assert after.cached == 0


def test_what_was_peeked_at_is_not_computed_again_when_it_is_served() -> None:
    cache, one = roomy(), session("a")
    rendered(cache, one, peek(3))

    assert rendered(cache, one, served(3)).cached == 1


def test_what_was_served_takes_no_room_from_what_will_be_asked_for() -> None:
    cache, one = roomy(), session("a")

    rendered(cache, one, served(0, count=10))

    assert cache._snapshots.currsize == 0


def test_replies_rendered_together_are_the_bytes_of_each_alone() -> None:
    wide = session("wide", replace(PARAMETERS, chain_size=4, seed=5))
    wanted = [
        (session("a"), served(0, count=3)),
        (wide, peek(9)),
        (session("a"), peek(1)),
        (wide, served(9)),
    ]

    results = asyncio.run(roomy().snapshots(wanted))

    expected = [bodies(one, range(reply.first_step, reply.first_step + reply.count)) for one, reply in wanted]
    assert [result.bodies for result in results if isinstance(result, Rendered)] == expected


def test_a_long_reply_is_priced_in_several_passes() -> None:
    long = session("long", replace(PARAMETERS, steps=100, chain_size=500, expirations=SingleExpiration(99.0)))

    # 1,001 strikes a snapshot, of which 32,768 are priced in a pass.
    assert list(rendered(roomy(), long, served(0, count=40)).bodies) == bodies(long, range(40))


def test_others_have_their_turn_between_the_passes_of_a_long_reply() -> None:
    long = session("long", replace(PARAMETERS, steps=100, chain_size=500, expirations=SingleExpiration(99.0)))

    async def turns_of_others() -> int:
        priced = asyncio.create_task(roomy().snapshots([(long, served(0, count=99))]))
        seen = 0
        while not priced.done():
            seen += 1
            await turns(1)
        return seen

    # 99 snapshots of 1,001 strikes are three passes.
    assert asyncio.run(turns_of_others()) == 3


def test_a_snapshot_that_cannot_be_priced_fails_its_own_reply_alone() -> None:
    rolling = session("rolling", ROLLING_TOO_FAR)

    wanted = [(rolling, served(0)), (rolling, served(1, count=3)), (session("a"), served(0))]
    first, beyond, neighbour = asyncio.run(roomy().snapshots(wanted))

    assert first == Rendered(bodies(rolling, [0]), cached=0)
    assert isinstance(beyond, InvalidInput)
    assert beyond.field == "risk_free_rate"
    assert neighbour == Rendered(bodies(session("a"), [0]), cached=0)


def test_a_bug_in_the_pricing_is_told_and_no_error_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def snapshot_bodies(moments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("actors.sessions.simulation_cache.snapshot_bodies", snapshot_bodies)
    told = Recording()
    cache = SimulationCache(path_bytes=1 << 20, snapshot_bytes=1 << 20, observer=told)

    (answer,) = asyncio.run(cache.snapshots([(session("a"), peek(0))]))

    assert isinstance(answer, Defect)
    operation, error = told.failure("session.snapshot")
    assert isinstance(error, ZeroDivisionError)
    assert operation.facts["snapshots"] == 1


def sharing(contracts: int = 1) -> SimulationCache:
    return SimulationCache(path_bytes=1 << 20, snapshot_bytes=1 << 20, shared_contracts=contracts)


def test_sessions_with_the_same_parameters_have_one_path_until_the_last_is_forgotten() -> None:
    cache = roomy()
    path = cache.simulation(session("a"))

    assert cache.simulation(session("b")) is path
    assert cache.simulation(session("c", replace(PARAMETERS, seed=2))) is not path
    cache.forget("a")
    assert cache.simulation(session("b")) is path
    cache.forget("b")
    assert cache.simulation(session("d")) is not path


def test_what_one_session_peeked_at_another_with_the_same_parameters_is_given() -> None:
    cache = roomy()
    rendered(cache, session("a"), peek(3))

    assert rendered(cache, session("b"), peek(3)).cached == 1
    assert rendered(cache, session("c", replace(PARAMETERS, seed=2)), peek(3)).cached == 0


def test_only_what_is_dear_and_will_be_asked_for_again_is_given_to_others() -> None:
    cache, one = sharing(), session("a")
    rendered(cache, one, peek(3))
    rendered(cache, one, peek(3))
    rendered(cache, one, served(4))
    small = sharing(contracts=1000)
    rendered(small, one, peek(3))

    assert [(key.step, body) for key, body in cache.taken()] == [(3, *bodies(one, [3]))]
    assert cache.taken() == []
    assert small.taken() == []


def test_what_is_served_is_given_to_others_once_several_sessions_show_it() -> None:
    cache = sharing()
    cache.simulation(session("a"))
    cache.simulation(session("b"))

    rendered(cache, session("a"), served(4))

    assert [key.step for key, _ in cache.taken()] == [4]
    assert rendered(cache, session("b"), served(4)).cached == 1


def test_others_are_asked_for_what_is_not_here_and_what_they_know_is_not_computed() -> None:
    cache, one = sharing(), session("a")
    (key,) = cache.asked_for([(one, peek(3)), (one, served(5))])

    cache.learn({key: b"{}"})

    assert rendered(cache, one, peek(3)) == Rendered([b"{}"], cached=1)
    assert cache.asked_for([(one, peek(3))]) == []
    assert cache.taken() == []
    assert cache._simulations.currsize == 0, "not even the path was computed"
    assert cache.asked_for([(one, peek(0, count=9))]) == [], "a long reply is priced sooner"
    assert len(cache.asked_for([(session("b", replace(PARAMETERS, seed=2)), peek(0, count=8))])) == 8
    assert roomy().asked_for([(one, peek(3))]) == []


def test_as_many_contracts_as_are_said_are_worth_asking_for() -> None:
    most = PARAMETERS.most_contracts

    assert [len(sharing(size).asked_for([(session("a"), peek(3))])) for size in (most, most + 1)] == [1, 0]


def test_the_name_of_a_simulation_is_that_of_all_that_decides_it() -> None:
    other = replace(PARAMETERS, spread=0.02)

    assert simulation_name(PARAMETERS) == simulation_name(replace(PARAMETERS, numerics="libraries"))
    assert simulation_name(PARAMETERS) != simulation_name(other)
    assert simulation_name(replace(other, spread=PARAMETERS.spread)) == simulation_name(PARAMETERS)
