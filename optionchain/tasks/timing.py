"""When a task is due: at an instant, again and again, by cron in a time zone, or by the sessions of an exchange.

The arithmetic is that of `cronsim` (Debian's cron) and of `exchange_calendars`; here they are asked. A cron line with a
fixed hour and minute fires once on every day, also on those on which the clocks change: what falls into a gap fires
when the gap is over, what is shown twice fires the first time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from optionchain.errors import InvalidInput
from optionchain.expirations.exchanges import exchange_calendar
from optionchain.expirations.local_time import load_zone
from optionchain.extras import brought_by
from optionchain.wire.instants import instant_to_wire

if TYPE_CHECKING:
    from cronsim import CronSim

Event: TypeAlias = Literal["open", "close"]
EVENTS: tuple[Event, ...] = ("open", "close")
# By how much a clock is set back at most, and more.
LONGEST_FOLD = timedelta(hours=3)
# Between the day of a session and that of its opening in UTC, and a day to be sure.
DAYS_AROUND = 2


class Timing(Protocol):
    """When something is due, without end unless it says so. Instants have whole milliseconds."""

    @property
    def is_repeated(self) -> bool:
        """Whether it may be due more than once."""
        ...

    def after(self, instant: datetime) -> datetime | None:
        """The first time that is later than an instant; None where there is none.

        Raises:
            CalendarMissing: The calendar of an exchange has yet to be computed.
        """
        ...

    def before(self, instant: datetime) -> datetime | None:
        """The last time that is not later than an instant; None where there is none.

        Raises:
            CalendarMissing: The calendar of an exchange has yet to be computed.
        """
        ...

    def to_wire(self) -> dict[str, Any]:
        """As `optionchain.tasks.wire` reads it."""
        ...


@dataclass(frozen=True, slots=True)
class At:
    """Once.

    Attributes:
        instant: Then.
    """

    instant: datetime

    @property
    def is_repeated(self) -> bool:
        return False

    def after(self, instant: datetime) -> datetime | None:
        return self.instant if instant < self.instant else None

    def before(self, instant: datetime) -> datetime | None:
        return self.instant if self.instant <= instant else None

    def to_wire(self) -> dict[str, Any]:
        return {"at": instant_to_wire(self.instant)}


@dataclass(frozen=True, slots=True)
class Every:
    """At a start and every so many seconds after it, whatever clocks on walls do.

    Attributes:
        seconds: From one to the next, whole milliseconds, at least a second.
        start: The first.
    """

    seconds: float
    start: datetime

    @property
    def is_repeated(self) -> bool:
        return True

    def after(self, instant: datetime) -> datetime | None:
        return self.start if instant < self.start else self._of((instant - self.start) // self._step + 1)

    def before(self, instant: datetime) -> datetime | None:
        return None if instant < self.start else self._of((instant - self.start) // self._step)

    def to_wire(self) -> dict[str, Any]:
        return {"every_seconds": self.seconds, "start": instant_to_wire(self.start)}

    @property
    def _step(self) -> timedelta:
        return timedelta(milliseconds=round(self.seconds * 1000))

    def _of(self, number: int) -> datetime:
        return self.start + number * self._step


@dataclass(frozen=True, slots=True)
class Cron:
    """By a line of cron, on the clocks of a time zone.

    Attributes:
        expression: Five fields, or six with the seconds first.
        timezone: IANA name.

    Example:
        >>> nightly = Cron("30 2 * * *", "Europe/Madrid")
        >>> print(nightly.after(datetime(2026, 3, 28, 12, tzinfo=UTC)))  # there is no 02:30 on the 29th
        2026-03-29 01:00:00+00:00
        >>> print(nightly.after(datetime(2026, 10, 24, 12, tzinfo=UTC)))  # there are two on the 25th
        2026-10-25 00:30:00+00:00
        >>> print(nightly.after(datetime(2026, 10, 25, 0, 30, tzinfo=UTC)))
        2026-10-26 01:30:00+00:00
    """

    expression: str
    timezone: str

    @property
    def is_repeated(self) -> bool:
        return True

    def after(self, instant: datetime) -> datetime | None:
        return next((each for each in self._walk(instant) if each > instant), None)

    def before(self, instant: datetime) -> datetime | None:
        # From later on: on a clock that was set back, what comes first may be shown later.
        later = instant + LONGEST_FOLD
        return next((each for each in self._walk(later, is_backward=True) if each <= instant), None)

    def to_wire(self) -> dict[str, Any]:
        return {"cron": self.expression, "timezone": self.timezone}

    def _walk(self, instant: datetime, *, is_backward: bool = False) -> Iterator[datetime]:
        fields, second = self.expression.split(), timedelta()
        if len(fields) == 6 and fields[0].isdigit():
            # A fixed second: what cron knows of changing clocks holds for lines of five fields only.
            second = timedelta(seconds=int(fields.pop(0)))
        local = (instant - second).astimezone(load_zone(self.timezone))
        for each in cronsim_of(" ".join(fields), local, is_backward=is_backward):
            yield each.astimezone(UTC) + second


@dataclass(frozen=True, slots=True)
class Sessions:
    """By the sessions of an exchange: so long after each opens or closes, on short days as well.

    Attributes:
        calendar: As `exchange_calendars` has it: ``XNYS``.
        event: What of a session.
        offset_minutes: After it; before it where that is negative.
    """

    calendar: str
    event: Event
    offset_minutes: int = 0

    @property
    def is_repeated(self) -> bool:
        return True

    def after(self, instant: datetime) -> datetime | None:
        calendar = exchange_calendar(self.calendar)
        day = max(self._day(instant) - DAYS_AROUND, calendar.first_day)
        try:
            return next(
                each for session in calendar.sessions_from(day) if (each := self._of(session)) > instant
            )
        except InvalidInput:  # beyond what is known of the exchange
            return None

    def before(self, instant: datetime) -> datetime | None:
        calendar = exchange_calendar(self.calendar)
        day = self._day(instant) + DAYS_AROUND
        try:
            while True:
                session = calendar.session_on_or_before(day)
                if (found := self._of(session)) <= instant:
                    return found
                day = session - 1
        except InvalidInput:
            return None

    def to_wire(self) -> dict[str, Any]:
        return {"calendar": self.calendar, "event": self.event, "offset_minutes": self.offset_minutes}

    def _day(self, instant: datetime) -> int:
        return date.toordinal(instant.astimezone(UTC) - timedelta(minutes=self.offset_minutes))

    def _of(self, session: int) -> datetime:
        hours = exchange_calendar(self.calendar).hours(session)
        return hours[EVENTS.index(self.event)] + timedelta(minutes=self.offset_minutes)


def cronsim_of(expression: str, local: datetime, *, is_backward: bool = False) -> CronSim:
    """Walks the times of a line of cron.

    Raises:
        InvalidInput: ``cron``: it is none, or is never due.
    """
    with brought_by("calendars", purpose="a cron line"):
        from cronsim import CronSim, CronSimError  # noqa: PLC0415
    try:
        return CronSim(expression, local, reverse=is_backward)
    except CronSimError as error:
        raise InvalidInput("cron", f"is no line of cron: {str(error).lower()}") from error
