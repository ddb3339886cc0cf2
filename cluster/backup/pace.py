"""How fast bytes may pass, so that a backup leaves the disk and the network to the service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


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
