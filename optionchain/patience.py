"""How often the service tries again, and how long it pauses in between: every such number, in one place.

How long a caller waits in all is a setting; these say what happens within that time.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pauses:
    """Pauses that double from one attempt to the next.

    Attributes:
        first_seconds: The first.
        longest_seconds: None is longer.
        jitter_seconds: Up to so much is added at random, so that those who failed together come back apart.
    """

    first_seconds: float
    longest_seconds: float
    jitter_seconds: float = 0.0


LOST_DELIVERY = Pauses(first_seconds=0.05, longest_seconds=0.5, jitter_seconds=0.1)
"""Between two deliveries to an actor that was lost: Ray starts another within a second."""

BROKEN_CONNECTION = Pauses(first_seconds=0.02, longest_seconds=0.2)
"""Between two attempts of a command whose connection broke."""

OTHER_SENTINELS_SECONDS = 0.2
"""For which the first answer of a sentinel waits for those of the others."""

SILENT_SOURCE_SECONDS = 1.0
"""Until we listen again to a server that announced changes and does so no more."""

SILENT_CACHE_SECONDS = 0.5
"""The same for what the caches of other processes forget."""

SWAP_ATTEMPTS = 2
"""A lost compare-and-swap of a session is tried once more on the fresh state; losing twice is the caller's to know."""

DOCUMENT_SWAP_ATTEMPTS = 8
"""The same for documents, which importers write side by side."""

SECONDARY_READ_ATTEMPTS = 4
"""Reads of what a secondary may not have yet; the last asks the primary."""

FAILURES_BEFORE_PAUSE = 3
"""Calls in a row that find a dependency down, before it is left alone..."""

PAUSE_SECONDS = 2.0
"""...for so long."""

SWEEP_CALL_RETRIES = 3
"""Times that Ray itself sends a call to the sweep actor again; every one may be repeated."""

SILENT_INDEX_SECONDS = 60.0
"""Until a sweep tells its index again, which did not answer: the sweep goes on without it."""

FAILED_RUN = Pauses(first_seconds=5.0, longest_seconds=600.0, jitter_seconds=5.0)
"""Between two attempts of a task's run."""

RUN_ATTEMPTS, MOST_RUN_ATTEMPTS = 3, 20
"""After so many a run has failed for good, unless its task says another number; and the most that it may say."""
