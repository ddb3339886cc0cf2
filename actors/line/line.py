"""The caller's end of a direct line: several calls under way at a time, all lost where the connection breaks."""

from __future__ import annotations

import asyncio
from typing import Any

from actors.line.address import LineAddress, tls_to_call
from actors.line.frames import BadFrame, Frame, Frames, pieces
from actors.line.handshake import (
    CHALLENGE_BYTES,
    NONCE_BYTES,
    actor_proof,
    caller_proof,
    hello,
    is_same,
    new_nonce,
)

_NUMBERS = 1 << 32


class LineLost(Exception):
    """The connection broke, or its other end was silent for too long; calls under way may have been served."""


async def connected(address: LineAddress, *, max_bytes: int, silence_seconds: float) -> Line:
    """Open a line, once its other end has shown that it is the actor.

    Args:
        address: The actor's.
        max_bytes: Of one answer.
        silence_seconds: How long a call may be under way without an answer to any.

    Raises:
        LineLost: Nobody listens there, or somebody else does.
    """
    loop = asyncio.get_running_loop()

    def line() -> Line:
        return Line(address.secret, max_bytes=max_bytes, silence_seconds=silence_seconds)

    try:
        if address.path:
            _, opened = await loop.create_unix_connection(line, address.path)
        else:
            _, opened = await loop.create_connection(line, address.host, address.port, ssl=tls_to_call())
        await opened.trusted
    except OSError as error:
        raise LineLost(str(error)) from error
    return opened


class Line(asyncio.Protocol):
    """A connection to an actor; made by `connected`.

    Args:
        secret: The actor's.
        max_bytes: Of one answer.
        silence_seconds: How long a call may be under way without an answer to any.
    """

    def __init__(self, secret: bytes, *, max_bytes: int, silence_seconds: float) -> None:
        self._secret = secret
        self._silence_seconds = silence_seconds
        self._frames = Frames(max_bytes)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._nonce = new_nonce()
        self._words = b""
        self._number = 0
        self._waiting: dict[int, asyncio.Future[Frame]] = {}
        self._heard_at = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None
        self._is_retired = False
        self.trusted: asyncio.Future[None] = self._loop.create_future()
        """Done when the other end has shown that it is the actor."""

    @property
    def is_open(self) -> bool:
        """Whether it can carry calls."""
        return self._transport is not None and not self._is_retired

    async def call(self, body: bytes) -> Frame:
        """Send a call, and wait for its answer.

        Raises:
            LineLost: The connection broke first.
        """
        if self._transport is None:
            raise LineLost("closed")
        if not self._waiting:
            self._heard_at = self._loop.time()  # until now there was nothing to hear
        number = self._number = (self._number + 1) % _NUMBERS
        answer: asyncio.Future[Frame] = self._loop.create_future()
        self._waiting[number] = answer
        if self._watch is None:
            self._watch = self._loop.call_later(self._silence_seconds, self._check_silence)
        self._transport.writelines(pieces(Frame(number, 0, body)))
        try:
            return await answer
        finally:
            # Who gave up is not answered.
            self._waiting.pop(number, None)
            if self._is_retired and not self._waiting:
                self.abort()

    def retire(self) -> None:
        """Carry no more calls, and end with the last one that is under way."""
        self._is_retired = True
        if not self._waiting:
            self.abort()

    def connection_made(self, transport: Any) -> None:  # uvloop's is no subclass of asyncio's
        self._transport = transport
        transport.write(hello(self._nonce))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._watch is not None:
            self._watch.cancel()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(LineLost("the connection broke"))
        self._waiting.clear()
        if not self.trusted.done():
            self.trusted.set_exception(LineLost("nobody who is trusted"))
            self.trusted.exception()  # whoever waited for it may have given up

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        try:
            if not self.trusted.done():
                data = self._meet(data)
            if data:
                for frame in self._frames.fed(data):
                    answer = self._waiting.get(frame.number)
                    if answer is not None and not answer.done():
                        answer.set_result(frame)
        except BadFrame:
            self.abort()

    def _meet(self, data: bytes) -> bytes:
        """Go on with the handshake; returns what came behind it.

        Raises:
            BadFrame: The other end does not know the secret.
        """
        self._words += data
        if len(self._words) < CHALLENGE_BYTES:
            return b""
        actors, proof = self._words[:NONCE_BYTES], self._words[NONCE_BYTES:CHALLENGE_BYTES]
        if not is_same(proof, actor_proof(self._secret, self._nonce, actors)):
            raise BadFrame("not the actor")
        if self._transport is not None:
            self._transport.write(caller_proof(self._secret, self._nonce, actors))
        self.trusted.set_result(None)
        return self._words[CHALLENGE_BYTES:]

    def _check_silence(self) -> None:
        """Give up where nothing was heard for too long; one timer for all calls, set while any is under way."""
        self._watch = None
        if not self._waiting:
            return
        left = self._heard_at + self._silence_seconds - self._loop.time()
        if left <= 0.0:
            self.abort()
        else:
            self._watch = self._loop.call_later(left, self._check_silence)

    def abort(self) -> None:
        """End it; calls that are under way are lost."""
        if self._transport is not None:
            self._transport.abort()
