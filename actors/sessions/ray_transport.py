"""Session calls over Ray: finds or creates the named actor, and tells a lost actor from a bug."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from ray.actor import ActorHandle
from ray.exceptions import RayError, RayTaskError

from actors.sessions.gateway import ActorLost
from actors.sessions.messages import Answer, Call
from optionchain.errors import Defect


class RaySessionTransport:
    """Carries batches to Ray actors by name.

    Args:
        find_actor: Returns the actor of a name, creating it where there is none. Called in a thread.
        timeout_seconds: How long one delivery may take.
        max_handles: How many actors' handles are remembered.
    """

    def __init__(
        self,
        find_actor: Callable[[str], ActorHandle[Any]],
        *,
        timeout_seconds: float,
        max_handles: int = 4096,
    ) -> None:
        self._find_actor = find_actor
        self._timeout_seconds = timeout_seconds
        self._max_handles = max_handles
        self._handles: dict[str, ActorHandle[Any]] = {}

    async def send(self, actor_name: str, calls: Sequence[Call]) -> list[Answer]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                actor = await self._handle(actor_name)
                answers: list[Answer] = await actor.execute.remote(list(calls))
                return answers
        except RayTaskError as error:
            raise Defect from error
        except (RayError, TimeoutError) as error:
            # Its process, its node or the way to it: whatever was lost, commands are safe to send again.
            self._handles.pop(actor_name, None)
            raise ActorLost("the session actor") from error

    async def _handle(self, actor_name: str) -> ActorHandle[Any]:
        handle = self._handles.get(actor_name)
        if handle is None:
            handle = await asyncio.to_thread(self._find_actor, actor_name)
            if len(self._handles) >= self._max_handles:
                self._handles.clear()
            self._handles[actor_name] = handle
        return handle
