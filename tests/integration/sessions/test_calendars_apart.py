"""The first use of an exchange's calendar takes seconds of a processor, and nobody else waits for them."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import time as time_of_day
from functools import partial
from pathlib import Path

import anyio
import pytest

from actors.calendars import Calendars
from actors.loop_watch import LoopWatch
from actors.sessions.messages import Answer
from optionchain.errors import InvalidInput, Overloaded, Unavailable
from optionchain.expirations import DailyRule, Schedule, trading_calendar
from optionchain.expirations.__main__ import REFUSED
from optionchain.expirations.exchanges import CalendarMissing, compute_apart, forget_all
from optionchain.observing import Unobserved
from optionchain.session import Create, Peek, Session, SessionKind
from tests.integration.sessions.session_examples import (
    PARAMETERS,
    StoreFactory,
    ask,
    created,
    new_host,
    new_session,
)
from tests.recording import Recording
from tests.waiting import passing, until

pytestmark = pytest.mark.anyio

SLOW = "XTAE"
PATIENT = 120.0


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No calendar is kept or in memory, and this process computes none."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    forget_all()
    compute_apart()
    yield
    compute_apart(False)
    forget_all()


def on_exchange(name: str) -> Session:
    """A new simulation that expires with the sessions of an exchange, as it arrives from a replica that knew it."""
    rule = DailyRule(rule_id="daily", target_count=1)
    schedule = Schedule(timezone="UTC", expiration_time=time_of_day(16), rules=(rule,))
    # As pickle leaves it: whoever receives a schedule has not looked its calendar up.
    object.__setattr__(schedule, "calendar", name)
    return new_session(replace(PARAMETERS, expirations=schedule), kind=SessionKind.SIMULATION)


def computed_by(program: str, *, patience_seconds: float = PATIENT) -> Calendars:
    """Calendars that a program of Python is to compute."""
    return Calendars(Unobserved(), patience_seconds=patience_seconds, command=(sys.executable, "-c", program))


async def test_others_are_served_while_a_calendar_is_computed(open_store: StoreFactory) -> None:
    observer, answers, slow = Recording(), list[Answer](), on_exchange(SLOW)
    host = new_host(open_store(), calendars=Calendars(Unobserved(), patience_seconds=PATIENT))
    other = await created(host, new_session())
    watch = LoopWatch(observer, held_seconds=0.1)
    watch.begin()
    peeks = 0

    async def create() -> None:
        answers.extend(await ask(host, slow, Create(slow)))

    began = time.thread_time()
    async with anyio.create_task_group() as group:
        group.start_soon(create)
        while not answers:
            (answer,) = await ask(host, other, Peek())
            assert isinstance(answer, bytes)
            peeks += 1
            await passing(0.05)
    watch.end()

    assert [type(answer) for answer in answers] == [bytes]
    assert peeks > 20
    held = [operation.facts for operation, _ in observer.failures]
    assert [facts for facts in held if float(facts["processor_seconds"] or 0) > 0.1] == []
    assert time.thread_time() - began < 2.0  # of the 7 that it takes


async def test_a_host_that_begins_anew_finds_the_calendar_on_disk(open_store: StoreFactory) -> None:
    slow = on_exchange("XHKG")
    await created(new_host(open_store(), calendars=Calendars(Unobserved(), patience_seconds=PATIENT)), slow)
    forget_all()

    (answer,) = await ask(new_host(open_store(), calendars=computed_by("raise SystemExit(1)")), slow, Peek())

    assert isinstance(answer, bytes)


async def test_whoever_waits_too_long_is_told_to_come_again_and_finds_it_then(
    open_store: StoreFactory,
) -> None:
    slow, calendars = on_exchange("XHKG"), Calendars(Unobserved(), patience_seconds=0.01)
    host = new_host(open_store(), calendars=calendars)

    (refusal,) = await ask(host, slow, Create(slow))

    assert isinstance(refusal, CalendarMissing)
    assert refusal.retry_after_seconds >= 1.0

    async def is_created() -> bool:
        (answer,) = await ask(host, slow, Create(slow))
        return isinstance(answer, bytes)

    await until(is_created, "the calendar has come", patience_seconds=PATIENT)


async def test_a_calendar_that_cannot_be_computed_is_refused_and_hurts_nobody_else(
    open_store: StoreFactory,
) -> None:
    refused = computed_by("import sys; print('is not available', file=sys.stderr); raise SystemExit(2)")
    slow = on_exchange("XHKG")

    (refusal,) = await ask(new_host(open_store(), calendars=refused), slow, Create(slow))
    (failure,) = await ask(
        new_host(open_store(), calendars=computed_by("raise SystemExit(1)")), slow, Create(slow)
    )

    assert isinstance(refusal, InvalidInput)
    assert str(refusal) == "calendar: is not available"
    assert isinstance(failure, CalendarMissing)


async def test_many_who_wait_for_one_calendar_have_it_computed_once(tmp_path: Path) -> None:
    count = tmp_path / "count"
    calendars = computed_by(
        f"open({str(count)!r}, 'a').write('x'); import sys; from optionchain.expirations.__main__ import main; "
        "sys.exit(main(['--encoded', sys.argv[-1]]))"
    )

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(calendars.provide, "XHKG")

    assert count.read_text() == "x"


async def test_what_could_not_be_computed_is_tried_again_and_what_there_is_not_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.calendars.MOST_COMING", 1)
    asked = tmp_path / "asked"
    noted = f"import sys; open({str(asked)!r}, 'a').write(sys.argv[-1] + ' '); sys.exit(%s)"
    failing, refusing = computed_by(noted % 1), computed_by(noted % REFUSED)

    for _ in range(2):
        with pytest.raises(CalendarMissing):
            await failing.provide("failing")
        # Names that callers make up have no end: so many are remembered.
        for name in ("no-exchange", "nor-this"):
            with pytest.raises(InvalidInput):
                await refusing.provide(name)

    assert asked.read_text().split() == ["failing", "no-exchange", "nor-this", "failing", "nor-this"]


async def test_who_asks_for_more_calendars_than_there_are_is_refused_until_one_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.calendars.MOST_COMING", 2)
    os.mkfifo(tmp_path / "go")
    # Opened for both, so that nobody waits for another end.
    go = os.open(tmp_path / "go", os.O_RDWR)
    waiting = computed_by(
        f"open({str(tmp_path / 'go')!r}, 'rb', 0).read(1); raise SystemExit(1)", patience_seconds=0.05
    )
    before = asyncio.all_tasks()
    for name in ("one", "two", "one"):
        with pytest.raises(CalendarMissing):
            await waiting.provide(name)

    with pytest.raises(Overloaded):
        await waiting.provide("three")

    os.write(go, b"1")

    async def is_let_in() -> bool:
        with pytest.raises(Unavailable) as refusal:
            await waiting.provide("three")
        return isinstance(refusal.value, CalendarMissing)

    await until(is_let_in, "there is room for it")
    os.write(go, b"23")
    await until(lambda: asyncio.all_tasks() <= before, "all have ended")
    os.close(go)


async def test_work_that_alone_knows_what_it_needs_is_done_again_once_that_has_come() -> None:
    calendars, attempts = Calendars(Unobserved(), patience_seconds=PATIENT), list[str]()

    async def work() -> bool:
        attempts.append("begun")
        return trading_calendar("XHKG").has_hours

    assert await calendars.given(work)
    assert attempts == ["begun", "begun"]
    with pytest.raises(InvalidInput):
        await computed_by(f"raise SystemExit({REFUSED})").given(partial(trading_calendar_of, "no-exchange"))


async def trading_calendar_of(name: str) -> None:
    trading_calendar(name)
