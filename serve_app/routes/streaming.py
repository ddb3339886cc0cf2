"""Bodies that are computed while they are sent: off the event loop, at most one piece ahead of the reader."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from cluster.settings import HttpSettings
from optionchain.errors import Overloaded
from optionchain.observing import Observer

# What is handed to the network at a time: a slow reader holds one of these in each buffer on the way.
CHUNK_BYTES = 1 << 18

T = TypeVar("T")


class Body:
    """Pieces for one reader. Its place is free when it is closed; at the latest, when nobody holds it any more.

    Args:
        pieces: What to send.
        free: Gives the place back.
    """

    def __init__(self, pieces: AsyncGenerator[bytes, None], free: Callable[[], None]) -> None:
        self._pieces = pieces
        self._free = weakref.finalize(self, free)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces

    async def aclose(self) -> None:
        """Compute no more, and give the place back."""
        await self._pieces.aclose()
        self._free()


class Closable(Protocol):
    """What has a place for as long as somebody reads it."""

    async def aclose(self) -> None:
        """Give the place back."""
        ...


class BodyResponse(StreamingResponse):
    """Sends what is made of a body, and closes the body when that has ended or its reader has left.

    Args:
        body: What is to be closed. The traceback of a cancellation would hold it until the next garbage collection.
        content: What is sent.
    """

    def __init__(
        self, body: Closable, content: AsyncIterator[bytes], *, media_type: str, headers: Mapping[str, str]
    ) -> None:
        super().__init__(content, media_type=media_type, headers=headers)
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._body.aclose()


def event_response(body: Closable, events: AsyncIterator[bytes]) -> BodyResponse:
    """Server-sent events of a body, which no cache keeps and no proxy gathers."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return BodyResponse(body, events, media_type="text/event-stream", headers=headers)


class Producers:
    """Computes the bodies of this replica's downloads and streams.

    A body waits for its reader without a thread: a thread is busy only while it computes one piece.

    Args:
        http: How many threads there are, and how many bodies may be under way.
        observer: Told how many are, and how much they send.
    """

    def __init__(self, http: HttpSettings, observer: Observer) -> None:
        self._observer = observer
        self.max_rows = http.max_export_rows
        self.heartbeat_seconds = http.heartbeat_seconds
        self._max_streams = http.max_streams
        self._streams = 0
        self._threads = ThreadPoolExecutor(http.export_threads, thread_name_prefix="export")

    async def start(self, open_pieces: Callable[[], Iterator[bytes]]) -> Body:
        """Begin a body, which has a place until it is closed.

        Args:
            open_pieces: Returns the pieces, each computed when it is asked for. Called in a thread, as they are.

        Raises:
            Overloaded: Too many bodies are under way.
            OptionChainError: What `open_pieces` raised; nothing was sent yet.
        """
        if self._streams >= self._max_streams:
            raise Overloaded("the export service")
        self._count(1)
        try:
            return Body(self._computed(await self._in_thread(open_pieces)), self._end)
        except BaseException:
            self._end()
            raise

    async def _computed(self, pieces: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
        following = self._in_thread(lambda: next(pieces, None))
        while (piece := await following) is not None:
            following = self._in_thread(lambda: next(pieces, None))
            self._observer.counted("http.exported", len(piece))
            yield piece

    def _in_thread(self, call: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _end(self) -> None:
        self._count(-1)

    def _count(self, change: int) -> None:
        self._streams += change
        self._observer.counted("http.streams", self._streams)


async def in_chunks(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The same bytes, in chunks that fit the buffers on the way."""
    async for piece in pieces:
        for start in range(0, len(piece), CHUNK_BYTES):
            yield piece[start : start + CHUNK_BYTES]
