"""Streams of events: read in any pieces, within bounds, and past connections that break."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from optionchain_client import ConnectionFailed, NotFound, Retry, ServerError, Sweep, SweepFailed
from optionchain_client.events import Event, EventReader
from tests.unit.client.fake_service import QUICK, STEPS, open_async_client, open_client

STREAM = (
    b": a comment\n\n"
    b"event: progress\r\ndata: {\r\ndata: }\r\n\r\n"
    b"id: 7\ndata:x\nretry: 5\n\n"
    b"event: nothing\n\n"
    b"data: half"
)
EVENTS = [Event("progress", "{\n}", None), Event("message", "x", "7")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(STREAM)])
def test_events_are_the_same_in_whatever_pieces_they_come(size: int) -> None:
    reader = EventReader(most_bytes=100)
    pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]

    assert [event for piece in pieces for event in reader.read(piece)] == EVENTS


@pytest.mark.parametrize("piece", [b"x" * 101, b"data: 1234567890\n" * 7, b"data: x\n\n" + b":" * 101])
def test_what_an_event_may_hold_is_bounded(piece: bytes) -> None:
    with pytest.raises(ValueError, match="more than 100 bytes"):
        list(EventReader(most_bytes=100).read(piece))


def test_a_stream_has_as_many_events_as_it_likes() -> None:
    reader = EventReader(most_bytes=20)

    assert sum(1 for _ in range(1000) for _ in reader.read(b":\n\ndata: 123\n\n")) == 1000


# ---- a sweep whose progress comes over connections that break


def sweep_view(state: str, share: float, error: str | None = None) -> dict[str, Any]:
    return {"id": "s-1", "state": state, "error": error, "progress": {"share": share}}


def progress(state: str, share: float, error: str | None = None) -> bytes:
    return b"event: progress\ndata: %b\n\n" % json.dumps(sweep_view(state, share, error)).encode()


class Connection(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of one answer, which may break."""

    def __init__(self, pieces: list[bytes], *, breaks: bool) -> None:
        self._pieces = pieces
        self._breaks = breaks
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        if self._breaks:
            raise httpx.ReadError("connection lost")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


class FakeSweeps:
    """A service with one sweep, whose events come over connections in turn; the last one comes again and again."""

    def __init__(self, *connections: tuple[list[bytes], bool]) -> None:
        self._connections = connections
        self.opened: list[Connection] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/events"):
            return httpx.Response(202, json=sweep_view("queued", 0.0))
        pieces, breaks = self._connections[min(len(self.opened), len(self._connections) - 1)]
        self.opened.append(Connection(pieces, breaks=breaks))
        return httpx.Response(200, stream=self.opened[-1])


def started(service: Callable[[httpx.Request], httpx.Response], retry: Retry = QUICK) -> Sweep:
    return open_client(service, retry).start_sweep(base={"symbol": "SPX"}, measures=[])  # type: ignore[typeddict-item]


BROKEN_TWICE = (
    ([progress("queued", 0.0), progress("running", 0.3)[:20]], True),
    ([b":\n\n", progress("running", 0.5)], False),
    ([progress("running", 0.9), progress("completed", 1.0) + progress("running", 0.0)], True),
)


def test_a_progress_goes_on_where_a_connection_breaks_and_ends_with_the_sweep() -> None:
    service = FakeSweeps(*BROKEN_TWICE)
    sweep = started(service)

    shares = [view["progress"]["share"] for view in sweep.progress() if view["progress"]]

    assert shares == [0.0, 0.5, 0.9, 1.0]
    assert (sweep.is_over, len(service.opened)) == (True, 3)
    assert all(connection.is_closed for connection in service.opened)


@pytest.mark.anyio
async def test_a_coroutines_progress_is_the_same() -> None:
    service = FakeSweeps(*BROKEN_TWICE)
    sweep = await open_async_client(service).start_sweep(base={"symbol": "SPX"}, measures=[])  # type: ignore[typeddict-item]

    shares = [view["progress"]["share"] async for view in sweep.progress() if view["progress"]]

    assert shares == [0.0, 0.5, 0.9, 1.0]
    assert all(connection.is_closed for connection in service.opened)


@pytest.mark.parametrize("breaks", [True, False])
def test_patience_with_a_stream_that_breaks_again_and_again_ends(breaks: bool) -> None:
    service = FakeSweeps(([b":\n\n"], breaks))

    with pytest.raises(ConnectionFailed, match=r"the answer to GET http://service/\S+ broke off"):
        started(service).wait()

    assert len(service.opened) == QUICK.attempts


def test_patience_begins_anew_with_each_event() -> None:
    shares = [step / 10 for step in range(2 * QUICK.attempts)]
    connections = [([progress("running", share)], True) for share in shares]
    service = FakeSweeps(*connections, ([progress("completed", 1.0)], False))

    assert [view["state"] for view in started(service).progress()][-1] == "completed"
    assert len(service.opened) == 2 * QUICK.attempts + 1


def test_without_retries_a_stream_is_opened_once() -> None:
    service = FakeSweeps(([progress("running", 0.1)], True))

    with pytest.raises(ConnectionFailed):
        started(service, Retry(attempts=1)).wait()

    assert len(service.opened) == 1


def test_whoever_leaves_a_progress_early_leaves_no_connection_open() -> None:
    service = FakeSweeps(([progress("running", 0.1), progress("running", 0.2)], False))

    for _ in started(service).progress():
        break

    assert service.opened[0].is_closed


@pytest.mark.anyio
async def test_a_coroutine_leaves_a_progress_by_closing_it() -> None:
    service = FakeSweeps(([progress("running", 0.1), progress("running", 0.2)], False))
    sweep = await open_async_client(service).start_sweep(base={"symbol": "SPX"}, measures=[])  # type: ignore[typeddict-item]

    async with aclosing(sweep.progress()) as views:
        await anext(views)

    assert service.opened[0].is_closed


def test_a_sweep_that_failed_is_an_error_of_who_waits_for_it() -> None:
    with pytest.raises(SweepFailed, match="the sweep s-1 failed: the disk is full"):
        started(FakeSweeps(([progress("failed", 0.2, "the disk is full")], False))).wait()


def test_a_cancelled_sweep_is_over() -> None:
    assert started(FakeSweeps(([progress("cancelled", 0.2)], False))).wait()["state"] == "cancelled"


def test_patience_with_a_sweep_can_be_bounded() -> None:
    class Clockwork(FakeSweeps):
        """Heartbeats without end, quicker than the patience."""

        def __call__(self, request: httpx.Request) -> httpx.Response:
            answer = super().__call__(request)
            if request.url.path.endswith("/events"):
                answer = httpx.Response(200, stream=Heartbeats())
            return answer

    class Heartbeats(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            began = time.monotonic()
            while time.monotonic() < began + 10.0:
                yield b":\n\n"

    with pytest.raises(TimeoutError):
        started(Clockwork(([], False))).wait(timeout_seconds=0.05)


def test_an_event_over_the_bound_is_an_error_of_ours() -> None:
    service = FakeSweeps(([b"data: " + b"x" * (1 << 20)], False))

    with pytest.raises(
        ServerError, match=r"GET http://service/\S+ cannot be read: an event has more than 1,048,576"
    ):
        started(service).wait()


@pytest.mark.parametrize("data", [b"no json", b"[]"])
def test_an_event_that_is_not_the_services_is_an_error_of_ours(data: bytes) -> None:
    with pytest.raises(ServerError, match="cannot be read"):
        started(FakeSweeps(([b"data: %b\n\n" % data], False))).wait()


def test_a_sweep_that_is_gone_is_not_followed() -> None:
    def gone(request: httpx.Request) -> httpx.Response:
        status = 404 if request.url.path.endswith("/events") else 202
        return httpx.Response(status, json=sweep_view("queued", 0.0))

    with pytest.raises(NotFound):
        started(gone).wait()


# ---- the snapshots of a simulation


def snapshot(step: int) -> bytes:
    body = {"cursor": {"current_step": step, "total_steps": STEPS}, "underlying": {"price": 100.0 + step}}
    return b"event: snapshot\nid: %d\ndata: %b\n\n" % (step, json.dumps(body).encode())


class FakeStream:
    """A simulation whose stream breaks after two snapshots."""

    def __init__(self) -> None:
        self.seen: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/stream"):
            return httpx.Response(
                200, json={"id": "a/b", "cursor": {"current_step": 0, "total_steps": STEPS}}
            )
        seen = request.headers.get("Last-Event-ID")
        self.seen.append(seen)
        first = int(request.url.params["from_step"]) if seen is None else int(seen) + 1
        if first == STEPS:
            return httpx.Response(204)
        return httpx.Response(
            200, stream=Connection([snapshot(step) for step in range(first, STEPS)][:2], breaks=True)
        )


def test_a_stream_goes_on_behind_the_snapshot_that_came_last() -> None:
    service = FakeStream()

    steps = [each.step for each in open_client(service).open_simulation("a/b").stream(from_step=1)]

    assert steps == [1, 2, 3, 4]
    # What was seen ends it: the event that says so was lost.
    assert service.seen == [None, "2", "4"]


@pytest.mark.anyio
async def test_a_coroutines_stream_does_so_too() -> None:
    service = FakeStream()
    simulation = await open_async_client(service).open_simulation("a/b")

    assert [each.price async for each in simulation.stream()] == [100.0 + step for step in range(STEPS)]
    assert service.seen == [None, "1", "3", "4"]
