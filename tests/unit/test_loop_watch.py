"""An event loop that serves nobody for a while is told of: for how long, whose work it was, and where."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator

import pytest

from actors.loop_watch import LoopHeld, LoopWatch
from tests.recording import Recording
from tests.waiting import passing, take, turns, until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def observer() -> AsyncIterator[Recording]:
    observer = Recording()
    watch = LoopWatch(observer)
    watch.begin()
    yield observer
    watch.end()


def work(processor_seconds: float) -> None:
    began = time.thread_time()
    while time.thread_time() - began < processor_seconds:
        pass


async def test_work_that_holds_the_loop_is_told_with_its_place_and_its_processor_time(
    observer: Recording,
) -> None:
    await passing(0.1)

    work(0.4)

    operation, error = await until(lambda: observer.failures[0] if observer.failures else None, "it is told")
    assert operation.name == "loop.held"
    assert isinstance(error, LoopHeld)
    assert error.dependency == "the event loop"
    assert "test_loop_watch.py" in str(operation.facts["where"])
    assert " work" in str(operation.facts["where"]).splitlines()[-1]
    assert float(operation.facts["processor_seconds"] or 0) >= 0.2
    assert observer.counts["loop.held"] == 1
    # The machine is shared: it may have been longer, but not as long as the process has run.
    assert 0.2 <= observer.counts["loop.held_seconds"] < 20.0
    assert str(error) == f"the event loop was held for {operation.facts['held_seconds']:.3f} s"


async def test_work_that_begins_with_the_watch_has_a_place_too(observer: Recording) -> None:
    work(0.4)

    operation, _ = await until(lambda: observer.failures[0] if observer.failures else None, "it is told")
    assert " work" in str(operation.facts["where"]).splitlines()[-1]


async def test_what_follows_soon_is_counted_and_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.loop_watch.QUIET_SECONDS", 60.0)
    observer = Recording()
    watch = LoopWatch(observer, held_seconds=0.05)
    watch.begin()

    for times in (1, 2):
        take(0.2)
        await until(lambda times=times: observer.counts["loop.held"] >= times, "it is counted")
    watch.end()

    assert len(observer.failures) == 1


async def test_a_watch_that_is_ended_leaves_no_thread() -> None:
    watch = LoopWatch(Recording(), held_seconds=0.01)
    before = set(threading.enumerate())
    watch.begin()
    (thread,) = set(threading.enumerate()) - before
    assert thread.daemon, "a process that ends does not wait for it"

    watch.end()

    await until(lambda: not thread.is_alive(), "the thread has ended")


async def test_a_call_that_only_waits_in_the_loop_is_told_with_next_to_no_processor_time(
    observer: Recording,
) -> None:
    await passing(0.1)

    take(0.4)

    operation, _ = await until(lambda: observer.failures[0] if observer.failures else None, "it is told")
    assert float(operation.facts["held_seconds"] or 0) >= 0.2
    assert float(operation.facts["processor_seconds"] or 0) < 0.2


async def test_a_loop_that_does_much_in_small_pieces_is_not_told_of(observer: Recording) -> None:
    for _ in range(40):
        work(0.01)
        await turns(1)

    busy = [float(operation.facts["processor_seconds"] or 0) for operation, _ in observer.failures]
    assert [seconds for seconds in busy if seconds > 0.08] == []


async def test_what_lasts_one_and_a_half_times_as_long_is_told_whenever_it_begins() -> None:
    observer = Recording()
    watch = LoopWatch(observer, held_seconds=0.4)

    watch.begin()
    take(0.9)

    await until(lambda: observer.failures, "it is told")
    watch.end()


async def test_a_watch_that_is_ended_while_its_loop_is_held_does_not_wait_for_the_end_of_that() -> None:
    observer = Recording()
    watch = LoopWatch(observer, held_seconds=0.02)
    before = set(threading.enumerate())
    watch.begin()
    (thread,) = set(threading.enumerate()) - before
    take(0.2)  # it waits for the loop now

    watch.end()
    thread.join(10.0)

    assert not thread.is_alive()
    assert observer.failures == []
