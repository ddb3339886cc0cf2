"""Locks by identity: as many as are held, whatever identities there are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

SECONDS_BETWEEN_CHECKS = 0.5


class Locks:
    """One lock for each identity."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    @contextmanager
    def held(self, identity: str, check: Callable[[], object] = lambda: None) -> Iterator[None]:
        """Hold the lock of an identity.

        Args:
            identity: Whose.
            check: Called now and then while it waits; what it raises ends the waiting.
        """
        with self._guard:
            lock = self._locks.setdefault(identity, threading.Lock())
        while not lock.acquire(timeout=SECONDS_BETWEEN_CHECKS):
            check()
        try:
            yield
        finally:
            lock.release()
