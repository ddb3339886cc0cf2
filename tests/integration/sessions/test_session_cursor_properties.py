"""Whatever clients, crashes and outages do, each index is served at most once as new, in order, and as replay has it.

A model of the cursor (three numbers) predicts every answer of hosts on a real store. Two hosts hold the same
session, as during an upgrade or a partition; a kill empties one's memory; an outage loses a save, or its answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import count
from typing import Any, Literal

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.sessions.messages import Answer
from adapters.redis.session_store import RedisSessionStore
from optionchain.errors import (
    Completed,
    Conflict,
    NotFound,
    OptionChainError,
    PreconditionFailed,
    Unavailable,
)
from optionchain.parameters import SimulationParameters
from optionchain.ports import Checkpoint
from optionchain.session import Advance, Command, Delete, Inspect, Peek, Reinitialize, Session
from optionchain.simulation import Simulation
from optionchain.wire.snapshots import snapshot_body
from tests.integration.sessions.session_examples import PARAMETERS, ask, created, new_host, new_session
from tests.servers import RedisServer

Outage = Literal["none", "before", "after"]
HOSTS = (0, 1)


class UnreliableStore(RedisSessionStore):
    """Loses the next save, or the answer to the next that succeeds, when it is told to."""

    outage: Outage = "none"
    suffered: Outage = "none"

    async def save(self, checkpoints: Sequence[Checkpoint]) -> Sequence[OptionChainError | None]:
        if self.outage == "before":
            self._suffer()
        results = await super().save(checkpoints)
        if self.outage == "after" and not any(results):
            self._suffer()
        return results

    def _suffer(self) -> None:
        self.suffered, self.outage = self.outage, "none"
        raise Unavailable("the session store")


@dataclass(frozen=True, slots=True)
class Batch:
    """Commands that reach one host together."""

    host: int
    commands: tuple[Command, ...]
    outage: Outage


@dataclass(frozen=True, slots=True)
class Race:
    """Steps that reach both hosts at the same time."""

    steps: tuple[tuple[Advance, ...], tuple[Advance, ...]]


@dataclass(frozen=True, slots=True)
class Kill:
    """The process of a host dies: its memory is gone."""

    host: int


@dataclass(frozen=True, slots=True)
class SendAgain:
    """The latest batch is sent again, as when its answer was lost."""

    host: int


Event = Batch | Race | Kill | SendAgain


class History(list[Event]):
    """What happens, one event after the other."""

    def _repr_pretty_(self, printer: Any, is_cycle: bool) -> None:
        # Hypothesis would lay out all parameters of all events, which takes it minutes.
        printer.text(repr(list(self)))


unnamed = st.just("")
steps = st.builds(
    Advance,
    unnamed,
    expected_step=st.none() | st.integers(0, 6),
    count=st.none() | st.integers(1, 4),
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "volatility": st.sampled_from([0.1, 0.5]),
        "seed": st.integers(0, 2**64 - 1),
        "steps": st.integers(1, 6),
    },
)
replacements = changes.map(
    lambda some: {f.name: getattr(PARAMETERS, f.name) for f in fields(PARAMETERS)} | some
)
commands = st.one_of(
    steps,
    steps,
    st.just(Peek()),
    st.just(Inspect()),
    st.builds(Reinitialize, unnamed, changes | replacements),
)
hosts = st.sampled_from(HOSTS)
batches = st.builds(
    Batch,
    hosts,
    st.lists(commands, min_size=1, max_size=4).map(tuple),
    st.sampled_from(["none", "none", "none", "before", "after"]),
)
deletions = st.builds(Batch, hosts, st.just((Delete(),)), st.just("none"))
some_steps = st.lists(st.builds(Advance, unnamed), min_size=1, max_size=2).map(tuple)
events = st.one_of(
    batches,
    batches,
    batches,
    st.builds(Race, st.tuples(some_steps, some_steps)),
    st.builds(Kill, hosts),
    st.builds(SendAgain, hosts),
)
# A session is deleted once, if at all: a host that has not heard of it may confirm a second deletion.
histories = st.builds(
    lambda life, end: History([*life, *end]),
    st.lists(events, min_size=1, max_size=14),
    st.just(()) | st.tuples(deletions, events, events),
)


@cache
def replayed(parameters: SimulationParameters, step: int) -> bytes:
    """A snapshot as the domain alone gives it."""
    return snapshot_body(Simulation(parameters), step)


Prediction = bytes | type[OptionChainError] | None
"""An answer: these bytes, this error, or any session."""


def changed(parameters: SimulationParameters, changes: Mapping[str, Any]) -> SimulationParameters:
    """What a change leaves: one volatility, that of a new method, else the one that was given, as the method's too."""
    after = replace(parameters, **changes)
    if "method" in changes:
        return replace(after, volatility=after.method.volatility)
    return replace(after, method=replace(after.method, volatility=after.volatility))


@dataclass(slots=True)
class Model:
    """What a session must be: where its cursor is, over which parameters."""

    session: Session
    parameters: SimulationParameters = PARAMETERS
    cursor: int = 0
    exists: bool = True

    def apply(self, command: Command) -> Prediction:
        """The answer to expect; the model moves on."""
        match command:
            case _ if not self.exists:
                return NotFound
            case Peek():
                return self.refusal() or self._body(self.cursor, is_served=False)
            case Advance():
                return self._advance(command)
            case Reinitialize():
                self.parameters = changed(self.parameters, command.changes)
                self.cursor = 0
            case Delete():
                self.exists = False
        return None

    def refusal(self) -> type[OptionChainError] | None:
        """Why nothing can be served."""
        if not self.exists:
            return NotFound
        return Completed if self.cursor >= self.parameters.total_steps else None

    def _advance(self, command: Advance) -> Prediction:
        if command.expected_step not in (None, self.cursor):
            return PreconditionFailed
        if self.refusal():
            return self.refusal()
        first = self.cursor
        self.cursor = min(first + (command.count or 1), self.parameters.total_steps)
        bodies = [self._body(step, is_served=True) for step in range(first, self.cursor)]
        return bodies[0] if command.count is None else b'{"snapshots":[' + b",".join(bodies) + b"]}"

    def _body(self, step: int, *, is_served: bool) -> bytes:
        cursor = step + int(is_served)
        info = {"id": self.session.id, "current_step": cursor, "total_steps": self.parameters.total_steps}
        return replayed(self.parameters, step)[:-1] + b',"session_info":' + orjson.dumps(info) + b"}"


def check(expected: Prediction, answer: Answer) -> None:
    match expected:
        case bytes():
            assert answer == expected
        case None:
            assert isinstance(answer, bytes), answer
        case _:
            assert type(answer) is expected, answer


class World:
    """Two hosts on one store, a session, and the model of it."""

    def __init__(self, server: RedisServer, session: Session) -> None:
        self.stores = [UnreliableStore(server.open(), prefix="properties") for _ in HOSTS]
        self.hosts = [new_host(store) for store in self.stores]
        self.model = Model(session)
        self.latest: dict[Command, bytes] = {}
        self._names = map(str, count())

    async def live(self, history: Sequence[Event]) -> None:
        try:
            await created(self.hosts[0], self.model.session)
            for event in history:
                await self._happen(event)
            await self._check_what_is_stored()
        finally:
            for store in self.stores:
                await store.close()

    async def _happen(self, event: Event) -> None:
        match event:
            case Batch():
                await self._batch(event)
            case Race():
                await self._race(event)
            case Kill(host):
                self.hosts[host] = new_host(self.stores[host])
            case SendAgain(host):
                await self._send_again(host)

    async def _batch(self, batch: Batch) -> None:
        before = replace(self.model)
        commands = [self._named(command) for command in batch.commands]
        expected = [self.model.apply(command) for command in commands]
        store = self.stores[batch.host]
        store.outage, store.suffered = batch.outage, "none"
        answers = await ask(self.hosts[batch.host], self.model.session, *commands)
        store.outage = "none"
        if store.suffered == "none":
            for prediction, answer in zip(expected, answers, strict=True):
                check(prediction, answer)
        else:
            assert [type(answer) for answer in answers] == [Unavailable] * len(answers)
        if store.suffered == "before":
            self.model = before
            self._remember((), ())
        else:
            self._remember(commands, expected)

    def _named(self, command: Command) -> Command:
        """The command with an identity that no other has: only `SendAgain` repeats one."""
        if isinstance(command, Advance | Reinitialize):
            return replace(command, command_id=next(self._names))
        return command

    def _remember(self, sent: Sequence[Command], answers: Sequence[Prediction]) -> None:
        """Keep the steps behind the last change: what a repetition must answer the same."""
        last_change = max((i for i, c in enumerate(sent) if isinstance(c, Reinitialize | Delete)), default=-1)
        pairs = list(zip(sent, answers, strict=True))[last_change + 1 :]
        self.latest = {
            command: answer
            for command, answer in pairs
            if isinstance(command, Advance) and isinstance(answer, bytes)
        }

    async def _send_again(self, host: int) -> None:
        assert await ask(self.hosts[host], self.model.session, *self.latest) == list(self.latest.values())

    async def _race(self, race: Race) -> None:
        both = zip(self.hosts, race.steps, strict=True)
        batches = await asyncio.gather(
            *(ask(host, self.model.session, *map(self._named, steps)) for host, steps in both)
        )
        answers = [answer for batch in batches for answer in batch]
        served = [answer for answer in answers if isinstance(answer, bytes)]
        # Who came first is open; what was served is not: the next indices, each once.
        assert sorted(served) == sorted(self.model.apply(Advance("")) for _ in served)
        assert {type(answer) for answer in answers} <= {bytes, Conflict, self.model.refusal()}
        self._remember((), ())

    async def _check_what_is_stored(self) -> None:
        stored = (await self.stores[0].get([self.model.session.id])).get(self.model.session.id)
        if not self.model.exists:
            assert stored is None
            return
        assert stored is not None
        assert (stored.current_step, stored.parameters) == (self.model.cursor, self.model.parameters)


@settings(max_examples=300, report_multiple_bugs=False)
@given(history=histories)
def test_each_index_is_served_at_most_once_in_order_and_as_replay_has_it(
    server: RedisServer, history: History
) -> None:
    async def run() -> None:
        await World(server, new_session()).live(history)

    asyncio.run(run())
