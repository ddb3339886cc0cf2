"""Session calls over direct lines: Ray says where an actor is, and is asked again when its line breaks."""

from __future__ import annotations

import asyncio
from typing import Protocol

from cachetools import LRUCache

from actors.delivery import ActorLost
from actors.line.address import LineAddress
from actors.line.handshake import VERSION
from actors.line.line import Line, LineLost, connected
from actors.named import MAX_HANDLES, NamedActors, UnknownMethod
from actors.sessions.gateway import SessionTransport
from actors.sessions.messages import Answer, Call
from actors.sessions.wire import answer_from_wire, call_to_wire
from actors.settings import SessionSettings
from optionchain.observing import Observer, Unobserved


class OtherVersion(Exception):
    """The actor speaks another version of the line than we do, or none: it is of another release."""


class _Retiring(LRUCache[str, Line]):
    """Lines by actor, the least recently used of which ends when there are too many."""

    def popitem(self) -> tuple[str, Line]:
        name, line = super().popitem()
        line.retire()
        return name, line


class Whereabouts(Protocol):
    """Knows the node of this process."""

    def node_id(self) -> str: ...


class SocketSessionTransport:
    """The `SessionTransport` over direct lines, one to each actor.

    Args:
        actors: The session actors, as Ray finds them.
        whereabouts: Where we are: an actor of the same node is reached without the network.
        other: Carries calls to actors of another release.
        settings: How long one delivery may take, and how long an answer may be.
        observer: Told of deliveries that were lost.
        max_lines: How many actors are kept a line to.
    """

    def __init__(
        self,
        actors: NamedActors,
        whereabouts: Whereabouts,
        other: SessionTransport,
        settings: SessionSettings,
        *,
        observer: Observer | None = None,
        max_lines: int = MAX_HANDLES,
    ) -> None:
        self._actors = actors
        self._whereabouts = whereabouts
        self._other = other
        self._timeout_seconds = settings.delivery_timeout_seconds
        self._max_bytes = settings.max_message_megabytes << 20
        self._observer = observer or Unobserved()
        self._lines = _Retiring(max_lines)
        self._opening: dict[str, asyncio.Task[Line]] = {}

    async def send(self, actor_name: str, call: Call) -> Answer:
        line = self._lines.get(actor_name)
        try:
            if line is None or not line.is_open:
                line = await self._opened(actor_name)
            frame = await line.call(call_to_wire(call))
        except LineLost as error:
            self._observer.counted("delivery.lost", to=self._actors.what)
            raise ActorLost(self._actors.what) from error
        except OtherVersion:
            return await self._other.send(actor_name, call)
        return answer_from_wire(frame)

    def close(self) -> None:
        """End all lines; calls that are under way on them are lost."""
        for line in self._lines.values():
            line.abort()
        self._lines.clear()

    async def _opened(self, actor_name: str) -> Line:
        """A line to an actor, which is opened once for all who wait for it."""
        opening = self._opening.get(actor_name)
        if opening is None:
            opening = self._opening[actor_name] = asyncio.create_task(self._open(actor_name))
            opening.add_done_callback(lambda _: self._opening.pop(actor_name, None))
            # Whoever waited for it may have given up.
            opening.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(opening)

    async def _open(self, actor_name: str) -> Line:
        """Ask Ray where the actor is, and call it there.

        Raises:
            ActorLost: Ray does not know, or not in time.
            LineLost: It is there no more.
            OtherVersion: It cannot be called this way.
        """
        address = await self._address(actor_name)
        if address.version != VERSION:
            raise OtherVersion
        try:
            async with asyncio.timeout(self._timeout_seconds):
                line = await connected(
                    address, max_bytes=self._max_bytes, silence_seconds=self._timeout_seconds
                )
        except TimeoutError as error:
            raise LineLost("no answer") from error
        self._lines[actor_name] = line
        return line

    async def _address(self, actor_name: str) -> LineAddress:
        node = self._whereabouts.node_id()
        try:
            address: LineAddress = await self._actors.deliver(
                actor_name, "line", node, seconds=self._timeout_seconds
            )
        except UnknownMethod as error:
            raise OtherVersion from error
        return address
