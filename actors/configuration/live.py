"""The configuration `simulator` as a replica knows it: at most half a second old."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import orjson

from optionchain.configuration.simulator import SimulatorConfiguration
from optionchain.errors import Defect, InvalidInput, NotFound, Unavailable
from optionchain.observing import Observer, Unobserved, tell_failure
from optionchain.ports import Cached


class LiveConfiguration:
    """Asks again when what it knows is too old; one asks for all.

    Args:
        ask: Returns the latest configuration as `ConfigActor.get` does.
        max_age_seconds: How long an answer counts.
        observer: Told of a configuration that nobody here understands.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[Cached]],
        *,
        max_age_seconds: float,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._max_age_seconds = max_age_seconds
        self._observer = observer or Unobserved()
        self._clock = clock
        self._known: SimulatorConfiguration | None = None
        self._read: object = None
        self._asked_at = -float("inf")
        self._asking = asyncio.Lock()

    async def current(self) -> SimulatorConfiguration:
        """The configuration for a session that is created now; while nobody answers, the last that was known.

        Raises:
            Unavailable: Nobody answers, and none was ever known.
        """
        async with self._asking:
            if self._known is None or self._clock() - self._asked_at >= self._max_age_seconds:
                self._known = await self._renewed()
                self._asked_at = self._clock()
            return self._known

    async def _renewed(self) -> SimulatorConfiguration:
        try:
            stored = orjson.loads((await self._ask()).value)
        except NotFound:
            return SimulatorConfiguration()
        except Unavailable:
            if self._known is None:
                raise
            return self._known
        known = self._known or SimulatorConfiguration()
        if stored == self._read:
            return known
        self._read = stored
        try:
            return SimulatorConfiguration.from_values(stored["values"], stored["version"])
        except InvalidInput as error:
            # Written by another release, or past this service: no reason to refuse every new session.
            facts = {"version": stored["version"], "reason": str(error)}
            tell_failure(self._observer, "configuration.understand", Defect(), **facts)
            return known
