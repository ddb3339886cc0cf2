"""How fast a backup may be, so that it leaves disk, network and processors to the service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

# As long as a scheduler lets a thread have a core.
TURN_SECONDS = 0.02


class Pace:
    """Bytes a second, on average.

    Args:
        bytes_per_second: At most so many; 0 for as many as there are.
        clock: Monotonic seconds.
    """

    def __init__(self, bytes_per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._bytes_per_second = bytes_per_second
        self._clock = clock
        self._free_at = clock()

    def seconds_until(self, size: int) -> float:
        """How long so many bytes have to wait; they count from now on."""
        if not self._bytes_per_second:
            return 0.0
        now = self._clock()
        begins = max(now, self._free_at)
        self._free_at = begins + size / self._bytes_per_second
        return begins - now

    async def passed(self, size: int) -> None:
        """Wait until so many bytes may pass."""
        await asyncio.sleep(self.seconds_until(size))


class Turns:
    """A share of the time of a processor: whoever has worked for a turn rests until that was its share.

    Two threads of a core slow one another down whatever their priorities are; and what a store is asked for, it does at
    its own priority. Waiting for a store or a place is no work.

    Args:
        share: Of the time, above 0; 1 for no rest.
        clock: Seconds that this process has worked.
    """

    def __init__(self, share: float, clock: Callable[[], float] = time.process_time) -> None:
        self._rest_to_work = 1.0 / share - 1.0
        self._clock = clock
        self._began = clock()

    def seconds_of_rest(self) -> float:
        """How long to rest now, after which another turn begins; 0 where this one goes on."""
        now = self._clock()
        worked = now - self._began
        if worked < TURN_SECONDS:
            return 0.0
        self._began = now
        return worked * self._rest_to_work

    async def rest(self) -> None:
        """Rest, if it is time to."""
        await asyncio.sleep(self.seconds_of_rest())
