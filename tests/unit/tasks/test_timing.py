"""When tasks are due, against what pandas and exchange_calendars say of the same rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import exchange_calendars
import numpy as np
import pandas as pd
import pytest

from optionchain.errors import InvalidInput
from optionchain.tasks import At, Cron, Every, Sessions, timing_from_wire
from optionchain.tasks.timing import Event, Timing

NOW = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
FIRST, LAST = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
# North and south, half an hour of daylight saving, none at all, and an offset of 45 minutes.
ZONES = ["Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo", "Pacific/Chatham"]


def all_after(timing: Timing, first: datetime, last: datetime) -> list[datetime]:
    found, moment = [], timing.after(first - timedelta(milliseconds=1))
    while moment is not None and moment < last:
        found.append(moment)
        moment = timing.after(moment)
    return found


def all_before(timing: Timing, first: datetime, last: datetime) -> list[datetime]:
    found, moment = [], timing.before(last - timedelta(milliseconds=1))
    while moment is not None and moment >= first:
        found.append(moment)
        moment = timing.before(moment - timedelta(milliseconds=1))
    return found[::-1]


def fixed_times(times: list[str], zone: str) -> list[datetime]:
    """Times of day on every day: of each, the first minute of two years by which the clocks have shown it."""
    minutes = pd.date_range(FIRST - timedelta(days=2), LAST + timedelta(days=2), freq="min")
    shown = np.maximum.accumulate(minutes.tz_convert(zone).tz_localize(None).to_numpy())
    days = pd.date_range(FIRST - timedelta(days=1), LAST + timedelta(days=1), freq="D").tz_localize(None)
    wanted = np.concatenate([(days + pd.Timedelta(time)).to_numpy() for time in times])
    found = minutes[np.unique(np.searchsorted(shown, wanted))].to_pydatetime()
    return [each for each in found if FIRST <= each < LAST]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("line", "times", "seconds"),
    [
        ("30 2 * * *", ["02:30:00"], 0),
        ("0,45 1,2,3 * * *", [f"0{hour}:{minute}:00" for hour in (1, 2, 3) for minute in ("00", "45")], 0),
        ("20 30 2 * * *", ["02:30:00"], 20),
    ],
)
def test_a_time_of_day_is_due_once_on_every_day(zone: str, line: str, times: list[str], seconds: int) -> None:
    expected = [each + timedelta(seconds=seconds) for each in fixed_times(times, zone)]

    assert all_after(Cron(line, zone), FIRST, LAST) == expected
    assert all_before(Cron(line, zone), FIRST, LAST) == expected


@pytest.mark.parametrize("zone", ZONES)
def test_what_is_due_every_so_often_is_due_by_real_time(zone: str) -> None:
    minutes = pd.date_range(FIRST, LAST, freq="min", inclusive="left")
    local = minutes.tz_convert(zone)
    wanted = (local.minute % 20 == 0) & (local.weekday < 5) & (local.month == 10)
    expected = list(minutes[wanted].to_pydatetime())

    assert all_after(Cron("*/20 * * 10 1-5", zone), FIRST, LAST) == expected
    assert all_before(Cron("*/20 * * 10 1-5", zone), FIRST, LAST) == expected


@pytest.mark.parametrize(("event", "offset"), [("close", 30), ("open", -45), ("open", 0), ("close", 1500)])
@pytest.mark.parametrize("name", ["XNYS", "XTKS", "XASX"])
def test_the_sessions_of_an_exchange_are_those_of_exchange_calendars(
    name: str, event: Event, offset: int
) -> None:
    calendar = exchange_calendars.get_calendar(name, start="2024-12-01", end="2027-02-01")
    instants = calendar.opens if event == "open" else calendar.closes
    moments = [each.to_pydatetime() + timedelta(minutes=offset) for each in instants]
    expected = [each for each in moments if FIRST <= each < LAST]

    assert all_after(Sessions(name, event, offset), FIRST, LAST) == expected
    assert all_before(Sessions(name, event, offset), FIRST, LAST) == expected


def test_an_interval_keeps_its_rhythm_from_its_start() -> None:
    every = Every(90.0, NOW)

    assert every.after(NOW - timedelta(days=1)) == NOW
    assert every.after(NOW) == every.after(NOW + timedelta(seconds=89)) == NOW + timedelta(seconds=90)
    assert every.before(NOW - timedelta(milliseconds=1)) is None
    assert every.before(NOW + timedelta(seconds=179)) == NOW + timedelta(seconds=90)


def test_an_instant_is_due_once() -> None:
    assert At(NOW).after(NOW - timedelta(seconds=1)) == NOW
    assert At(NOW).after(NOW) is None
    assert At(NOW).before(NOW) == NOW
    assert At(NOW).before(NOW - timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    "wire",
    [
        {"at": "2026-02-01T00:00:00Z"},
        {"every_seconds": 60.5, "start": "2026-01-01T00:00:00Z"},
        {"cron": "0 9 * * 1-5", "timezone": "Europe/Madrid"},
        {"calendar": "XNYS", "event": "close", "offset_minutes": 30},
    ],
)
def test_a_timing_is_read_as_it_was_written(wire: dict[str, Any]) -> None:
    assert timing_from_wire(wire, NOW).to_wire() == wire


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        ("daily", "timing"),
        ({}, "timing"),
        ({"at": "2026-02-01T00:00:00Z", "cron": "* * * * *"}, "timing"),
        ({"at": "tomorrow"}, "timing.at"),
        ({"at": "2026-02-01T00:00:00Z", "timezone": "UTC"}, "timing.timezone"),
        ({"every_seconds": 0.5}, "timing.every_seconds"),
        ({"every_seconds": "60"}, "timing.every_seconds"),
        ({"every_seconds": 60, "start": 7}, "timing.start"),
        ({"cron": "0 0 30 2 *"}, "timing.cron"),
        ({"cron": "61 * * * *"}, "timing.cron"),
        ({"cron": "@daily"}, "timing.cron"),
        ({"cron": 5}, "timing.cron"),
        ({"cron": "* * * * *", "timezone": "Mars/Olympus"}, "timing.timezone"),
        ({"calendar": 5}, "timing.calendar"),
        ({"calendar": "XNYS", "event": "lunch"}, "timing.event"),
        ({"calendar": "XNYS", "offset_minutes": 1.5}, "timing.offset_minutes"),
    ],
)
def test_what_is_no_timing_is_refused_by_its_field(wire: object, field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        timing_from_wire(wire, NOW)

    assert refusal.value.field == field
