"""Bodies that are computed while they are sent: off the event loop, at most one piece ahead of the reader."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from cluster.settings import HttpSettings
from optionchain.errors import Overloaded

# What is handed to the network at a time: a slow reader holds one of these in each buffer on the way.
CHUNK_BYTES = 1 << 18

T = TypeVar("T")


class Producers:
    """Computes the bodies of this replica's downloads and streams.

    A body waits for its reader without a thread: a thread is busy only while it computes one piece.

    Args:
        http: How many threads there are, and how many bodies may be under way.
    """

    def __init__(self, http: HttpSettings) -> None:
        self.max_rows = http.max_export_rows
        self.heartbeat_seconds = http.heartbeat_seconds
        self._max_streams = http.max_streams
        self._streams = 0
        self._threads = ThreadPoolExecutor(http.export_threads, thread_name_prefix="export")

    async def start(self, open_pieces: Callable[[], Iterator[bytes]]) -> AsyncIterator[bytes]:
        """Begin a body; it ends when nobody holds it any more, read to its end or not.

        Args:
            open_pieces: Returns the pieces, each computed when it is asked for. Called in a thread, as they are.

        Raises:
            Overloaded: Too many bodies are under way.
            OptionChainError: What `open_pieces` raised; nothing was sent yet.
        """
        if self._streams >= self._max_streams:
            raise Overloaded("the export service")
        self._streams += 1
        try:
            pieces = self._computed(await self._in_thread(open_pieces))
        except BaseException:
            self._end()
            raise
        # A response whose client left before it began never iterates its body: only its end is certain.
        weakref.finalize(pieces, self._end)
        return pieces

    async def _computed(self, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        following = self._in_thread(lambda: next(pieces, None))
        while (piece := await following) is not None:
            following = self._in_thread(lambda: next(pieces, None))
            yield piece

    def _in_thread(self, call: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _end(self) -> None:
        self._streams -= 1


async def in_chunks(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes, in chunks that fit the buffers on the way."""
    async for piece in pieces:
        for start in range(0, len(piece), CHUNK_BYTES):
            yield piece[start : start + CHUNK_BYTES]
