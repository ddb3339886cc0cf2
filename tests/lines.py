"""A line to a server that can be cut and mended: for its clients, the server dies and comes back with its data."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.waiting import passing


class Line:
    """What goes through; its clients connect to `port`.

    Args:
        port: Of the server, on loopback.
        delay_seconds: From what a client sends to its answer, beside what the server takes.
    """

    def __init__(self, port: int, delay_seconds: float = 0.0) -> None:
        self._server_port = port
        self._delay_seconds = delay_seconds
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self.port = 0

    def cut(self) -> None:
        """From now on nobody gets through."""
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        """Who connects anew gets through again."""
        self._is_cut = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        if self._is_cut:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._server_port)
        self._writers |= {writer, back}
        try:
            await asyncio.gather(_pass_on(reader, back, self._delay_seconds), _pass_on(there, writer))
        finally:
            self._writers -= {writer, back}


async def _pass_on(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, delay_seconds: float = 0.0
) -> None:
    with suppress(OSError):
        while data := await source.read(1 << 16):
            if delay_seconds:
                await passing(delay_seconds)
            sink.write(data)
            await sink.drain()
    sink.close()


@asynccontextmanager
async def line_to(port: int, delay_seconds: float = 0.0) -> AsyncIterator[Line]:
    """A line to a server, until the block ends."""
    line = Line(port, delay_seconds)
    server = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        line.cut()
        server.close()
        await server.wait_closed()
