"""Session calls over Ray: a batch is one delivery to the actor of a name."""

from __future__ import annotations

from collections.abc import Sequence

from actors.named import NamedActors
from actors.sessions.lanes import Lanes
from actors.sessions.messages import Answer, Call, packed


class RaySessionTransport:
    """The `SessionTransport` over Ray.

    Args:
        actors: The session actors.
        max_batch: Calls that travel together; one for several snapshots counts for as many.
        timeout_seconds: How long one delivery may take.
    """

    def __init__(self, actors: NamedActors, *, max_batch: int, timeout_seconds: float) -> None:
        self._actors = actors
        self._timeout_seconds = timeout_seconds
        self._lanes = Lanes(self, max_batch=max_batch)

    async def send(self, actor_name: str, call: Call) -> Answer:
        return await self._lanes.send(actor_name, call)

    def close(self) -> None:
        """Ray's connections are the process's."""

    async def deliver(self, actor_name: str, calls: Sequence[Call]) -> list[Answer]:
        answers: list[Answer] = await self._actors.deliver(
            actor_name, "execute", packed(calls), seconds=self._timeout_seconds
        )
        return answers
