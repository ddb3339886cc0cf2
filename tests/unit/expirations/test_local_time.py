from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optionchain.errors import InvalidInput
from optionchain.expirations import load_zone, local_to_instant, tzdb_version

ZONES = [
    "America/New_York",
    "Europe/Madrid",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Pacific/Apia",
]


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "local", "instant"),
    [
        ("America/New_York", datetime(2026, 1, 5, 17), utc(2026, 1, 5, 22)),
        ("America/New_York", datetime(2026, 7, 6, 17), utc(2026, 7, 6, 21)),
        ("Asia/Kathmandu", datetime(2026, 1, 5, 17), utc(2026, 1, 5, 11, 15)),
    ],
)
def test_a_wall_clock_time_is_its_zones_offset_from_utc(zone, local, instant):
    assert local_to_instant(local, load_zone(zone)) == instant


@pytest.mark.parametrize(
    ("zone", "local", "instant"),
    [
        ("Europe/Madrid", datetime(2026, 10, 25, 2, 30), utc(2026, 10, 25, 0, 30)),
        ("America/New_York", datetime(2026, 11, 1, 1, 30), utc(2026, 11, 1, 5, 30)),
        ("Australia/Lord_Howe", datetime(2026, 4, 5, 1, 45), utc(2026, 4, 4, 14, 45)),
    ],
)
def test_a_time_shown_twice_is_the_earlier_instant(zone, local, instant):
    assert local_to_instant(local, load_zone(zone)) == instant


@pytest.mark.parametrize(
    ("zone", "local", "instant"),
    [
        ("Europe/Madrid", datetime(2026, 3, 29, 2, 0), utc(2026, 3, 29, 1)),
        ("Europe/Madrid", datetime(2026, 3, 29, 2, 59, 59), utc(2026, 3, 29, 1)),
        ("Australia/Lord_Howe", datetime(2026, 10, 4, 2, 15), utc(2026, 10, 3, 15, 30)),
        ("Africa/Cairo", datetime(2026, 4, 24, 0, 30), utc(2026, 4, 23, 22)),
        # Samoa went from 29 to 31 December at the date line: a gap of a whole day.
        ("Pacific/Apia", datetime(2011, 12, 30, 17), utc(2011, 12, 30, 10)),
    ],
)
def test_a_time_never_shown_is_the_instant_of_the_change(zone, local, instant):
    assert local_to_instant(local, load_zone(zone)) == instant


@settings(derandomize=True)
@given(
    zone=st.sampled_from(ZONES),
    local=st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(lambda t: t.replace(microsecond=0)),
    seconds=st.integers(0, 200_000),
)
def test_a_later_wall_clock_time_is_never_an_earlier_instant(zone, local, seconds):
    rules = load_zone(zone)

    assert local_to_instant(local, rules) <= local_to_instant(local + timedelta(seconds=seconds), rules)


@settings(derandomize=True)
@given(
    zone=st.sampled_from(ZONES),
    instant=st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(lambda t: t.replace(microsecond=0)),
)
def test_no_instant_is_later_than_when_its_wall_clock_time_is_first_shown(zone, instant):
    rules = load_zone(zone)
    moment = instant.replace(tzinfo=UTC)
    shown = moment.astimezone(rules).replace(tzinfo=None)

    first = local_to_instant(shown, rules)

    assert first <= moment
    assert first.astimezone(rules).replace(tzinfo=None) == shown


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "america/new_york", "../zones", "America", "zone.tab"])
def test_an_unknown_zone_is_refused(name):
    with pytest.raises(InvalidInput) as refused:
        load_zone(name)

    assert refused.value.field == "timezone"


def test_the_time_zone_database_has_a_version():
    year, letter = tzdb_version()[:4], tzdb_version()[4:]

    assert int(year) >= 2025
    assert letter.isalpha()
