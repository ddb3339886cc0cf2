"""What a coroutine does by other means than a caller that waits: a pair each, of which the generator takes the one
without `Async`."""

from __future__ import annotations

import contextlib
import pathlib
import time
from collections.abc import AsyncGenerator, Generator
from typing import TypeAlias, TypeVar

import anyio

T = TypeVar("T")

# An iteration that may hold a connection, and so can be closed.
AsyncStream: TypeAlias = AsyncGenerator[T, None]
Stream: TypeAlias = Generator[T, None, None]

AsyncPath = anyio.Path
Path = pathlib.Path

async_sleep = anyio.sleep
sleep = time.sleep


def async_shielded() -> contextlib.AbstractContextManager[object]:
    """In this block a cancelled coroutine may still wait."""
    return anyio.CancelScope(shield=True)


def shielded() -> contextlib.AbstractContextManager[object]:
    """Nobody cancels a caller that waits."""
    return contextlib.nullcontext()
