"""Session calls over Ray: a batch is one delivery to the actor of a name."""

from __future__ import annotations

from collections.abc import Sequence

from actors.named import NamedActors
from actors.sessions.messages import Answer, Call, packed


class RaySessionTransport:
    """Carries batches to Ray actors by name.

    Args:
        actors: The session actors.
        timeout_seconds: How long one delivery may take.
    """

    def __init__(self, actors: NamedActors, *, timeout_seconds: float) -> None:
        self._actors = actors
        self._timeout_seconds = timeout_seconds

    async def send(self, actor_name: str, calls: Sequence[Call]) -> list[Answer]:
        answers: list[Answer] = await self._actors.deliver(
            actor_name, "execute", packed(calls), seconds=self._timeout_seconds
        )
        return answers
