"""A replica's lines to session actors: each is opened once, again when it is lost, and ended where there are many."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from actors.delivery import ActorLost
from actors.line.address import LineAddress
from actors.line.listener import Answer, Listener
from actors.named import NamedActors
from actors.sessions.messages import Call
from actors.sessions.ray_transport import RaySessionTransport
from actors.sessions.socket_transport import SocketSessionTransport
from actors.sessions.wire import answer_to_wire
from actors.settings import SessionSettings
from optionchain.errors import Completed
from optionchain.session import Inspect, SessionKind
from tests.callers import on_behalf_of
from tests.recording import Recording
from tests.waiting import until

pytestmark = pytest.mark.anyio

CALL = Call("a session", on_behalf_of("anna"), SessionKind.CHAIN, Inspect())


class Here:
    """Of the only node."""

    def node_id(self) -> str:
        return "here"


class Actor:
    """A session actor as far as a line needs it: what its handle tells, and what listens there."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self.waiting: list[Answer] = []
        self.asked = 0
        self.line = self
        self.listener = self.started()

    def started(self) -> Listener:
        """A process of it."""
        return Listener(
            self._name, self._serve, folder=self._folder, host="127.0.0.1", ports=range(1), max_bytes=1 << 20
        )

    def _serve(self, body: bytes, answer: Answer) -> None:
        self.waiting.append(answer)

    async def remote(self, node: str) -> LineAddress:
        self.asked += 1
        return await self.listener.address(is_on_this_node=node == "here")

    async def answers(self, reply: Any = b"{}", calls: int = 1) -> None:
        """Wait for some calls, and answer them."""
        await until(lambda: len(self.waiting) >= calls, "the calls have arrived")
        while self.waiting:
            self.waiting.pop()(*answer_to_wire(reply))

    def lines(self) -> int:
        """How many callers are connected; one of the sockets is what listens."""
        process = psutil.Process()
        sockets = [socket.laddr for socket in process.net_connections("unix")]
        return sockets.count(str(self._folder / f"{self._name}.{process.pid}")) - 1


class Replica:
    """The caller's end."""

    def __init__(self, actors: dict[str, Actor], **options: Any) -> None:
        self.observer = Recording()
        find: Callable[[str], Any] = actors.__getitem__
        named = NamedActors(find, what="the sessions", observer=self.observer)
        self.transport = SocketSessionTransport(
            named,
            Here(),
            RaySessionTransport(named, max_batch=1, timeout_seconds=30.0),
            SessionSettings(delivery_timeout_seconds=30.0),
            observer=self.observer,
            **options,
        )

    def send(self, name: str) -> asyncio.Task[Any]:
        return asyncio.create_task(self.transport.send(name, CALL))


@asynccontextmanager
async def running(folder: Path, *names: str) -> AsyncIterator[dict[str, Actor]]:
    actors = {name: Actor(folder, name) for name in names}
    yield actors
    for actor in actors.values():
        await actor.listener.close()


async def test_a_line_is_opened_once_for_all_who_wait_for_it_and_then_kept(folder: Path) -> None:
    async with running(folder, "actor") as actors:
        replica, actor = Replica(actors), actors["actor"]

        calls = [replica.send("actor") for _ in range(3)]
        await actor.answers(b"[1]", calls=3)
        later = replica.send("actor")
        await actor.answers(b"[2]")

        assert [await call for call in [*calls, later]] == [b"[1]"] * 3 + [b"[2]"]
        assert (actor.asked, actor.lines()) == (1, 1)
        replica.transport.close()


async def test_a_refusal_arrives_as_the_error_that_it_is(folder: Path) -> None:
    async with running(folder, "actor") as actors:
        replica = Replica(actors)
        call = replica.send("actor")

        await actors["actor"].answers(Completed("a session", 6))

        answer = await call
        assert isinstance(answer, Completed)
        assert answer.args == ("a session", 6)
        replica.transport.close()


async def test_of_too_many_lines_the_one_unused_for_longest_ends_once_it_has_answered(folder: Path) -> None:
    async with running(folder, "first", "second") as actors:
        replica = Replica(actors, max_lines=1)
        under_way = replica.send("first")
        await until(lambda: actors["first"].waiting, "the first has the call")

        other = replica.send("second")
        await actors["second"].answers()
        assert (actors["first"].lines(), actors["second"].lines()) == (1, 1)
        await actors["first"].answers(b"[1]")

        assert (await under_way, await other) == (b"[1]", b"{}")
        await until(lambda: actors["first"].lines() == 0, "its line has ended")
        idle = replica.send("first")
        await actors["first"].answers()
        await idle
        await until(lambda: actors["second"].lines() == 0, "a line with nothing under way ends at once")
        replica.transport.close()


async def test_a_line_that_breaks_loses_its_calls_and_the_next_one_asks_where_the_actor_is(
    folder: Path,
) -> None:
    async with running(folder, "actor") as actors:
        replica, actor = Replica(actors), actors["actor"]
        lost = replica.send("actor")
        await until(lambda: actor.waiting, "the actor has the call")
        actor.waiting.clear()

        await actor.listener.close()
        with pytest.raises(ActorLost):
            await lost
        actor.listener = actor.started()
        found = replica.send("actor")
        await actor.answers(b"[2]")

        assert await found == b"[2]"
        assert actor.asked == 2
        assert replica.observer.labels == [("delivery.lost", {"to": "the sessions"})]
        replica.transport.close()


async def test_who_is_nowhere_to_be_found_is_lost_and_looked_for_again(folder: Path) -> None:
    async with running(folder, "actor") as actors:
        replica, actor = Replica(actors), actors["actor"]
        address = await actor.listener.address(is_on_this_node=True)
        os.unlink(address.path)

        with pytest.raises(ActorLost):
            await replica.send("actor")
        await actor.listener.close()
        actor.listener = actor.started()
        found = replica.send("actor")
        await actor.answers()

        assert await found == b"{}"
        replica.transport.close()


async def test_closing_ends_every_line_and_the_next_call_opens_one(folder: Path) -> None:
    async with running(folder, "actor") as actors:
        replica, actor = Replica(actors), actors["actor"]
        call = replica.send("actor")
        await actor.answers()
        await call

        replica.transport.close()

        await until(lambda: actor.lines() == 0, "the line has ended")
        again = replica.send("actor")
        await actor.answers()
        assert await again == b"{}"
        replica.transport.close()
