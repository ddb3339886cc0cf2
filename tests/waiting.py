"""Waiting for a fact, and, where time itself is the matter, letting it pass: no other module of the tests sleeps."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")

PATIENCE_SECONDS = 20.0
PAUSE_SECONDS = 0.02


def eventually(
    find: Callable[[], Found],
    what: str,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
    pause_seconds: float = PAUSE_SECONDS,
) -> Found:
    """Wait for something that another thread or process does, and return what was found.

    The last look is one that begins when patience is over.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        is_last = time.monotonic() >= deadline
        if found := find():
            return found
        assert not is_last, f"still not so after {patience_seconds:g} s: {what}"
        time.sleep(pause_seconds)


async def until(
    find: Callable[[], Found | Awaitable[Found]], what: str, *, patience_seconds: float = PATIENCE_SECONDS
) -> Found:
    """`eventually`, where the event loop goes on meanwhile."""
    deadline = time.monotonic() + patience_seconds
    while True:
        is_last = time.monotonic() >= deadline
        found = find()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert not is_last, f"still not so after {patience_seconds:g} s: {what}"
        await asyncio.sleep(PAUSE_SECONDS)


async def turns(count: int = 20) -> None:
    """Let the event loop turn: whatever can run does so, and no time is waited for."""
    for _ in range(count):
        await asyncio.sleep(0)


async def passing(seconds: float) -> None:
    """Let time pass: that an outage lasts, that a time to live is nearly over."""
    await asyncio.sleep(seconds)


def take(seconds: float) -> None:
    """Be as slow as work, or a reader, that takes so long."""
    time.sleep(seconds)
