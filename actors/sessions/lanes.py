"""One batch at a time to an actor, the rest gathering behind it: for a way on which each delivery is dear.

A call over Ray costs about a millisecond however much it carries, so batching is where its throughput comes from; one
that finds its actor idle leaves at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from actors.sessions.messages import Answer, Call
from optionchain.errors import Defect


class BatchTransport(Protocol):
    """Carries a batch to the actor of a name."""

    async def deliver(self, actor_name: str, calls: Sequence[Call]) -> list[Answer]:
        """Deliver the calls and return their answers.

        Raises:
            ActorLost: The actor died; the calls may be sent again.
        """
        ...


class Lanes:
    """The `SessionTransport` over one that carries batches.

    Args:
        transport: Carries them.
        max_batch: Calls that travel together; one for several snapshots counts for as many.
    """

    def __init__(self, transport: BatchTransport, *, max_batch: int) -> None:
        self._transport = transport
        self._max_batch = max_batch
        self._lanes: dict[str, _Lane] = {}

    async def send(self, actor_name: str, call: Call) -> Answer:
        lane = self._lanes.get(actor_name)
        if lane is None:
            lane = _Lane(actor_name, self._transport, self._max_batch, on_idle=self._lanes.pop)
            self._lanes[actor_name] = lane
        return await lane.submit(call)

    def close(self) -> None:
        """What is under way goes on; the transport is its owner's."""


class _Lane:
    """The calls for one actor: one batch under way, the rest gathering behind it."""

    def __init__(self, name: str, transport: BatchTransport, max_batch: int, *, on_idle: _OnIdle) -> None:
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
            answers = await self._transport.deliver(self._name, [call for call, _ in batch])
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
