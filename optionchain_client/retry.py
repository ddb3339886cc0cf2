"""When a failed call is sent again, and after which pause."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Protocol

import stamina

from optionchain_client.errors import ApiError, RateLimited, Unavailable

JITTER = 0.25
# Where nobody has set up logging, Python would print its notice of every attempt; whoever has gets them as before.
logging.getLogger("stamina").addHandler(logging.NullHandler())


class Attempts(Protocol):
    """The attempts of one call: each a context whose error, if it may pass, leads to the next."""

    def __iter__(self) -> Iterator[stamina.Attempt]: ...

    def __aiter__(self) -> AsyncIterator[stamina.Attempt]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Patience with a service that is busy, restarting or out of reach.

    Attributes:
        attempts: Calls in all; 1 never repeats.
        timeout_seconds: No further attempt after so long.
        first_pause_seconds: The first pause; each further one is twice as long, with jitter.
        longest_pause_seconds: A server that asks for more (`Retry-After`) is not waited for.
    """

    attempts: int = 8
    timeout_seconds: float = 60.0
    first_pause_seconds: float = 0.1
    longest_pause_seconds: float = 10.0

    def attempts_of_one_call(self) -> Attempts:
        """Fresh attempts, with growing, jittered pauses between them."""
        return stamina.retry_context(
            on=self.pause,
            attempts=self.attempts,
            timeout=self.timeout_seconds,
            wait_initial=self.first_pause_seconds,
            wait_max=self.longest_pause_seconds,
            wait_jitter=self.first_pause_seconds,
        )

    def pause(self, error: Exception) -> bool | float:
        """Whether to try again; a number of seconds where the server named one."""
        if not isinstance(error, ApiError) or not isinstance(error, RateLimited | Unavailable):
            return False
        asked = error.problem.retry_after_seconds
        if asked is None:
            return True
        # Never before the server wants it, and not everybody at the same instant.
        return asked <= self.longest_pause_seconds and asked * (1.0 + random.uniform(0.0, JITTER))

    def pause_after(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row of what stamina does not repeat."""
        pause = min(self.first_pause_seconds * 2.0 ** (failures - 1), self.longest_pause_seconds)
        return pause * (1.0 + random.uniform(0.0, JITTER))
