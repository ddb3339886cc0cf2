from datetime import date
from itertools import islice

import pytest

from optionchain.errors import InvalidInput
from optionchain.expirations import trading_calendar


def session_on_or_before(name, day):
    return date.fromordinal(trading_calendar(name).session_on_or_before(day.toordinal()))


def sessions_from(name, day, count):
    days = trading_calendar(name).sessions_from(day.toordinal())
    return [date.fromordinal(session) for session in islice(days, count)]


def test_weekdays_v1_trades_on_a_holiday():
    assert session_on_or_before("weekdays_v1", date(2026, 12, 25)) == date(2026, 12, 25)


@pytest.mark.parametrize("day", [date(2026, 1, 9), date(2026, 1, 10), date(2026, 1, 11)])
def test_the_session_before_a_weekend_is_friday(day):
    assert session_on_or_before("weekdays_v1", day) == date(2026, 1, 9)
    assert session_on_or_before("XNYS", day) == date(2026, 1, 9)


@pytest.mark.parametrize(
    ("holiday", "session"),
    [
        (date(2026, 4, 3), date(2026, 4, 2)),  # Good Friday
        (date(2026, 7, 3), date(2026, 7, 2)),  # Independence Day, observed
        (date(2026, 12, 25), date(2026, 12, 24)),
        (date(2001, 9, 14), date(2001, 9, 10)),  # closed 11 to 14 September
        (date(2012, 10, 30), date(2012, 10, 26)),  # Hurricane Sandy, after a weekend
        (date(2150, 12, 25), date(2150, 12, 24)),  # rules of holidays go on
    ],
)
def test_new_york_closes_on_its_holidays(holiday, session):
    assert session_on_or_before("XNYS", holiday) == session


def test_sessions_skip_weekends_and_holidays():
    week = [date(2026, 4, 1), date(2026, 4, 2), date(2026, 4, 6)]

    assert sessions_from("XNYS", date(2026, 4, 1), 3) == week
    assert sessions_from("weekdays_v1", date(2026, 4, 3), 2) == [date(2026, 4, 3), date(2026, 4, 6)]


def test_riyadh_trades_on_sunday_and_rests_on_friday():
    assert trading_calendar("XSAU").weekdays == {6, 0, 1, 2, 3}


def test_an_alias_is_its_exchange():
    assert trading_calendar("NYSE").sessions == trading_calendar("XNYS").sessions


@pytest.mark.parametrize("day", [date(2049, 12, 31), date(1970, 1, 2)])
def test_the_first_and_last_known_session_can_be_asked_for(day):
    assert session_on_or_before("XHKG", day) == day


@pytest.mark.parametrize("day", [date(1969, 12, 31), date(2050, 1, 1), date.max])
def test_a_day_beyond_what_the_exchange_knows_is_refused_with_the_range(day):
    with pytest.raises(InvalidInput, match="known from 1970-01-01 to 2049-12-31") as refused:
        session_on_or_before("XHKG", day)

    assert refused.value.field == "calendar"


def test_running_out_of_known_sessions_is_refused():
    with pytest.raises(InvalidInput, match="known from"):
        sessions_from("XHKG", date(2049, 12, 30), 3)


def test_a_holiday_at_the_beginning_of_what_is_known_is_refused():
    new_year = date(1970, 1, 1)

    with pytest.raises(InvalidInput, match="known from"):
        session_on_or_before("XNYS", new_year)


def test_an_unknown_calendar_is_refused():
    with pytest.raises(InvalidInput) as refused:
        trading_calendar("XXXX")

    assert refused.value.field == "calendar"


def test_a_calendar_that_this_installation_cannot_build_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def unbuildable(name, **bounds):
        raise NotImplementedError

    monkeypatch.setattr("exchange_calendars.get_calendar", unbuildable)

    with pytest.raises(InvalidInput, match="XPRA is not available in this installation") as refused:
        trading_calendar("XPRA")

    assert refused.value.field == "calendar"
