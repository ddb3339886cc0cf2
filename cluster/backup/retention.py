"""Which backups are kept: the latest of so many hours, days, weeks and months, and one that is proven to come back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from optionchain.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Retention:
    """How many are kept: the latest backup of each of the last hours, days, weeks and months that have one."""

    hourly: int = 24
    daily: int = 7
    weekly: int = 5
    monthly: int = 12

    @classmethod
    def of(cls, text: str) -> Retention:
        """``24,7,5,12``: hours, days, weeks, months.

        Raises:
            InvalidInput: It is not that.
        """
        try:
            hourly, daily, weekly, monthly = (int(part) for part in text.split(","))
        except ValueError:
            raise InvalidInput(
                "keep", "must be four numbers: hourly,daily,weekly,monthly, as in 24,7,5,12"
            ) from None
        if min(hourly, daily, weekly, monthly) < 0:
            raise InvalidInput("keep", "must be four numbers of 0 or more")
        return cls(hourly, daily, weekly, monthly)


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup as its retention sees it.

    Attributes:
        id: Of it.
        started_at: When it was begun.
        is_verified: Whether it was proven to come back.
        base: The backup without which it does not; None where it is whole by itself.
    """

    id: str
    started_at: datetime
    is_verified: bool
    base: str | None = None


def outlived(
    backups: Sequence[Kept], retention: Retention, *, needed: AbstractSet[str | None] = frozenset()
) -> list[str]:
    """The ids of the backups that need not be kept, the latest first: no increment is ever without its base.

    The latest one, and the latest of those that are verified, are never among them, nor is what one needs that is kept.

    Args:
        backups: All complete ones, in any order.
        retention: How many to keep.
        needed: Ids of those of which an increment is being made.
    """
    by_age = sorted(backups, key=lambda backup: (backup.started_at, backup.id), reverse=True)
    kept = {*needed, *(backup.id for backup in by_age[:1])}
    kept |= {backup.id for backup in [each for each in by_age if each.is_verified][:1]}
    periods: tuple[tuple[int, Callable[[datetime], Any]], ...] = (
        (retention.hourly, lambda instant: (instant.date(), instant.hour)),
        (retention.daily, lambda instant: instant.date()),
        (retention.weekly, lambda instant: instant.isocalendar()[:2]),
        (retention.monthly, lambda instant: (instant.year, instant.month)),
    )
    for most, period_of in periods:
        latest: dict[Any, str] = {}
        for backup in by_age:
            latest.setdefault(period_of(backup.started_at), backup.id)
        kept |= set(list(latest.values())[:most])
    for backup in by_age:  # a base is older than its increments
        if backup.id in kept and backup.base is not None:
            kept.add(backup.base)
    return [backup.id for backup in by_age if backup.id not in kept]
