"""The way to a session: bounds what waits, and repeats what was lost.

Commands carry an identity that the checkpoint remembers, so a call whose actor died can be sent again: what it had
applied is not applied twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from actors.delivery import delivered
from actors.sessions.messages import Answer, Call
from actors.sessions.placement import Placement
from optionchain.errors import OptionChainError, Overloaded
from optionchain.observing import Observer, Unobserved, observed


class SessionTransport(Protocol):
    """Carries calls to the actor of a name, any number at a time."""

    async def send(self, actor_name: str, call: Call) -> Answer:
        """Deliver a call, once, and return its answer.

        Raises:
            ActorLost: The actor, its answer or the way to it was lost; the call may be sent again.
        """
        ...

    def close(self) -> None:
        """Release what it holds; calls that are under way may be lost."""
        ...


class SessionGateway:
    """Routes calls to the actors that hold their sessions.

    Args:
        placement: Names the actor of a session.
        transport: Reaches the actor.
        max_waiting: Calls that may wait in this process; further ones are refused at once.
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
        timeout_seconds: float,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._placement = placement
        self._transport = transport
        self._max_waiting = max_waiting
        self._timeout_seconds = timeout_seconds
        self._observer = observer or Unobserved()
        self._clock = clock
        self._waiting = 0

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
        actor_name = self._placement.actor_name(call.session_id)
        try:
            with observed(self._observer, "session.call", context, session_id=call.session_id) as told:
                call = call._replace(context=told.context)
                answer = await delivered(
                    lambda: self._transport.send(actor_name, call),
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

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()
