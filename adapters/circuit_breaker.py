"""A circuit breaker: what does not answer is not asked for a while, so that its callers need not wait for it.

Ours rather than a library's: of those that are kept up and async, purgatory lets every caller through at once
when it tries again, and here one call tries for all.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from optionchain.errors import Unavailable
from optionchain.observing import Observer, Unobserved
from optionchain.patience import FAILURES_BEFORE_PAUSE, PAUSE_SECONDS

T = TypeVar("T")


class CircuitBreaker:
    """Lets calls through until several in a row found the dependency unavailable; then refuses them for a while.

    After the pause one call goes through: when it is answered, all do again.

    Args:
        dependency: What to call it in the refusals.
        failures: Calls in a row that must fail.
        pause_seconds: How long calls are refused.
        observer: Told when it refuses, and when it begins and ends to.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        dependency: str,
        *,
        failures: int = FAILURES_BEFORE_PAUSE,
        pause_seconds: float = PAUSE_SECONDS,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dependency = dependency
        self._failures = failures
        self._pause_seconds = pause_seconds
        self._observer = observer or Unobserved()
        self._clock = clock
        self._failed_in_a_row = 0
        self._open_until = 0.0
        self._is_trying = False

    @property
    def is_open(self) -> bool:
        """Whether calls are refused, but for the one that tries."""
        return self._failed_in_a_row >= self._failures

    async def call(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Run an operation and return its result.

        Raises:
            Unavailable: What the operation raised, or at once while the circuit is open; it was not run then.
        """
        tries = self.is_open
        if tries:
            self._admit()
        try:
            result = await operation()
        except Unavailable:
            self._failed_in_a_row += 1
            if self._failed_in_a_row == self._failures:
                self._observer.counted("breaker.opened", dependency=self._dependency)
            self._open_until = self._clock() + self._pause_seconds
            raise
        except Exception:
            self._answered()  # though with a refusal
            raise
        else:
            self._answered()
            return result
        finally:
            if tries:
                self._is_trying = False

    def _answered(self) -> None:
        if self.is_open:
            self._observer.counted("breaker.closed", dependency=self._dependency)
        self._failed_in_a_row = 0

    def _admit(self) -> None:
        remaining = self._open_until - self._clock()
        if self._is_trying or remaining > 0.0:
            self._observer.counted("breaker.refused", dependency=self._dependency)
            raise Unavailable(self._dependency, max(remaining, 1.0))
        self._is_trying = True
