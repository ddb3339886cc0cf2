"""The actor's end of direct lines: lets callers in that know its secret, and answers their calls in any order."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from actors.line.address import LineAddress, socket_folder, tls_to_listen
from actors.line.frames import BadFrame, Frame, Frames, pieces
from actors.line.handshake import (
    HELLO_BYTES,
    PROOF_BYTES,
    actor_proof,
    caller_proof,
    is_same,
    new_nonce,
    new_secret,
    nonce_of,
)

# A caller's words before it is trusted come at once; who is silent for so long is sent away.
HANDSHAKE_SECONDS = 5.0
MAX_CONNECTIONS = 4096
BACKLOG = 1024

Answer = Callable[[int, bytes], None]
"""Given the kind and the bytes of an answer, sends it; nobody hears it where the caller is gone."""


class Serve(Protocol):
    """What becomes of calls. It returns at once, and answers when it can."""

    def __call__(self, body: bytes, answer: Answer, /) -> None: ...


class Listener:
    """Listens where callers ask for it, from the first that asks.

    Args:
        name: Of the actor.
        serve: Serves a call.
        folder: Of Unix sockets; None for a folder of this user's.
        host: Address of this node towards others.
        ports: Of TCP; any free one where it holds just 0.
        max_bytes: Of one call.
    """

    def __init__(
        self, name: str, serve: Serve, *, folder: Path | None, host: str, ports: range, max_bytes: int
    ) -> None:
        self._name = name
        self._serve = serve
        self._folder = folder
        self._host = host
        self._ports = ports
        self._max_bytes = max_bytes
        self._secret = new_secret()
        self._servers: list[asyncio.Server] = []
        self._addresses: dict[bool, LineAddress] = {}
        self._opening = asyncio.Lock()
        self._connections: set[_Connection] = set()

    async def address(self, *, is_on_this_node: bool) -> LineAddress:
        """Where a caller reaches it.

        Args:
            is_on_this_node: Whether the caller is.

        Raises:
            OSError: It cannot listen.
        """
        async with self._opening:
            if is_on_this_node not in self._addresses:
                self._addresses[is_on_this_node] = await self._listen(is_on_this_node)
        return self._addresses[is_on_this_node]

    async def close(self) -> None:
        """Listen no more, and end every connection."""
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.abort()
        self._servers.clear()
        self._forget_addresses()

    def _forget_addresses(self) -> None:
        for address in self._addresses.values():
            if address.path:
                Path(address.path).unlink(missing_ok=True)
        self._addresses.clear()

    async def _listen(self, is_on_this_node: bool) -> LineAddress:
        if is_on_this_node:
            try:
                return await self._listen_on_unix()
            except OSError:
                # No such sockets here, or no folder for them, or its name is too long: a port does as well.
                pass
        return await self._listen_on_tcp()

    async def _listen_on_unix(self) -> LineAddress:
        folder = socket_folder(self._folder)
        for left in folder.glob(f"{self._name}.*"):
            left.unlink(missing_ok=True)  # of a process of this actor that has died
        path = folder / f"{self._name}.{os.getpid()}"
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(self._connection, str(path), backlog=BACKLOG)
        self._servers.append(server)
        return LineAddress(path=str(path), secret=self._secret)

    async def _listen_on_tcp(self) -> LineAddress:
        loop = asyncio.get_running_loop()
        for port in self._ports:
            try:
                server = await loop.create_server(
                    self._connection, self._host, port, backlog=BACKLOG, ssl=tls_to_listen()
                )
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            self._servers.append(server)
            return LineAddress(host=self._host, port=server.sockets[0].getsockname()[1], secret=self._secret)
        raise OSError(errno.EADDRINUSE, f"no port of {self._ports} is free: widen OCS_SESSION_PORTS")

    def _connection(self) -> _Connection:
        return _Connection(self._serve, self._secret, self._max_bytes, self._connections)


class _Connection(asyncio.Protocol):
    """One caller."""

    def __init__(self, serve: Serve, secret: bytes, max_bytes: int, connections: set[_Connection]) -> None:
        self._serve = serve
        self._secret = secret
        self._connections = connections
        self._frames = Frames(max_bytes)
        self._transport: asyncio.Transport | None = None
        self._words = b""
        self._expected_proof: bytes | None = None
        self._is_trusted = False
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # uvloop's is no subclass of asyncio's
        self._transport = transport
        if len(self._connections) >= MAX_CONNECTIONS:
            transport.abort()
            return
        self._connections.add(self)
        self._patience = asyncio.get_running_loop().call_later(HANDSHAKE_SECONDS, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._transport = None
        if self._patience is not None:
            self._patience.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            if not self._is_trusted:
                data = self._meet(data)
            if self._is_trusted:
                for frame in self._frames.fed(data):
                    self._serve(frame.body, partial(self._answer, frame.number))
        except BadFrame:
            self.abort()

    def pause_writing(self) -> None:
        # Who does not read answers is not asked for more calls.
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _answer(self, number: int, kind: int, body: bytes) -> None:
        if self._transport is not None:
            self._transport.writelines(pieces(Frame(number, kind, body)))

    def _meet(self, data: bytes) -> bytes:
        """Go on with the handshake; returns what came behind it.

        Raises:
            BadFrame: The caller speaks another language, or does not know the secret.
        """
        self._words += data
        if self._expected_proof is None and len(self._words) >= HELLO_BYTES:
            callers = nonce_of(self._words[:HELLO_BYTES])
            self._words = self._words[HELLO_BYTES:]
            if callers is None:
                raise BadFrame("another version")
            actors = new_nonce()
            self._expected_proof = caller_proof(self._secret, callers, actors)
            if self._transport is not None:
                self._transport.write(actors + actor_proof(self._secret, callers, actors))
        if self._expected_proof is None or len(self._words) < PROOF_BYTES:
            return b""
        if not is_same(self._words[:PROOF_BYTES], self._expected_proof):
            raise BadFrame("not of this cluster")
        self._is_trusted = True
        if self._patience is not None:
            self._patience.cancel()
        return self._words[PROOF_BYTES:]
