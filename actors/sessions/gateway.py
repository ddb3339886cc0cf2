"""The way to a session: gathers the calls for one actor while an earlier batch is under way, and repeats lost ones.

A call to an actor costs about a millisecond however much it carries, so batching is where throughput comes
from; a call that finds its actor idle leaves at once. Commands carry an identity that the checkpoint
remembers, so a batch whose actor died can be sent again: what it had applied is not applied twice.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from actors.delivery import delivered
from actors.sessions.messages import Answer, Call
from actors.sessions.placement import Placement
from optionchain.errors import Defect, OptionChainError, Overloaded
from optionchain.observing import Observer, Unobserved, observed


class SessionTransport(Protocol):
    """Carries a batch to the actor of a name."""

    async def send(self, actor_name: str, calls: Sequence[Call]) -> list[Answer]:
        """Deliver the calls and return their answers.

        Raises:
            ActorLost: The actor died; the calls may be sent again.
        """
        ...


class SessionGateway:
    """Routes calls to the actors that hold their sessions.

    Args:
        placement: Names the actor of a session.
        transport: Reaches the actor.
        max_waiting: Calls that may wait in this process; further ones are refused at once.
        max_batch: Calls that travel together; one for several snapshots counts for as many.
        timeout_seconds: How long a caller waits for an answer, retries included.
        observer: Told of each call.
        clock: Unix time in seconds; the actors' machines must agree on it to within the timeout.
    """

    def __init__(
        self,
        placement: Placement,
        transport: SessionTransport,
        *,
        max_waiting: int,
        max_batch: int,
        timeout_seconds: float,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._placement = placement
        self._transport = transport
        self._max_waiting = max_waiting
        self._max_batch = max_batch
        self._timeout_seconds = timeout_seconds
        self._observer = observer or Unobserved()
        self._clock = clock
        self._waiting = 0
        self._lanes: dict[str, _Lane] = {}

    async def call(self, call: Call) -> bytes:
        """Have one command applied and return its rendered reply.

        Raises:
            OptionChainError: What the actor answered; `Overloaded` when too many wait; `Unavailable` when no
                answer came in time: the command may or may not have been applied.
        """
        if self._waiting >= self._max_waiting:
            raise Overloaded("the session service")
        self._change_waiting(+1)
        now = self._clock()
        context = call.context.until(now + self._timeout_seconds)
        call = call._replace(context=context)
        try:
            with observed(self._observer, "session.call", context, session_id=call.session_id) as told:
                call = call._replace(context=told.context)
                answer = await delivered(
                    lambda: self._lane(call).submit(call),
                    what="the session actor",
                    seconds=context.seconds_left(now),
                )
        finally:
            self._change_waiting(-1)
        if isinstance(answer, OptionChainError):
            raise answer
        return answer

    def _change_waiting(self, by: int) -> None:
        self._waiting += by
        self._observer.counted("session.calls_waiting", self._waiting)

    def _lane(self, call: Call) -> _Lane:
        name = self._placement.actor_name(call.session_id)
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane(name, self._transport, self._max_batch, on_idle=self._lanes.pop)
        return lane


class _Lane:
    """The calls for one actor: one batch under way, the rest gathering behind it."""

    def __init__(self, name: str, transport: SessionTransport, max_batch: int, *, on_idle: _OnIdle) -> None:
        self._name = name
        self._transport = transport
        self._max_batch = max_batch
        self._on_idle = on_idle
        self._waiting: deque[tuple[Call, asyncio.Future[Answer]]] = deque()
        self._runner: asyncio.Task[None] | None = None

    async def submit(self, call: Call) -> Answer:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, answer))
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        while batch := self._next_batch():
            await self._deliver(batch)
        self._on_idle(self._name)

    def _next_batch(self) -> list[tuple[Call, asyncio.Future[Answer]]]:
        batch: list[tuple[Call, asyncio.Future[Answer]]] = []
        room = self._max_batch
        while self._waiting and room > 0:
            call, answer = self._waiting.popleft()
            # Who gave up waiting is not owed a delivery.
            if not answer.done():
                batch.append((call, answer))
                room -= call.weight
        return batch

    async def _deliver(self, batch: Sequence[tuple[Call, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._transport.send(self._name, [call for call, _ in batch])
            if len(answers) != len(batch):
                raise Defect
        except Exception as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), result in zip(batch, answers, strict=True):
            if not answer.done():
                answer.set_result(result)


class _OnIdle(Protocol):
    def __call__(self, name: str, /) -> object: ...
