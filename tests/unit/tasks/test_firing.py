"""Which runs are due: in time, late, missed, and when the clock jumps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from optionchain.errors import InvalidInput
from optionchain.tasks import Every, Leases, Order, Run, Schedule, Task, due_at, firing, run_id
from optionchain.tasks.wire import schedule_from_wire

NOW = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def task(**changes: Any) -> Task:
    schedule = Schedule(timing=Every(60.0, NOW), **changes)
    order = Order(kind="sweep", parameters={}, owner="desk")
    return Task(id="t", order=order, schedule=schedule, created_at=NOW - MINUTE, next_for=NOW)


def run(owner: str, name: str, **changes: Any) -> Run:
    order = Order(kind="sweep", parameters={}, owner=owner)
    return Run(id=name, task_id="t", scheduled_for=NOW, due_at=NOW, available_at=NOW, order=order, **changes)


def test_nothing_is_due_before_its_time() -> None:
    fired = firing(task(), NOW - timedelta(milliseconds=1), grace_seconds=60)

    assert (fired.times, fired.next_for, fired.has_missed) == ((), NOW, False)


def test_what_is_due_is_due_and_the_next_time_waits() -> None:
    fired = firing(task(), NOW, grace_seconds=60)

    assert (fired.times, fired.next_for, fired.has_missed) == ((NOW,), NOW + MINUTE, False)


def test_of_what_was_missed_the_latest_is_made_up_for_once() -> None:
    fired = firing(task(), NOW + 10 * MINUTE, grace_seconds=30)

    assert fired.times == (NOW + 9 * MINUTE, NOW + 10 * MINUTE)  # the last was not missed
    assert fired.next_for == NOW + 11 * MINUTE
    assert fired.has_missed


def test_catch_up_says_how_many_are_made_up_for() -> None:
    fired = firing(task(catch_up=3), NOW + 10 * MINUTE, grace_seconds=30)

    assert fired.times == tuple(NOW + minutes * MINUTE for minutes in (7, 8, 9, 10))


def test_what_was_missed_is_skipped_where_the_task_says_so() -> None:
    fired = firing(task(misfire="skip"), NOW + 10 * MINUTE, grace_seconds=30)

    assert fired.times == (NOW + 10 * MINUTE,)
    assert fired.has_missed


def test_an_instant_that_was_missed_runs_once_or_never() -> None:
    schedule = schedule_from_wire({"timing": {"at": "2026-01-05T14:30:00Z"}}, NOW)
    once = replace(task(), schedule=schedule)

    late = firing(once, NOW + 100 * MINUTE, grace_seconds=30)
    skipped = firing(
        replace(once, schedule=replace(schedule, misfire="skip")), NOW + 100 * MINUTE, grace_seconds=30
    )

    assert (late.times, late.next_for) == ((NOW,), None)
    assert (skipped.times, skipped.next_for) == ((), None)


def test_nothing_is_due_after_the_end() -> None:
    fired = firing(task(ends_at=NOW + 2 * MINUTE, catch_up=100), NOW + 60 * MINUTE, grace_seconds=30)

    assert fired.times == (NOW, NOW + MINUTE, NOW + 2 * MINUTE)
    assert fired.next_for is None


def test_jitter_puts_off_each_time_by_a_part_that_stays_the_same() -> None:
    times = [NOW + minutes * MINUTE for minutes in range(200)]
    delays = [(due_at("t", each, 30.0) - each).total_seconds() for each in times]

    assert delays == [(due_at("t", each, 30.0) - each).total_seconds() for each in times]
    assert min(delays) >= 0.0
    assert max(delays) < 30.0
    assert len(set(delays)) > 190
    assert delays != [(due_at("u", each, 30.0) - each).total_seconds() for each in times]


@settings(max_examples=200, deadline=None)
@given(
    steps=some.lists(some.floats(-3700, 3700), min_size=1, max_size=40),
    jitter=some.sampled_from([0.0, 20.0, 90.0]),
)
def test_however_the_clock_jumps_every_time_is_due_once_and_none_is_left_out(
    steps: list[float], jitter: float
) -> None:
    waiting, clock, seen = task(catch_up=100, jitter_seconds=jitter), NOW, list[datetime]()
    for step in [*steps, 0.0]:
        clock += timedelta(seconds=step)
        fired = firing(waiting, clock, grace_seconds=60)
        seen += fired.times
        waiting = replace(waiting, next_for=fired.next_for)

    assert waiting.next_for is not None
    expected = [NOW + minutes * MINUTE for minutes in range((waiting.next_for - NOW) // MINUTE)]
    # A jump of an hour is 61 times: all of them are made up for.
    assert seen == expected


def test_the_identity_of_a_run_follows_from_its_task_and_time() -> None:
    assert run_id("t", NOW) == run_id("t", NOW.astimezone()) != run_id("t", NOW + timedelta(milliseconds=1))


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        ({"misfire": "panic"}, "misfire"),
        ({"catch_up": 0}, "catch_up"),
        ({"jitter_seconds": -1}, "jitter_seconds"),
        ({"ends_at": "soon"}, "ends_at"),
        ({"ends_at": "2026-01-05T14:30:30Z", "timing": {"cron": "0 15 * * *"}}, "ends_at"),
        ({"timing": {"at": "2026-01-05T14:00:00Z"}}, "timing"),
        ({"timing": {"cron": "0 0 29 2 1#5"}, "ends_at": "2026-12-31T00:00:00Z"}, "ends_at"),
        ({"timing": {"calendar": "XXXX"}}, "timing.calendar"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused_by_its_field(wire: Mapping[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        schedule_from_wire({"timing": {"every_seconds": 60}} | dict(wire), NOW).first_time(NOW)

    assert refusal.value.field == field


def test_a_worker_is_lost_when_it_is_silent_for_longer_than_its_lease() -> None:
    leases = Leases(15.0)
    silent, lively = run("desk", "a", token=1), run("desk", "b", token=1)

    assert leases.lost([silent, lively], 100.0) == []
    assert leases.lost([silent, replace(lively, beat=1)], 110.0) == []
    assert leases.lost([silent, replace(lively, beat=1)], 116.0) == [silent]
    assert leases.lost([replace(silent, token=2), replace(lively, beat=2)], 117.0) == []
