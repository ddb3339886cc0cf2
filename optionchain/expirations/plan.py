"""Which expirations are alive at an instant: a pure function of the schedule and that instant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import cast, final
from zoneinfo import ZoneInfo

from optionchain.errors import InvalidInput
from optionchain.expirations.calendars import trading_calendar
from optionchain.expirations.listed import AtExpiry, SessionTime
from optionchain.expirations.local_time import load_zone, local_to_instant
from optionchain.expirations.rules import Rule
from optionchain.expirations.schedule import Schedule

# Every time zone's wall clock at these instants is a date that `datetime` can hold.
FIRST_INSTANT, LAST_INSTANT = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiration:
    """An instant at which contracts expire, and the rules that asked for it.

    Attributes:
        expires_at: The instant, in UTC.
        labels: Ids of its rules, sorted.
        day: The exchange's date of expiration, by which contracts are named; None is the date in UTC.
        root: The root symbol of its contracts; None is the underlying's symbol.
        settlement: ``AM`` or ``PM`` where its rules say so.
        last_trade_at: When trading ends, in UTC, where that is before it expires.
    """

    expires_at: datetime
    labels: tuple[str, ...]
    day: date | None = field(default=None, compare=False)
    root: str | None = None
    settlement: AtExpiry | None = None
    last_trade_at: datetime | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "expires_at", in_utc("expires_at", self.expires_at))
        # A text is a sequence too, of letters that nobody meant.
        if not isinstance(self.labels, tuple | list) or not all(
            isinstance(each, str) for each in self.labels
        ):
            raise InvalidInput("labels", "must be a tuple of texts")
        object.__setattr__(self, "labels", tuple(sorted(self.labels)))

    @property
    def date(self) -> date:
        """By which contracts are named."""
        return self.expires_at.date() if self.day is None else self.day


def in_utc(field: str, instant: datetime) -> datetime:
    """Return the instant in UTC; a time without a UTC offset raises `InvalidInput` naming `field`."""
    if not isinstance(instant, datetime):
        raise InvalidInput(field, "must be a datetime")
    if instant.tzinfo is UTC:
        return instant
    if instant.tzinfo is None:
        raise InvalidInput(field, "must have a UTC offset")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise InvalidInput(field, "must be a date between the years 1 and 9999") from None


def days_to_expiration(simulated_at: datetime, expires_at: datetime) -> float:
    """Days from one instant to the other, with their fraction; negative after the expiration.

    Args:
        simulated_at: Now, with a UTC offset.
        expires_at: The expiration, with a UTC offset.

    Example:
        >>> days_to_expiration(datetime(2026, 1, 6, 14, 30, tzinfo=UTC), datetime(2026, 1, 6, 22, tzinfo=UTC))
        0.3125
    """
    return (expires_at - simulated_at) / _DAY


@final
class ExpirationPlan:
    """Answers which expirations of a schedule are alive.

    It remembers its latest answer, which holds until the first of those expirations; this changes the speed
    and never the answer. It can be pickled and used by several threads.

    Example:
        >>> from optionchain.expirations import DailyRule
        >>> zero_dte = DailyRule(rule_id="zero_dte", target_count=1)
        >>> schedule = Schedule(timezone="America/New_York", expiration_time=time(17), rules=(zero_dte,))
        >>> friday_evening = datetime(2026, 1, 9, 22, tzinfo=UTC)
        >>> [expiration] = ExpirationPlan(schedule).active(friday_evening)
        >>> print(expiration.expires_at, expiration.labels)
        2026-01-12 22:00:00+00:00 ('zero_dte',)
    """

    __slots__ = ("_calendar", "_latest", "_zone", "schedule")

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self._calendar = trading_calendar(schedule.calendar)
        self._zone = load_zone(schedule.timezone)
        # One reference, replaced as a whole, so that no thread sees half an answer.
        self._latest: tuple[datetime, tuple[Expiration, ...]] | None = None

    def __reduce__(self) -> tuple[type[ExpirationPlan], tuple[Schedule]]:
        return ExpirationPlan, (self.schedule,)

    def active(self, simulated_at: datetime) -> tuple[Expiration, ...]:
        """Return the expirations alive at an instant.

        Every rule has exactly its `target_count` of expirations after the instant (one at the instant is gone
        and replaced); those of several rules at one instant, of one root and one settlement, are one `Expiration` with
        all their labels.

        Args:
            simulated_at: The instant, with a UTC offset.

        Returns:
            The expirations, ascending; the same until the first of them.

        Raises:
            InvalidInput: ``simulated_at``: has no UTC offset, or a rule needs expirations after the year
                9999; ``calendar``: it needs sessions beyond the dates that the exchange's calendar knows.
        """
        now = in_utc("simulated_at", simulated_at)
        latest = self._latest
        if latest is not None and latest[0] <= now < latest[1][0].expires_at:
            return latest[1]
        expirations = self._expirations_after(now)
        self._latest = now, expirations
        return expirations

    def _expirations_after(self, now: datetime) -> tuple[Expiration, ...]:
        if not FIRST_INSTANT <= now <= LAST_INSTANT:
            raise InvalidInput(
                "simulated_at", f"must be between {FIRST_INSTANT.date()} and {LAST_INSTANT.date()}"
            )
        labels: dict[tuple[datetime, str, str], list[str]] = {}
        days: dict[datetime, int] = {}
        for rule in self.schedule.rules:
            for expires_at, day in self._next_of(rule, now):
                labels.setdefault((expires_at, *series_of(rule)), []).append(rule.rule_id)
                days[expires_at] = day
        return tuple(
            Expiration(
                expires_at=at,
                labels=tuple(labels[at, root, settlement]),
                day=date.fromordinal(days[at]),
                root=root or None,
                settlement=cast("AtExpiry | None", settlement or None),
                last_trade_at=self.last_trade_at(labels[at, root, settlement], date.fromordinal(days[at])),
            )
            for at, root, settlement in sorted(labels)
        )

    def instants_after(self, rule: Rule, simulated_at: datetime) -> Iterator[datetime]:
        """As `dated_after`, without the days."""
        return (instant for instant, _ in self.dated_after(rule, simulated_at))

    def dated_after(self, rule: Rule, simulated_at: datetime) -> Iterator[tuple[datetime, int]]:
        """The instants of one of the schedule's rules after an instant, ascending, until the year 9999, and their days.

        Raises:
            InvalidInput: ``calendar``: one needs sessions beyond the dates that the exchange's calendar knows.
        """
        latest = simulated_at
        at = rule.own_time or self.schedule.expiration_time
        for day in rule.days_from(simulated_at.astimezone(self._zone).toordinal(), self._calendar):
            expires_at = self._expires_at(day, at)
            if expires_at > latest:  # a day moved by a holiday may be the one before, again
                yield expires_at, day
                latest = expires_at

    def last_trade_at(self, labels: Iterable[str], day: date) -> datetime | None:
        """When trading ends in contracts of some rules that expire on a day; None where they trade until they expire.

        Raises:
            InvalidInput: ``calendar``: it does not know the days before.
        """
        before = max(
            (rule.last_trade_sessions for rule in self.schedule.rules if rule.rule_id in labels), default=0
        )
        number = day.toordinal()
        for _ in range(before):
            number = self._calendar.session_on_or_before(number - 1)
        if not before:
            return None
        closes = "close" if self._calendar.has_hours else self.schedule.expiration_time
        return self._expires_at(number, closes)

    def instant_of(self, day: date) -> datetime:
        """When contracts of a date expire, whichever rule listed them: by the schedule's own time.

        Raises:
            InvalidInput: ``calendar``: it does not know the day.
        """
        number, at = day.toordinal(), self.schedule.expiration_time
        if not isinstance(at, time):
            number = self._calendar.session_on_or_before(number)
        return self._expires_at(number, at)

    def _expires_at(self, day: int, at: time | SessionTime | None) -> datetime:
        """When contracts of a day expire: on a half day not after its close."""
        if not isinstance(at, time):
            opens, closes = self._calendar.hours(day)
            return opens if at == "open" else closes
        expires_at = _instant(day, at, self._zone)
        return (
            min(expires_at, self._calendar.hours(day)[1]) if self._calendar.closes_early(day) else expires_at
        )

    def _next_of(self, rule: Rule, now: datetime) -> list[tuple[datetime, int]]:
        """The rule's next instants and days, as many as it keeps alive."""
        found = list(islice(self.dated_after(rule, now), rule.target_count))
        if len(found) < rule.target_count:
            reason = f"rule {rule.rule_id} needs expirations after the year 9999"
            raise InvalidInput("simulated_at", reason)
        return found


def series_of(rule: Rule) -> tuple[str, str]:
    """What keeps expirations at one instant apart: the root and the settlement, empty where they are not given."""
    return rule.root or "", rule.settlement or ""


@lru_cache(maxsize=4096)  # the next step asks for almost the same days
def _instant(day: int, at: time, zone: ZoneInfo) -> datetime:
    return local_to_instant(datetime.combine(date.fromordinal(day), at), zone)
