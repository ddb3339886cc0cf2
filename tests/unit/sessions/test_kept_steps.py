"""Keeping what was served: one write a session however many steps, nothing lost to a store that is down for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import anyio
import orjson
import pytest

from actors.sessions.kept_steps import KeepingStore, KeptSteps
from actors.sessions.simulation_cache import SimulationCache
from optionchain.errors import Conflict, OptionChainError, Unavailable
from optionchain.history.results import SimulationResult
from optionchain.ports import Checkpoint, SessionStore
from optionchain.session import Session
from optionchain.simulation import simulate
from optionchain.wire.results import results_json
from tests.recording import Recording
from tests.unit.sessions.small_sessions import PARAMETERS, session
from tests.waiting import turns

pytestmark = pytest.mark.anyio


class Store:
    """Keeps what it is given, unless it is down or the result is of a session that it refuses."""

    def __init__(self) -> None:
        self.is_down = False
        self.refuses = ""
        self.kept: dict[str, SimulationResult] = {}
        self.writes = 0
        self.written = anyio.Event()

    async def store_simulation_result(self, result: SimulationResult) -> None:
        if self.is_down:
            raise Unavailable("the history store")
        if self.refuses and result.id.startswith(self.refuses):
            raise Conflict("simulation result", result.id)
        self.writes += 1
        self.kept[result.id] = result
        self.written.set()


def keeper(store: Store, observer: Recording, *, max_waiting: int = 10, seconds: float = 3600.0) -> KeptSteps:
    cache = SimulationCache(path_bytes=1 << 20, snapshot_bytes=1 << 20)
    return KeptSteps(store, cache.simulation, observer, max_waiting=max_waiting, seconds=seconds)


def at(step: int, name: str = "s", since: int = 1) -> Session:
    return replace(session(name), current_step=step, parameters_since=since)


async def test_the_steps_of_a_session_are_one_result_with_its_path() -> None:
    store = Store()
    kept = keeper(store, Recording())

    for step in range(4):
        kept.note(at(step))
    await kept.flush()
    kept.note(at(1, since=5))
    await kept.close()

    path = simulate(PARAMETERS)
    assert store.writes == 2
    assert [len(result.prices) for result in store.kept.values()] == [3, 1]
    [first, second] = store.kept.values()
    assert first.id < second.id
    assert first.prices == tuple(path.prices[:3].tolist())
    assert first.volatilities == tuple(path.volatilities[:3].tolist())
    assert (first.stored_by, first.asset) == ("owner", "SPX")
    [shown] = orjson.loads(results_json([first]))["data"]
    assert (shown["served_steps"], shown["prices"]) == (3, list(first.prices))
    assert (shown["parameters"]["seed"], shown["parameters"]["days_to_expiration"]) == (1, 30.0)


async def test_a_store_that_is_down_gets_the_latest_once_it_is_back() -> None:
    store, observer = Store(), Recording()
    kept = keeper(store, observer)

    store.is_down = True
    kept.note(at(2))
    kept.note(at(1, "other"))
    with pytest.raises(Unavailable):
        await kept.flush()
    kept.note(at(3))
    store.is_down = False
    await kept.close()

    assert {result.id.partition("-")[0]: len(result.prices) for result in store.kept.values()} == {
        "s": 3,
        "other": 1,
    }


async def test_what_the_store_refuses_is_told_and_holds_up_nothing() -> None:
    store, observer = Store(), Recording()
    store.refuses = "bad"
    kept = keeper(store, observer)

    kept.note(at(1, "bad"))
    kept.note(at(1, "good"))
    await kept.close()

    assert [result.id.partition("-")[0] for result in store.kept.values()] == ["good"]
    assert [operation.name for operation, _ in observer.failures] == ["session.keep"]


async def test_more_sessions_than_may_wait_are_counted_and_dropped_until_their_next_step() -> None:
    store, observer = Store(), Recording()
    kept = keeper(store, observer, max_waiting=2)

    for name in ("a", "b", "c"):
        kept.note(at(1, name))
    kept.note(at(2, "a"))
    await kept.flush()
    kept.note(at(2, "c"))
    await kept.close()

    assert {result.id[0]: len(result.prices) for result in store.kept.values()} == {"a": 2, "b": 1, "c": 2}
    assert observer.counts["session.not_kept"] == 1


async def test_it_writes_in_its_rhythm_and_in_the_end_and_not_before() -> None:
    store, others = Store(), asyncio.all_tasks()
    kept = keeper(store, Recording())

    kept.note(at(1))
    await turns()
    assert store.writes == 0
    await kept.close()

    assert (store.writes, asyncio.all_tasks()) == (1, others)


async def test_it_writes_by_itself() -> None:
    store = Store()
    kept = keeper(store, Recording(), seconds=0.001)

    kept.note(at(1))
    with anyio.fail_after(30):
        await store.written.wait()
    await kept.close()

    assert len(store.kept) == 1


class Sessions:
    """A session store that refuses one session."""

    async def save(self, checkpoints: Sequence[Checkpoint]) -> list[OptionChainError | None]:
        return [Conflict("session", "b") if each.session.id == "b" else None for each in checkpoints]

    async def cleanup_expired(self) -> int:
        return 7


async def test_what_is_stored_is_kept_and_what_is_refused_is_not() -> None:
    store = Store()
    kept = keeper(store, Recording())
    sessions = KeepingStore(cast("SessionStore", Sessions()), kept)

    refusals = await sessions.save(
        [Checkpoint(at(step, name), None) for name, step in (("a", 2), ("b", 2), ("c", 0))]
    )
    expired = await sessions.cleanup_expired()
    await kept.close()

    assert [refusal is None for refusal in refusals] == [True, False, True]
    assert expired == 7
    assert {result.id[0]: len(result.prices) for result in store.kept.values()} == {"a": 2}
