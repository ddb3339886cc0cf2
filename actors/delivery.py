"""What is lost on the way to an actor is sent again: one rule for every caller of every actor."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina

from optionchain.errors import Defect, Unavailable
from optionchain.patience import LOST_DELIVERY

T = TypeVar("T")


class ActorLost(Unavailable):
    """The actor died or left while it had the calls; each may or may not have been applied."""


async def delivered(
    deliver: Callable[[], Awaitable[T]], *, what: str, seconds: float, is_repeatable: bool = True
) -> T:
    """Deliver, again and again while the actor is lost, with growing, jittered pauses.

    Args:
        deliver: One delivery.
        what: What to call its receiver.
        seconds: The caller's patience, repetitions included.
        is_repeatable: Whether applying it twice is as good as once; otherwise there is one delivery.

    Raises:
        Unavailable: No answer came in time.
        ActorLost: The one delivery of what may not be repeated was lost.
    """
    try:
        async with asyncio.timeout(seconds):
            try:
                return await deliver()
            except ActorLost:
                if not is_repeatable:
                    raise
            async for attempt in stamina.retry_context(
                on=ActorLost,
                attempts=None,
                timeout=None,
                wait_initial=LOST_DELIVERY.first_seconds,
                wait_max=LOST_DELIVERY.longest_seconds,
                wait_jitter=LOST_DELIVERY.jitter_seconds,
            ):
                with attempt:
                    return await deliver()
    except TimeoutError as error:
        raise Unavailable(what) from error
    raise Defect
