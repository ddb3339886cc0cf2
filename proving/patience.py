"""How long is waited for what must come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from proving.chaos.load import RECOVERY_PATIENCE_SECONDS, BadLoad

POLL_SECONDS = 0.05


async def until(is_so: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until something is so.

    Raises:
        BadLoad: It does not become so.
    """
    deadline = time.monotonic() + RECOVERY_PATIENCE_SECONDS
    while not await is_so():
        if time.monotonic() > deadline:
            raise _too_late(what)
        await asyncio.sleep(POLL_SECONDS)


def wait_until(is_so: Callable[[], object], what: str) -> None:
    """`until`, where there is no event loop to go on meanwhile.

    Raises:
        BadLoad: It does not become so.
    """
    deadline = time.monotonic() + RECOVERY_PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise _too_late(what)
        time.sleep(POLL_SECONDS)


def _too_late(what: str) -> BadLoad:
    return BadLoad(f"{RECOVERY_PATIENCE_SECONDS:.0f} s have passed until {what}")
