"""The way to a shared Ray actor: found or created by name, asked again when it died, its errors unwrapped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import stamina
from ray.actor import ActorHandle
from ray.exceptions import GetTimeoutError, RayActorError, RayTaskError

from actors.sessions.gateway import ActorLost
from optionchain.errors import Defect, OptionChainError, Unavailable


class SharedActor:
    """One named actor, as seen from this process.

    Args:
        find_actor: Returns the actor, creating it where there is none. Called in a thread.
        what: What to call it in messages.
        timeout_seconds: A caller's patience, repetitions included.
    """

    def __init__(
        self, find_actor: Callable[[], ActorHandle[Any]], *, what: str, timeout_seconds: float
    ) -> None:
        self._find_actor = find_actor
        self._what = what
        self._timeout_seconds = timeout_seconds
        self._actor: ActorHandle[Any] | None = None

    async def call(self, method: str, *arguments: Any, is_repeatable: bool = True) -> Any:
        """Call a method of the actor and return its result.

        Args:
            method: Its name.
            arguments: Of the method.
            is_repeatable: Whether applying it twice is as good as once; then it is sent again when the actor died.

        Raises:
            OptionChainError: What the method raised; `Unavailable` when no answer came in time.
        """
        attempts = None if is_repeatable else 1
        try:
            async with asyncio.timeout(self._timeout_seconds):
                async for attempt in stamina.retry_context(
                    on=ActorLost, attempts=attempts, timeout=None, wait_initial=0.05, wait_max=0.5
                ):
                    with attempt:
                        return await self._send(method, arguments)
        except TimeoutError as error:
            raise Unavailable(self._what) from error
        raise Defect

    async def _send(self, method: str, arguments: tuple[Any, ...]) -> Any:
        if self._actor is None:
            self._actor = await asyncio.to_thread(self._find_actor)
        try:
            return await getattr(self._actor, method).remote(*arguments)
        except (RayActorError, GetTimeoutError) as error:
            self._actor = None
            raise ActorLost(self._what) from error
        except RayTaskError as error:
            if isinstance(error.cause, OptionChainError):
                raise error.cause from None
            raise Defect from error
