"""The calendars of exchanges: in memory, else kept on disk, else computed from the `exchange_calendars` package.

The package computes the holidays of two centuries by rules, which takes 2 to 20 seconds and brings 60 MB along, so what
it found is kept, by its release, in a private folder of the user: another process reads it in a millisecond. A process
that serves others asks for calendars to be computed apart, and never computes one itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import warnings
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from optionchain.errors import InvalidInput, Unavailable
from optionchain.extras import brought_by
from optionchain.kept import private_places

# The rules of the holidays that the package computes begin and end here (pandas' AbstractHolidayCalendar).
_FIRST_KNOWN, _LAST_KNOWN = date(1970, 1, 1), date(2199, 12, 31)
_EPOCH = date(1970, 1, 1).toordinal()
# Of what is written below. Whoever reads another one computes again.
_FORMAT = 2
_NAMES = "names"
_NAME = re.compile("[!-~]{1,64}")

# Weekly options of Cboe that expire on a Monday expire on Tuesday where that is a holiday.
_MONDAYS_MOVED_ON = frozenset({"XNYS", "NYSE", "XCBF", "CBOE_Index_Options", "CFE", "NASDAQ", "BATS"})
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_known: dict[str, ExchangeCalendar] = {}
_is_apart = False


@dataclass(frozen=True, slots=True, eq=False)
class ExchangeCalendar:
    """The sessions of an exchange between two dates, both included, and an error outside them.

    Attributes:
        sessions: Day numbers, ascending.
        opens, closes: Of each session, minutes from 1970 in UTC.
        half_days: Those of the sessions that close early.
    """

    name: str
    weekdays: frozenset[int]
    first_day: int
    last_day: int
    sessions: array[int]
    opens: array[int]
    closes: array[int]
    half_days: array[int]

    @property
    def weeklies_moved_on(self) -> frozenset[int]:
        """As `TradingCalendar` has it."""
        return frozenset({0} if self.name in _MONDAYS_MOVED_ON else ())

    @property
    def has_hours(self) -> bool:
        """As `TradingCalendar` has it."""
        return True

    def sessions_from(self, day: int) -> Iterator[int]:
        """As `TradingCalendar.sessions_from`."""
        self._require_known(day)
        for position in range(bisect_left(self.sessions, day), len(self.sessions)):
            yield self.sessions[position]
        self._require_known(self.last_day + 1)

    def session_on_or_before(self, day: int) -> int:
        """As `TradingCalendar.session_on_or_before`."""
        self._require_known(day)
        position = bisect_right(self.sessions, day) - 1
        if position < 0:
            self._require_known(self.first_day - 1)
        return self.sessions[position]

    def session_on_or_after(self, day: int) -> int:
        """As `TradingCalendar.session_on_or_after`."""
        self._require_known(day)
        position = bisect_left(self.sessions, day)
        if position == len(self.sessions):
            self._require_known(self.last_day + 1)
        return self.sessions[position]

    def hours(self, session: int) -> tuple[datetime, datetime]:
        """As `TradingCalendar.hours`."""
        at = bisect_left(self.sessions, session)
        return _UNIX + timedelta(minutes=self.opens[at]), _UNIX + timedelta(minutes=self.closes[at])

    def closes_early(self, session: int) -> bool:
        """As `TradingCalendar.closes_early`."""
        return session in self.half_days[bisect_left(self.half_days, session) :][:1]

    def _require_known(self, day: int) -> None:
        if not self.first_day <= day <= self.last_day:
            first, last = date.fromordinal(self.first_day), date.fromordinal(self.last_day)
            raise InvalidInput(
                "calendar", f"the sessions of {self.name} are known from {first} to {last} only"
            )


class CalendarMissing(Unavailable):
    """A calendar has yet to be computed, and not here: see `compute_apart`.

    Args:
        name: Of the exchange.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"the calendar {name}", 2.0)
        self.name = name

    def __reduce__(self) -> tuple[type[CalendarMissing], tuple[str]]:
        return CalendarMissing, (self.name,)


def compute_apart(is_apart: bool = True) -> None:
    """Say whether this process leaves it to others to compute calendars; then one that is missing is an error."""
    global _is_apart  # noqa: PLW0603  a process has one answer
    _is_apart = is_apart


def exchange_calendar(name: str) -> ExchangeCalendar:
    """The calendar of an exchange.

    Args:
        name: As the package has it, such as ``XNYS``.

    Raises:
        InvalidInput: ``calendar``: there is none of this name.
        CalendarMissing: It is neither in memory nor on disk, and this process computes none.
    """
    found = _known.get(name)
    if found is None:
        _check_name(name)
        found = _kept(name)
        if found is None:
            if _is_apart:
                raise CalendarMissing(name)
            found = computed(name)
        _known[name] = found
    return found


def computed(name: str) -> ExchangeCalendar:
    """Compute the calendar of an exchange, and keep it; this takes seconds.

    Raises:
        InvalidInput: ``calendar``: there is none of this name, or it cannot be computed in this installation.
    """
    with warnings.catch_warnings():
        # The package's own use of pandas raises deprecation warnings that say nothing about our input.
        warnings.simplefilter("ignore")
        with brought_by("calendars", purpose=f"calendar {name}"):
            import exchange_calendars  # noqa: PLC0415

        names = exchange_calendars.get_calendar_names()
        _keep(_NAMES, json.dumps(names).encode())
        if name not in names:
            raise _unknown()
        try:
            bounds = exchange_calendars.get_calendar(name)
            first = max(_FIRST_KNOWN, _day(bounds.bound_min()) or _FIRST_KNOWN)
            last = min(_LAST_KNOWN, _day(bounds.bound_max()) or _LAST_KNOWN)
            calendar = exchange_calendars.get_calendar(name, start=first, end=last)
        except (ValueError, NotImplementedError) as error:
            # Some calendars of some releases do not work with some releases of pandas, for any dates.
            raise InvalidInput("calendar", f"{name} is not available in this installation") from error
    found = ExchangeCalendar(
        name=name,
        weekdays=frozenset(weekday for weekday, trades in enumerate(calendar.weekmask) if trades == "1"),
        first_day=first.toordinal(),
        last_day=last.toordinal(),
        sessions=_counted(calendar.sessions, "D", _EPOCH),
        opens=_counted(calendar.opens, "m"),
        closes=_counted(calendar.closes, "m"),
        half_days=_counted(calendar.early_closes, "D", _EPOCH),
    )
    _keep(name, encoded(found))
    return found


def encoded(calendar: ExchangeCalendar) -> bytes:
    """A calendar as it is kept: a line of JSON, then its arrays as 64-bit numbers of this machine."""
    head = {
        "name": calendar.name,
        "weekdays": sorted(calendar.weekdays),
        "first_day": calendar.first_day,
        "last_day": calendar.last_day,
        "sessions": len(calendar.sessions),
        "half_days": len(calendar.half_days),
    }
    arrays = (calendar.sessions, calendar.opens, calendar.closes, calendar.half_days)
    return json.dumps(head).encode() + b"\n" + b"".join(each.tobytes() for each in arrays)


def decoded(kept: bytes) -> ExchangeCalendar:
    """The calendar that was encoded.

    Raises:
        ValueError: The bytes are of something else, or only a part.
    """
    line, _, numbers = kept.partition(b"\n")
    head, every = json.loads(line), array("q")
    every.frombytes(numbers)
    count = head["sessions"]
    if len(every) != 3 * count + head["half_days"]:
        raise ValueError("a part is missing")
    return ExchangeCalendar(
        name=head["name"],
        weekdays=frozenset(head["weekdays"]),
        first_day=head["first_day"],
        last_day=head["last_day"],
        sessions=every[:count],
        opens=every[count : 2 * count],
        closes=every[2 * count : 3 * count],
        half_days=every[3 * count :],
    )


def remember(calendar: ExchangeCalendar) -> None:
    """Have a calendar that was computed apart in the memory of this process."""
    _known[calendar.name] = calendar


def forget_all() -> None:
    """Have no calendar in the memory of this process."""
    _known.clear()


@cache
def release() -> str:
    """The release of the package that knows the holidays."""
    return version("exchange_calendars")


def _check_name(name: str) -> None:
    """Refuse what is no name at all, and, once the names are known, one that is no exchange's."""
    names = _read(_NAMES) if _NAME.fullmatch(name) else b"[]"
    if names is not None and name not in json.loads(names):
        raise _unknown()


def _unknown() -> InvalidInput:
    return InvalidInput("calendar", "must be weekdays_v1 or the name of an exchange calendar such as XNYS")


def _kept(name: str) -> ExchangeCalendar | None:
    found = _read(name)
    if found is not None:
        with suppress(ValueError, KeyError, TypeError):
            calendar = decoded(found)
            return calendar if calendar.name == name else None
    return None


def _read(name: str) -> bytes | None:
    for folder in private_places("calendars"):
        with suppress(OSError):
            return _file(folder, name).read_bytes()
    return None


def _keep(name: str, text: bytes) -> None:
    """Write a file as a whole, where anything can be written."""
    for folder in private_places("calendars"):
        with suppress(OSError):
            file = _file(folder, name)
            new = file.with_suffix(f".{os.getpid()}")
            new.write_bytes(text)
            new.replace(file)
            return


def _file(folder: Path, name: str) -> Path:
    """Named by digest: what a caller calls a calendar is no name for a file."""
    told = f"{_FORMAT} {release()} {name}"
    return folder / f"{hashlib.sha256(told.encode()).hexdigest()[:24]}.calendar"


def _counted(instants: Any, unit: str, since: int = 0) -> array[int]:
    """Days or minutes from 1970, and `since`."""
    counts = instants.to_numpy("datetime64[ns]").astype(f"datetime64[{unit}]").astype("int64")
    return array("q", (counts + since).tobytes())


def _day(timestamp: Any) -> date | None:
    return None if timestamp is None else timestamp.date()
