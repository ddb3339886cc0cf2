"""Bodies that are computed while they are sent: off the event loop, at most one piece ahead of the reader."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterator, Mapping
from typing import Protocol

from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from actors.places import Places
from cluster.http_settings import HttpSettings
from optionchain.observing import Observer
from serve_app.edge.errors import Stalled
from serve_app.handling.fair_threads import FairThreads

# What is handed to the network at a time: a slow reader holds one of these in each buffer on the way.
CHUNK_BYTES = 1 << 18


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
        stall_seconds: How long a reader may take for one chunk.
    """

    def __init__(
        self,
        body: Closable,
        content: AsyncIterator[bytes],
        *,
        media_type: str,
        headers: Mapping[str, str],
        stall_seconds: float,
    ) -> None:
        super().__init__(content, media_type=media_type, headers=headers)
        self._body = body
        self._stall_seconds = stall_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            try:
                async with asyncio.timeout(self._stall_seconds):
                    await send(message)
            except TimeoutError as error:
                raise Stalled(self._stall_seconds) from error

        try:
            await super().__call__(scope, receive, send_in_time)
        finally:
            await self._body.aclose()


def event_response(body: Closable, events: AsyncIterator[bytes], stall_seconds: float) -> BodyResponse:
    """Server-sent events of a body, which no cache keeps and no proxy gathers."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return BodyResponse(
        body, events, media_type="text/event-stream", headers=headers, stall_seconds=stall_seconds
    )


class Producers:
    """Computes the bodies of this replica's downloads and streams.

    A body waits for its reader without a thread: a thread is busy only while it computes one piece. Owners share the
    places and take turns at the threads.

    Args:
        http: How many threads there are, and how many bodies may be under way.
        observer: Told how many are, and how much they send.
    """

    def __init__(self, http: HttpSettings, observer: Observer) -> None:
        self._observer = observer
        self.max_rows = http.max_export_rows
        self.heartbeat_seconds = http.heartbeat_seconds
        self.stall_seconds = http.stall_seconds
        self._places = Places("the export service", http.max_streams)
        self._threads = FairThreads(http.export_threads, "export")

    async def start(self, owner: str, open_pieces: Callable[[], Iterator[bytes]]) -> Body:
        """Begin a body, which has a place until it is closed.

        Args:
            owner: Whose it is.
            open_pieces: Returns the pieces, each computed when it is asked for. Called in a thread, as they are.

        Raises:
            Overloaded: Too many bodies are under way, or too many of this owner.
            OptionChainError: What `open_pieces` raised; nothing was sent yet.
        """
        self._places.take(owner)
        self._count()
        try:
            pieces = await self._threads.run(owner, open_pieces)
            return Body(self._computed(owner, pieces), lambda: self._end(owner))
        except BaseException:
            self._end(owner)
            raise

    async def whole(self, owner: str, compute: Callable[[], bytes]) -> bytes:
        """A body of one piece, which nobody has to read while it is computed.

        Args:
            owner: Whose it is.
            compute: Returns it. Called in a thread.

        Raises:
            Overloaded: As by `start`.
            OptionChainError: What `compute` raised.
        """
        body = await self.start(owner, lambda: iter([compute()]))
        try:
            return b"".join([piece async for piece in body])
        finally:
            await body.aclose()

    async def _computed(self, owner: str, pieces: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
        following = self._threads.run(owner, lambda: next(pieces, None))
        while (piece := await following) is not None:
            following = self._threads.run(owner, lambda: next(pieces, None))
            self._observer.counted("http.exported", len(piece))
            yield piece

    def _end(self, owner: str) -> None:
        self._places.give_back(owner)
        self._count()

    def _count(self) -> None:
        self._observer.counted("http.streams", self._places.taken)


async def in_chunks(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The same bytes, in chunks that fit the buffers on the way."""
    async for piece in pieces:
        for start in range(0, len(piece), CHUNK_BYTES):
            yield piece[start : start + CHUNK_BYTES]
