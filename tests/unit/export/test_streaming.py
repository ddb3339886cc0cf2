"""Bodies computed while they are sent: never far ahead of the reader, bounded in number, gone with it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from cluster.http_settings import HttpSettings
from optionchain.errors import InvalidInput, Overloaded
from optionchain.observing import Unobserved
from serve_app.edge.errors import Stalled
from serve_app.handling.fair_threads import FairThreads
from serve_app.handling.streaming import CHUNK_BYTES, BodyResponse, Producers, in_chunks
from serve_app.routes.streams import HEARTBEAT, paced
from tests.waiting import turns


class Source:
    """Ten pieces, and how many of them were asked for, by whom."""

    def __init__(self) -> None:
        self.computed = 0
        self.threads: set[str] = set()

    def pieces(self) -> Iterator[bytes]:
        for number in range(10):
            self.computed += 1
            self.threads.add(threading.current_thread().name)
            yield b"%d" % number


def test_a_body_is_what_its_source_gives_computed_off_the_event_loop() -> None:
    async def read() -> None:
        source = Source()
        body = await Producers(HttpSettings(), Unobserved()).start("anna", source.pieces)

        assert [piece async for piece in body] == [b"%d" % number for number in range(10)]
        assert all(name.startswith("export") for name in source.threads)

    asyncio.run(read())


def test_a_slow_reader_is_never_more_than_a_piece_behind() -> None:
    async def read() -> None:
        source = Source()
        body = await Producers(HttpSettings(), Unobserved()).start("anna", source.pieces)
        pieces = aiter(body)
        for read in range(1, 10):
            await anext(pieces)
            # The loop turns many times: whatever would run ahead has the time to.
            await turns(50)
            assert source.computed <= read + 1

    asyncio.run(read())


def test_bodies_over_the_limit_are_refused_until_one_ends() -> None:
    async def read() -> None:
        producers = Producers(HttpSettings(max_streams=2), Unobserved())
        whole = await producers.start("anna", Source().pieces)
        never_read = await producers.start("bert", Source().pieces)
        with pytest.raises(Overloaded):
            await producers.start("cleo", Source().pieces)

        async for _ in whole:
            pass
        await whole.aclose()
        await never_read.aclose()
        await never_read.aclose()

        again = [await producers.start(owner, Source().pieces) for owner in ("anna", "cleo")]
        with pytest.raises(Overloaded):
            await producers.start("bert", Source().pieces)
        assert len(again) == 2

    asyncio.run(read())


def test_an_owner_takes_half_of_the_places_and_others_find_some() -> None:
    async def read() -> None:
        producers = Producers(HttpSettings(max_streams=16), Unobserved())
        held = []

        async def most_of(owner: str) -> int:
            for number in range(16):
                try:
                    held.append(await producers.start(owner, Source().pieces))
                except Overloaded:
                    return number
            return 16

        assert [await most_of(owner) for owner in ("anna", "bert", "cleo", "dora")] == [8, 4, 2, 1]
        assert await most_of("emil") == 1, "whoever has none finds the last one"
        for body in held[:2]:
            await body.aclose()
        assert await most_of("fred") == 1
        assert await most_of("anna") == 0

    asyncio.run(read())


def test_owners_take_turns_at_the_threads() -> None:
    async def read() -> None:
        threads, done, go = FairThreads(1, "turns"), list[str](), threading.Event()
        first = threads.run("anna", go.wait)
        rest = [threads.run("anna", lambda: done.append("anna")) for _ in range(10)]
        others = [threads.run(owner, partial(done.append, owner)) for owner in ("bert", "cleo")]
        left = threads.run("anna", lambda: done.append("left"))
        left.cancel()
        go.set()
        await asyncio.gather(first, *rest, *others)

        assert done == ["anna", "bert", "cleo", *["anna"] * 9]

    asyncio.run(read())


def test_a_call_that_fails_fails_its_caller_alone() -> None:
    async def read() -> None:
        threads = FairThreads(1, "fails")
        failing = threads.run("anna", partial(int, "x"))
        after = threads.run("anna", partial(int, "7"))

        with pytest.raises(ValueError, match="invalid literal"):
            await failing
        assert await after == 7

    asyncio.run(read())


def test_a_reader_who_takes_nothing_loses_the_stream_and_its_place() -> None:
    async def read() -> None:
        producers = Producers(HttpSettings(max_streams=1), Unobserved())
        sent = []

        async def never(message: Message) -> None:
            sent.append(message["type"])
            if message.get("body"):
                await asyncio.Event().wait()

        async def receive() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        body = await producers.start("anna", partial(itertools.repeat, b"endless"))
        response = BodyResponse(
            body, in_chunks(body), media_type="text/plain", headers={}, stall_seconds=0.05
        )
        with pytest.raises(Stalled, match=r"took nothing for 0\.05 seconds"):
            await response({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, never)

        assert sent == ["http.response.start", "http.response.body"]
        assert await producers.start("bert", Source().pieces)

    asyncio.run(read())


def test_a_body_that_nobody_holds_any_more_gives_its_place_back() -> None:
    async def read() -> None:
        producers = Producers(HttpSettings(max_streams=1), Unobserved())
        await producers.start("anna", Source().pieces)
        gc.collect()

        assert await producers.start("anna", Source().pieces)

    asyncio.run(read())


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_garbage_collection")
@pytest.mark.parametrize("spec_version", ["2.3", "2.4"])
def test_a_reader_who_leaves_gives_a_place_back_at_once(spec_version: str) -> None:
    """Whether the server tells of it (2.3) or refuses what is sent (2.4)."""

    async def read() -> None:
        producers = Producers(HttpSettings(max_streams=1), Unobserved())
        has_begun = asyncio.Event()

        async def receive() -> Message:
            await has_begun.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if has_begun.is_set() and spec_version == "2.4":
                raise OSError
            if message.get("body"):
                has_begun.set()

        scope = {"type": "http", "asgi": {"spec_version": spec_version}}
        for frame in (in_chunks, partial(paced, interval_seconds=0.0, heartbeat_seconds=1.0)):
            has_begun.clear()
            body = await producers.start("anna", partial(itertools.repeat, b"endless"))
            response = BodyResponse(
                body, frame(body), media_type="text/plain", headers={}, stall_seconds=10.0
            )
            with contextlib.suppress(ClientDisconnect):
                await response(scope, receive, send)

        await producers.start("anna", Source().pieces)

    asyncio.run(read())


def test_a_body_that_cannot_begin_says_why_and_takes_no_place() -> None:
    def refuse() -> Iterator[bytes]:
        raise InvalidInput("layout", "cannot express it")

    async def read() -> None:
        producers = Producers(HttpSettings(max_streams=1), Unobserved())
        for _ in range(3):
            with pytest.raises(InvalidInput):
                await producers.start("anna", refuse)

    asyncio.run(read())


def test_chunks_are_bounded_and_lose_nothing() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield bytes(3 * CHUNK_BYTES + 5)
        yield b"end"

    async def sizes() -> list[int]:
        return [len(chunk) async for chunk in in_chunks(pieces())]

    assert asyncio.run(sizes()) == [CHUNK_BYTES] * 3 + [5, 3]


def test_heartbeats_fill_the_pauses_between_events() -> None:
    async def events() -> AsyncIterator[bytes]:
        yield b"first"
        yield b"second"

    async def read() -> list[bytes]:
        return [chunk async for chunk in paced(events(), interval_seconds=0.003, heartbeat_seconds=0.001)]

    assert [chunk for chunk in asyncio.run(read()) if chunk != HEARTBEAT] == [b"first", b"second"]
    assert asyncio.run(read())[1:3] == [HEARTBEAT, HEARTBEAT]
